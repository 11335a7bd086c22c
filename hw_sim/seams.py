"""``vendd`` as a child that can kill itself at a seam, its Edge wrapped and nothing else changed.

``python -m hw_sim.seams BOARD [--act-first] --config FILE``. With ``--act-first`` it is a
broken daemon: its engine acts before it commits. The chaos campaign must notice that.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, cast

from hw_sim.daemon_process import die_with_parent
from hw_sim.seam_board import Kind, SeamBoard
from vendd.config import load
from vendd.core.sale.acts import Act
from vendd.daemon import Edge, life, main, production
from vendd.drivers.pins import PinFactory
from vendd.ports import Wire
from vendd.services.deciding import decide
from vendd.services.inbox import Received
from vendd.services.transaction import Engine
from vendd.store import Database, ThreadWriter

ACT_FIRST = "--act-first"


class _Seam:
    """One kind of seam: wraps what is done there."""

    def __init__(self, board: SeamBoard, kind: Kind) -> None:
        self._board, self._kind = board, kind

    def __call__(self, action: Callable[..., Any], *arguments: Any) -> Any:
        self._die(self._board.begins(self._kind))
        result = action(*arguments)
        self._die(self._board.done(self._kind))
        return result

    @staticmethod
    def _die(stall_ms: int | None) -> None:
        if stall_ms is not None:
            time.sleep(stall_ms / 1000)  # as a card that hangs in an fsync
            os.kill(os.getpid(), signal.SIGKILL)


class _Commits:
    """A connection whose COMMITs that change something are seams."""

    def __init__(self, connection: Connection, seam: _Seam) -> None:
        self._connection, self._seam = connection, seam
        self._changes = connection.total_changes

    def execute(self, statement: str, *parameters: Any) -> Any:
        if statement == "COMMIT" and self._connection.total_changes != self._changes:
            self._changes = self._connection.total_changes
            return self._seam(self._connection.execute, statement)
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Writes:
    """A wire whose writes are seams."""

    def __init__(self, wire: Wire, seam: _Seam) -> None:
        self._wire, self._seam = wire, seam

    def write(self, data: bytes) -> None:
        self._seam(self._wire.write, data)

    def close(self) -> None:
        self._wire.close()


def wrapped(edge: Edge, board: SeamBoard) -> Edge:
    """The same edge; commits, serial writes and GPIO writes are counted and may be the last."""

    def writer(loop: Any, database: Database) -> ThreadWriter:
        commits = _Commits(database.connection, _Seam(board, Kind.COMMIT))
        return ThreadWriter(loop, Database(cast(Connection, commits), database.directory))

    def pin_factory() -> PinFactory:
        factory: Any = edge.pin_factory()
        connection, seam = factory.connection, _Seam(board, Kind.GPIO)
        write = connection.write
        connection.write = lambda gpio, level: seam(write, gpio, level)
        return cast(PinFactory, factory)

    def open_wire(port: str, baud: int, received: Any, lost: Any) -> Wire:
        wire = edge.open_wire(port, baud, received, lost)
        return _Writes(wire, _Seam(board, Kind.PTY))

    return replace(edge, writer=writer, pin_factory=pin_factory, open_wire=open_wire)


class ActsFirst(Engine):
    """The planted fault: what was decided is done first and committed afterwards."""

    async def _decide_and_commit(self, received: Received) -> tuple[Act, ...]:
        moment = self._moment(received.at)
        for act in decide(self.memory, self.snapshot, received.report, moment).acts:
            self._perform(act)
        await super()._decide_and_commit(received)
        return ()


def run(arguments: list[str]) -> int:
    board, *rest = arguments
    if ACT_FIRST in rest:
        rest.remove(ACT_FIRST)
        vars(life)["Engine"] = ActsFirst
    option, file = rest
    assert option == "--config"
    config = load(Path(file))
    return main(config, wrapped(production(config), SeamBoard(Path(board))))


if __name__ == "__main__":
    die_with_parent()
    sys.exit(run(sys.argv[1:]))
