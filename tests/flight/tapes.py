"""A bench whose every report is recorded as the engine records it, in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hw_sim.replay.flight import Player, Tally
from hw_sim.replay.flight_file import read
from tests.sale.bench import Bench
from tests.sale.worlds import moment
from vendd.core.operator.kept import Kept
from vendd.core.sale.reports import Report
from vendd.services.deciding import decide
from vendd.services.flight import Flight, Life
from vendd.services.inbox import Received
from vendd.services.memory import Memory


@dataclass
class Tape:
    """A journal in memory; a segment begins with every life, and every `size` lines."""

    size: int = 7
    lines: list[bytes] = field(default_factory=list)
    left: int = 0

    def put(self, line: Callable[[], bytes], opening: Callable[[], bytes]) -> None:
        if not self.left:
            self.lines.append(opening())
            self.left = self.size
        self.lines.append(line())
        self.left -= 1

    async def close(self) -> None:
        return


def life(boot: int) -> Life:
    return Life("m1", boot, f"boot-{boot}", "0", "c", 1, 1)


@dataclass
class RecordedBench(Bench):
    """What a test changes by hand begins a new life: no report told of it."""

    tape: Tape = field(default_factory=Tape)
    boot: int = 1
    fresh: bool = True
    kept: Kept = field(default_factory=Kept)

    def _one(self, report: Report) -> None:
        if self.fresh:
            self.fresh, self.tape.left = False, 0
            self.flight = Flight(self.tape, life(self.boot))
        before, world = Memory(self.state, self.service, self.kept), self.world
        it = decide(before, world, report, moment(self.now_ms, self.wall_ms))
        self.flight.decided(Received(report, self.now_ms / 1000), it, before, world)
        super()._one(report)
        assert (it.memory.sale, it.memory.service) == (self.state, self.service)
        assert it.acts == self.acts
        assert it.records[: len(self.records)] == self.records
        assert it.after == self.world.after(it.records[len(self.records) :])
        self.kept, self.world = it.memory.kept, it.after  # the engine's part of it, too

    def change(self, **changes: Any) -> "Bench":
        self._again()
        return super().change(**changes)

    def power_cut(
        self, off_ms: int = 60_000, homes: Mapping[str, bool | None] | None = None
    ) -> "Bench":
        self._again()
        return super().power_cut(off_ms, homes)

    def _again(self) -> None:
        self.fresh, self.boot = True, self.boot + 1


def replayed(lines: list[bytes]) -> tuple[Tally, str]:
    told: list[str] = []
    return Player(told.append).play(read(lines)), "\n".join(told)
