"""How the client proves who it is and knows whom it talks to, as librdkafka's options."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vendd.links.secrets import SecretMissing, read_secret
from vendd.ports import DeliveryFailed, Trouble


@dataclass(frozen=True, slots=True)
class Security:
    """References to secrets are those of `links.secrets`; `ca` and `certificate` are files.

    `ca` None: what the system trusts. `certificate` and `key` belong together, as `mechanism`,
    `username` and `password` do.
    """

    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    mechanism: str | None = None
    username: str = ""
    password: str = ""

    def options(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """With the secrets as they are now: asked anew for each connection, so that what was
        put right is used. Raises `DeliveryFailed`."""
        try:
            return {**self._protocol(), **self._tls(environ), **self._sasl(environ)}
        except SecretMissing as missing:
            raise DeliveryFailed(str(missing), trouble=Trouble.SECRET_MISSING) from None

    def _protocol(self) -> dict[str, str]:
        kinds = {
            (False, False): "PLAINTEXT",
            (True, False): "SSL",
            (False, True): "SASL_PLAINTEXT",
            (True, True): "SASL_SSL",
        }
        return {"security.protocol": kinds[self.tls, self.mechanism is not None]}

    def _tls(self, environ: Mapping[str, str]) -> dict[str, str]:
        if not self.tls:
            return {}
        options = {"ssl.ca.location": "probe"}
        if self.ca is not None:
            options = {"ssl.ca.pem": _public(self.ca)}
        if self.certificate is not None and self.key is not None:
            options["ssl.certificate.pem"] = _public(self.certificate)
            options["ssl.key.pem"] = read_secret(self.key, environ)
        return options

    def _sasl(self, environ: Mapping[str, str]) -> dict[str, str]:
        if self.mechanism is None:
            return {}
        return {
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": read_secret(self.password, environ),
        }


def _public(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError as error:
        raise SecretMissing(f"{path} can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SecretMissing(f"{path} is not a PEM file") from None
