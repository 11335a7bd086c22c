"""Keys and certificates of one test run, made by openssl: nothing secret, nothing that lasts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import need

HOST = "127.0.0.1"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Signed:
    """A certificate with its key, in PEM files."""

    certificate: Path
    key: Path

    def both(self) -> Path:
        """One file with key and certificate, as a Java key store of type PEM."""
        path = self.certificate.with_suffix(".both.pem")
        path.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return path


class Authority:
    """A certificate authority in `folder`; `ca` is what clients and servers trust."""

    def __init__(self, folder: Path, name: str = "test") -> None:
        need("openssl")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.ca = folder / f"{name}-ca.pem"
        self._key = folder / f"{name}-ca.key"
        subject = ("-subj", f"/CN={name}-authority")
        self._openssl("req", "-x509", *_KEY, "-keyout", self._key, "-out", self.ca, *subject)

    def sign(self, name: str, *, days: int = 30) -> Signed:
        """A certificate for `name` at `HOST`; with negative `days` it is over already."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        request, names = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        names.write_text(f"subjectAltName=IP:{HOST}\n", encoding="ascii")
        self._openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-extfile", names)
        lasting = ("-days", str(days))
        self._openssl("x509", "-req", "-in", request, "-out", certificate, *signer, *lasting)
        key.chmod(0o600)
        return Signed(certificate, key)

    def _openssl(self, *arguments: str | Path) -> None:
        command = ["openssl", *(str(argument) for argument in arguments)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
