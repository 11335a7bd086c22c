"""``python -m hw_sim replay FILE``: a flight recording, decided again by this software.

Shows report by report what the machine saw, what it remembered then, what it recorded and did,
and checks each decision against the hash that was recorded with it. Where one differs, this
software decides otherwise than the one that was recorded (or the file was changed); nothing
that follows can be compared until the next segment begins.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hw_sim.replay.flight_file import (
    BadDump,
    Decided,
    Ignored,
    Line,
    Opening,
    Undone,
    Unknown,
    read_file,
)
from hw_sim.replay.flight_words import changes, sentence
from vendd import __version__
from vendd.core.sale import outputs, persist
from vendd.core.snapshot import Moment, Snapshot
from vendd.services.deciding import Decision, decide
from vendd.services.flight import digest
from vendd.services.memory import Memory

DIFFERS: Final = 5
UNREADABLE: Final = 2
_WIDE: Final = " " * 14
Say = Callable[[str], None]


@dataclass(slots=True)
class Tally:
    """What a replay came to. `incomplete`: lives whose end is not on record."""

    lives: int = 0
    decisions: int = 0
    ignored: int = 0
    undone: int = 0
    skipped: int = 0
    uncommitted: int = 0
    incomplete: int = 0
    differences: list[str] | None = None

    def differs(self, what: str) -> None:
        self.differences = [*(self.differences or []), what]


class Player:
    """Decides again, line by line; `say` is told what happens in words."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._opening: Opening | None = None
        self._memory = Memory()
        self._snapshot: Snapshot | None = None
        self._before: tuple[Memory, Snapshot] | None = None
        self._n = 0
        self._lost = False  # nothing can be compared until the next segment
        self.tally = Tally()

    def play(self, lines: Iterable[Line]) -> Tally:
        """All of them. Raises `BadDump` as they do."""
        for line in lines:
            match line:
                case Opening():
                    self._begin(line)
                case Decided():
                    self._decided(line)
                case Ignored():
                    self._ignored(line)
                case Undone():
                    self._undone(line)
                case Unknown():
                    self._differs(line.n, line.at, [f"can't be decided here: {line.why}"])
        return self.tally

    # --- segments -------------------------------------------------------------------------

    def _begin(self, it: Opening) -> None:
        last = self._opening
        if last is None or (last.life.boot, last.life.boot_id) != (it.life.boot, it.life.boot_id):
            self._life(it, last)
        elif it.n != self._n:
            self._say(f"{_WIDE}(reports {self._n + 1} to {it.n} are not on record)")
        elif not self._lost:
            self._same(it)
        self._opening, self._n, self._lost = it, it.n, False
        self._memory, self._snapshot, self._before = it.memory, it.snapshot, None

    def _life(self, it: Opening, last: Opening | None) -> None:
        self.tally.lives += 1
        if last is not None and not self._lost:
            self._between(it)
        life = it.life
        self._say("")
        self._say(
            f"LIFE {life.boot} of {life.machine}: vendd {life.software}, configuration"
            f" {life.config_hash}, planogram {life.planogram}, prices {life.price}"
        )
        if life.software != __version__:
            self._say(f"(this is vendd {__version__})")
        if it.n:
            self._say(f"(begins with its report {it.n + 1}: older ones made room)")
        for change in changes(Memory(), it.memory):
            self._say(f"{_WIDE}{change}")

    def _between(self, it: Opening) -> None:
        """What a life's first segment has to do with the last decision of the one before."""
        now = _durable(it.memory)
        if self._opening is not None and it.life.boot != self._opening.life.boot + 1:
            self._say(f"{_WIDE}(lives in between are not on record)")
        elif now == _durable(self._memory):
            self._say(f"{_WIDE}(the next life found all of this in the books)")
        elif self._before is not None and now == _durable(self._before[0]):
            self.tally.uncommitted += 1
            self._say(f"{_WIDE}(the last decision was not in the books of the next life)")
        else:
            self.tally.incomplete += 1
            self._say(f"{_WIDE}(the end of that life is not on record; the next one found:)")
            for change in changes(self._memory, it.memory):
                self._say(f"{_WIDE}{change}")

    def _same(self, it: Opening) -> None:
        """A segment in the middle of a life begins with what was replayed so far."""
        assert self._snapshot is not None
        found = [
            *changes(self._memory, it.memory),
            *changes(_timeless(self._snapshot), _timeless(it.snapshot)),
        ]
        if found:
            self._differs(it.n, None, ["remembered otherwise:", *found])

    # --- reports ------------------------------------------------------------------------------

    def _decided(self, line: Decided) -> None:
        self._n = line.n
        if self._lost or self._snapshot is None:
            self.tally.skipped += 1
            return
        it = decide(self._memory, self._snapshot, line.report, line.moment)
        self.tally.decisions += 1
        self._tell(line.at, line.moment, it)
        if digest(it) != line.digest:
            self._differs(line.n, line.at, list(_otherwise(line, it)))
            return
        self._before = (self._memory, self._snapshot)
        self._memory, self._snapshot = it.memory, it.after

    def _ignored(self, line: Ignored) -> None:
        self._n = line.n
        self.tally.ignored += 1
        self._say(f"{line.at:12.3f}  saw   {sentence(line.report)} (ignored: {line.why})")

    def _undone(self, line: Undone) -> None:
        self.tally.undone += 1
        self._say(f"{_WIDE}GIVEN UP: {line.why}")
        if self._before is not None:
            (self._memory, self._snapshot), self._before = self._before, None

    def _tell(self, at: float, moment: Moment, it: Decision) -> None:
        self._say(f"{at:12.3f}  saw   {sentence(it.report)}  [{moment.wall}]")
        for change in changes(self._memory, it.memory):
            self._say(f"{_WIDE}now   {change}")
        for record in it.records:
            self._say(f"{_WIDE}books {sentence(record)}")
        for act in it.acts:
            self._say(f"{_WIDE}does  {sentence(act)}")
        assert self._snapshot is not None
        shown = outputs.screen(it.memory.sale, it.after)
        if shown != outputs.screen(self._memory.sale, self._snapshot):
            self._say(f"{_WIDE}shows {' | '.join(line.rstrip() for line in shown)}")

    def _differs(self, n: int, at: float | None, found: list[str]) -> None:
        boot = self._opening.life.boot if self._opening is not None else 0
        where = f"life {boot}, report {n}" + ("" if at is None else f" at {at:.3f} s")
        self.tally.differs(where)
        self._lost = True
        self._say(f"DIFFERS: {where}")
        for one in found:
            self._say(f"{_WIDE}{one}")


def _otherwise(line: Decided, it: Decision) -> Iterator[str]:
    sale = it.memory.sale
    yield f"recorded: {line.phase}, credit {line.credit}, {_list(line.records)}; {_list(line.acts)}"
    records = tuple(type(record).__name__ for record in it.records)
    acts = tuple(type(act).__name__ for act in it.acts)
    now = type(sale.phase).__name__
    yield f"decided:  {now}, credit {sale.credit}, {_list(records)}; {_list(acts)}"
    if (line.phase, line.credit, line.records, line.acts) == (now, sale.credit, records, acts):
        yield "the same kinds: it is some field of them that differs"


def _list(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(names) + "]"


def _durable(memory: Memory) -> tuple[bytes, tuple[str, ...], bool]:
    """What of it the books keep."""
    service = memory.service
    return persist.dump(memory.sale), service.reasons, service.door_open


def _timeless(snapshot: Snapshot) -> Snapshot:
    """A sign of life on which nothing was decided is not on record, but it was a moment."""
    return replace(snapshot, now=Moment())


def replay_file(path: Path, last: int | None = None) -> int:
    """The exit code: 0 decided the same, 5 otherwise, 2 a file that can't be read. `last`: only
    so many lines of what is told are shown."""
    told: deque[str] = deque(maxlen=last)
    say = print if last is None else told.append
    try:
        tally = Player(say).play(read_file(path))
    except BadDump as error:
        print(f"hw_sim: {error}", file=sys.stderr)
        return UNREADABLE
    finally:
        for line in told:
            print(line)
    print("\n" + "\n".join(summary(tally)))
    return DIFFERS if tally.differences else 0


def summary(it: Tally) -> Iterator[str]:
    """What a replay came to, in a few lines."""
    yield (
        f"{it.lives} lives, {it.decisions} decisions replayed, {it.ignored} reports ignored,"
        f" {it.undone} decisions given up, {it.uncommitted} not committed before a life ended,"
        f" {it.incomplete} lives without their end"
    )
    if it.differences:
        yield f"{len(it.differences)} differences, the first: {it.differences[0]}"
        yield f"{it.skipped} reports after a difference were not compared"
    else:
        yield "every decision is the one that was recorded"
