"""The unix socket: one request per connection, parsed by h11, bounded in every direction (L2, L4).

Not uvicorn: it hides the peer, opens its socket for everybody and takes over the signals; and it
costs 6.8 MiB of memory and 60 ms where h11 costs 0.3 MiB and 8 ms.
"""

import asyncio
import contextlib
import importlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h11
import structlog

from vendd.links.local.peers import Groups, person_at
from vendd.ports.desk import Desk, Records

if TYPE_CHECKING:
    from vendd.links.local.answering import Reply

CONNECTIONS: Final = 16
HEAD: Final = 16 << 10
BODY: Final = 256 << 10
ARRIVES_S: Final = 5.0
"""A request has to be here by then: who connects and says nothing holds nobody up."""
ANSWERED_S: Final = 60.0
_log = structlog.get_logger()


class SocketFailed(OSError):
    """The socket could not be made: nobody can work at the machine, but it sells."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the socket is, its mode, and who may use it."""

    path: Path
    mode: int
    groups: Groups


def open_socket(place: Place) -> socket.socket:
    """Bound and listening, with its mode from the first moment on. Raises `SocketFailed`.

    What stands there is of an earlier life: the books' lock lets only one daemon live.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    fresh = place.path.with_name(f".{place.path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        listener.bind(str(fresh))
        fresh.chmod(place.mode)
        listener.listen(CONNECTIONS)
        fresh.rename(place.path)
    except OSError as error:
        listener.close()
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise SocketFailed(f"{place.path}: {error.strerror or error}") from error
    return listener


class LocalServer:
    """Serves until cancelled. Requests run one beside the other; orders queue at the engine."""

    def __init__(self, place: Place, desk: Desk, records: Records) -> None:
        self._place = place
        self._desk = desk
        self._records = records
        self._serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Raises `SocketFailed` at once, or serves for ever."""
        listener = open_socket(self._place)
        server = await asyncio.start_unix_server(self._serve, sock=listener, limit=HEAD)
        _log.info("local_socket_open", path=str(self._place.path))
        try:
            async with server:
                await server.serve_forever()
        finally:
            self._place.path.unlink(missing_ok=True)
            for task in self._serving:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            if len(self._serving) <= CONNECTIONS:
                await self._one(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # gone, or never said what it wanted, or we are at our end
        finally:
            self._serving.discard(task)
            with contextlib.suppress(OSError):
                writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        person = person_at(writer.get_extra_info("socket"), self._place.groups)
        try:
            async with asyncio.timeout(ARRIVES_S):
                request, body = await _request(connection, reader)
        except h11.RemoteProtocolError as error:
            _send(connection, writer, error.error_status_hint, "text/plain", b"not understood\n")
            await writer.drain()
            return
        answering = await asyncio.to_thread(_answering)
        services = answering.Services(self._desk, self._records)
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        async with asyncio.timeout(ANSWERED_S):
            reply: Reply = await answering.answer(person, services, method, target, body)
            _send(connection, writer, reply.status, reply.media_type, reply.body)
            await writer.drain()


def _answering() -> Any:
    """Not on the loop: the first import takes longer than a motor's deadline allows."""
    return importlib.import_module("vendd.links.local.answering")


async def _request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request, bytes]:
    """The request, whole. Raises `h11.RemoteProtocolError` for what is none, or is too big."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(HEAD))
            case h11.Request() as request:
                pass
            case h11.Data(data=data):
                body += data
                if len(body) > BODY:
                    raise h11.RemoteProtocolError("too big", error_status_hint=413)
            case h11.EndOfMessage():
                assert request is not None
                return request, bytes(body)
            case _:
                raise ConnectionResetError("closed before it said what it wanted")


def _send(
    connection: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    media_type: str,
    body: bytes,
) -> None:
    headers = [
        ("content-type", media_type),
        ("content-length", str(len(body))),
        ("connection", "close"),
    ]
    for event in (
        h11.Response(status_code=status, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ):
        writer.write(connection.send(event) or b"")
