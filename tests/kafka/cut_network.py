"""A TCP relay in front of the broker that can go silent in either direction, or hang up.

A cable that is pulled sends no FIN: bytes just stop. That is what `silent` does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Relay:
    """`address` is where clients connect. `to_broker`, `to_client`: whether bytes pass that way."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._to_broker, self._to_client = asyncio.Event(), asyncio.Event()
        self.address = ""
        self.passed = 0
        self.silent()
        self.restore()

    def silent(self, *, to_broker: bool = True, to_client: bool = True) -> None:
        """Nothing passes that way any more; connections stay."""
        if to_broker:
            self._to_broker.clear()
        if to_client:
            self._to_client.clear()

    def restore(self) -> None:
        self._to_broker.set()
        self._to_client.set()

    def hang_up(self) -> None:
        """Every connection is reset."""
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, upstream[1]}
        ways = (
            (reader, upstream[1], self._to_broker),
            (upstream[0], writer, self._to_client),
        )
        for way in ways:
            task = asyncio.create_task(self._pass(*way))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await gate.wait()
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.hang_up()


@asynccontextmanager
async def unnoticed_death(target: str, port: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A relay on 127.0.0.1:`port` whose connections all die when what this gives is called, and
    nobody says so: what a router that forgot them or a new address is like. New ones are fine."""
    made = [Relay(target)]
    servers = [await asyncio.start_server(made[0].serve, "127.0.0.1", port)]

    async def die() -> None:
        made[-1].silent()
        servers[-1].close()  # listens no more; its connections stay
        made.append(Relay(target))
        servers.append(await asyncio.start_server(made[-1].serve, "127.0.0.1", port))

    try:
        yield die
    finally:
        for server, each in zip(servers, made, strict=True):
            server.close()
            await each.stop()


@asynccontextmanager
async def relay(target: str, port: int) -> AsyncIterator[Relay]:
    """A relay on 127.0.0.1:`port` to `target`."""
    made = Relay(target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", port)
    made.address = f"127.0.0.1:{port}"
    try:
        yield made
    finally:
        server.close()
        await made.stop()
