"""The daemon as a command sees it: one request, one answer, and what else may come of it."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from vendd.cli.exits import Exit, Failure

LONGEST: Final = 4 << 20
"""Bytes of an answer."""
_EXITS: Final = {
    "state": Exit.REFUSED,
    "invalid": Exit.USAGE,
    "not_found": Exit.NOT_FOUND,
    "not_allowed": Exit.NOT_AUTHORISED,
    "fault": Exit.FAULT,
    "timeout": Exit.TIMEOUT,
}


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Local:
    """The daemon behind its socket."""

    path: str
    timeout_s: float

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Raises `Failure` with the exit code."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(asked)}" if asked else path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """As `get`."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, target: str, body: bytes | None) -> dict[str, Any]:
        connection = _Connection(self.path, self.timeout_s)
        try:
            connection.request(method, target, body)
            response = connection.getresponse()
            status, text = response.status, response.read(LONGEST)
        except TimeoutError:
            what = f"vendd did not answer within {self.timeout_s:g} s"
            raise Failure(Exit.TIMEOUT, what, "journalctl -u vendd says what holds it up") from None
        except PermissionError:
            what = f"{self.path}: this user may not connect"
            raise Failure(Exit.NOT_AUTHORISED, what, "an owner adds people to its group") from None
        except (ConnectionRefusedError, FileNotFoundError):
            what = f"no vendd listens on {self.path}"
            raise Failure(Exit.NOT_RUNNING, what, "systemctl status vendd") from None
        except (OSError, http.client.HTTPException) as error:
            what = f"{self.path}: {str(error) or type(error).__name__}"
            raise Failure(Exit.ERROR, what, "journalctl -u vendd") from None
        finally:
            connection.close()
        return _answer(status, text)


def _answer(status: int, text: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        what = f"what listens there is no vendd of this version (HTTP {status})"
        raise Failure(Exit.ERROR, what, "install vendctl and vendd together")
    if status < http.client.BAD_REQUEST:
        return answer
    code = str(answer.get("code", "error"))
    what = str(answer.get("detail") or answer.get("title") or f"HTTP {status}")
    remedy = str(answer.get("remedy", ""))
    raise Failure(_EXITS.get(code, Exit.ERROR), what, remedy, code)
