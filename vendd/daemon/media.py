"""Cards leave the machine's payment side only as a keyed hash: nobody can tell whose they are.

The key is random, of this machine alone, and stands beside the books, not in them: whoever gets
the books or the events can't try card numbers against it.
"""

import hmac
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from vendd.core.sale.card_reports import SessionBegun
from vendd.core.sale.reports import Report
from vendd.ports import Sink

FILE: Final = "media.key"
KEY_BYTES: Final = 32
DIGITS: Final = 16
_log = structlog.get_logger()


class MediaSink:
    """A `ports.Sink` in front of another: media ids become their hash, all else passes."""

    def __init__(self, sink: Sink, key: bytes) -> None:
        self._sink = sink
        self._key = key

    def put(self, report: Report) -> None:
        """See `ports.Sink`."""
        if isinstance(report, SessionBegun) and report.media_id:
            report = replace(report, media_id=hashed(report.media_id, self._key))
        self._sink.put(report)

    def crowded(self) -> bool:
        """See `ports.Sink`."""
        return self._sink.crowded()


def hashed(media_id: str, key: bytes) -> str:
    """HMAC-SHA256 of the id's text, 16 hexadecimal digits."""
    return hmac.new(key, media_id.encode(), "sha256").hexdigest()[:DIGITS]


def media_key(folder: Path, chance: random.Random) -> bytes:
    """This machine's key; made at the first start. When it can't be read or kept it is one for
    this life only: the machine sells on, and a card is another one tomorrow."""
    path = folder / FILE
    try:
        key = path.read_bytes()
        if len(key) == KEY_BYTES:
            return key
        _log.error("media_key_damaged", path=str(path), bytes=len(key))
    except FileNotFoundError:
        pass
    except OSError as error:
        _log.error("media_key_not_read", why=str(error))
        return chance.randbytes(KEY_BYTES)
    key = chance.randbytes(KEY_BYTES)
    try:
        _keep(path, key)
    except OSError as error:
        _log.error("media_key_not_kept", why=str(error))
    return key


def _keep(path: Path, key: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a power cut takes the name back, after events have gone out
    finally:
        os.close(folder)
