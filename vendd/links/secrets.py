"""Secrets by reference: a systemd credential or a file that nobody else can read.

The value itself never stands in the configuration, the environment or the log.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

CREDENTIAL: Final = "credential:"
_LARGEST: Final = 65_536


class SecretMissing(Exception):
    """A secret can't be had; the text says which, why and what to do, never what it is."""


def read_secret(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The text behind ``credential:NAME`` or an absolute path, without the newline at its end.

    A file must be a plain one of this user or root that group and others can't touch.
    """
    if reference.startswith(CREDENTIAL):
        return _credential(reference.removeprefix(CREDENTIAL), environ)
    path = Path(reference)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretMissing(f"{path} can't be read ({error.strerror})") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretMissing(f"{path} is no plain file")
        if found.st_mode & 0o077:
            raise SecretMissing(f"{path} is open to others: chmod 600 {path}")
        if found.st_uid not in (0, os.geteuid()):
            raise SecretMissing(f"{path} belongs to another user: chown it to vendd or root")
        return _text(os.read(descriptor, _LARGEST + 1), str(path))
    finally:
        os.close(descriptor)


def _credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    remedy = f"put it into /etc/credstore/{name} (root, 0600), LoadCredential={name} in the unit"
    if not folder:
        raise SecretMissing(f"credential {name}: systemd handed none over; {remedy}")
    try:
        with (Path(folder) / name).open("rb") as file:
            return _text(file.read(_LARGEST + 1), f"credential {name}")
    except OSError as error:
        raise SecretMissing(f"credential {name}: {error.strerror}; {remedy}") from None


def _text(content: bytes, what: str) -> str:
    if len(content) > _LARGEST:
        raise SecretMissing(f"{what} is larger than 64 KiB: is it the right file?")
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretMissing(f"{what} is not text") from None
    if not text:
        raise SecretMissing(f"{what} is empty")
    return text
