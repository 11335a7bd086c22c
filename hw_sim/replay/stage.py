"""``python -m hw_sim replay FILE``: a recorded bus played against the drivers of this software.

Prints what the drivers report, and the first point where what they send differs from what was
recorded (`hw_sim.replay.script` has the rule). Virtual time, so hours take seconds.

Is NOT responsible for what a sale would have decided: orders are read off the recording
(`hw_sim.replay.actors`). Recordings behind a Qibixx adapter are played, others only shown.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hw_sim.loop import run_virtual
from hw_sim.recorded_bus import UNREADABLE, read_file
from hw_sim.replay.actors import Actor, Prompter
from hw_sim.replay.cast import DEVICES, cast
from hw_sim.replay.exchanges import Exchange, Recording, recording_of
from hw_sim.replay.line import ReplayedLine, by_device
from hw_sim.replay.script import LATE_S, Divergence
from vendd.core.sale.reports import Report
from vendd.drivers.mdb_bus import MdbBus
from vendd.wire.mdb.words import ADDRESS, BusWords, device_name
from vendd.wire.trace import BadTrace, Trace, Way
from vendd.wire.words import adapter_of

DIVERGED: Final = 5
_AFTER_S: Final = LATE_S + 0.5  # beyond the recording's end, for what comes late
_LEAD: Final = 3  # exchanges that are shown before a divergence

# commands of which orders are read off -> their shortest length
_FIRST_POLLS: Final = {b"\x0b": b"\x0b", b"\x33": b"\x06", b"\x12": b"\x00", b"\x62": b"\x00"}
"""Before the first RESET a driver polls once; what JUST RESET looks like in the answer."""
_SETUPS: Final = (b"\x09", b"\x31")
_READERS: Final = frozenset((0x10, 0x60))
_SHORTEST: Final = {
    b"\x0c": 5,
    b"\x0d": 2,
    b"\x0f\x02": 3,
    b"\x34": 5,
    b"\x35": 2,
    b"\x37\x06": 5,
    b"\x37\x07": 4,
    **{bytes((address | command,)): 2 for address in (0x10, 0x60) for command in (3, 4, 5)},
}

Say = Callable[[str], None]


class Audience:
    """A `ports.Sink` that tells."""

    def __init__(self, tell: Callable[[Report], None]) -> None:
        self._tell = tell
        self.reports = 0

    def put(self, report: Report) -> None:
        self.reports += 1
        self._tell(report)

    def crowded(self) -> bool:
        return False


class Stage:
    """One replay, inside a running `VirtualLoop` whose time is that of the recording."""

    def __init__(self, trace: Trace, line: int, recording: Recording, say: Say) -> None:
        self._loop = asyncio.get_running_loop()
        self._header = trace.header
        self._recording = recording
        self._say = say
        self._over = asyncio.Event()
        self._prompters: list[Prompter] = []
        self._actors: list[Actor] = []
        self.scripts = by_device(recording.exchanges)
        self.divergence: Divergence | None = None
        self.audience = Audience(self._heard)
        self._line = ReplayedLine(recording, self.scripts, self._prompt_soon, self._diverged)
        played = trace.header.lines[line]
        self._bus = MdbBus(self._line.open, played.port, played.baud, self.audience)

    async def play(self) -> Divergence | None:
        """The first divergence, if there is one. Raises `BadTrace`."""
        theirs = {address: script.exchanges for address, script in self.scripts.items()}
        self._actors = cast(self._header, theirs, self._bus, self.audience)
        self._prompters = [Prompter(actor) for actor in self._actors]
        for prompter in self._prompters:
            for at in prompter.times:
                self._loop.call_at(at, self._prompt)
        self._prompt()
        openings = self._recording.openings
        self._loop.call_at(openings[0].at if openings else self._loop.time(), self._bus.start)
        self._loop.call_at(self._recording.end + _AFTER_S, self._over.set)
        await self._over.wait()
        self._bus.close()
        if self.divergence is None:
            self.divergence = self._missing()
        return self.divergence

    def _missing(self) -> Divergence | None:
        """A command that was recorded well before the end, and never sent."""
        waiting = (script.due for script in self.scripts.values())
        late = [it for it in waiting if it is not None and it.at < self._recording.end - LATE_S]
        first = min(late, key=lambda it: it.at, default=None)
        return None if first is None else Divergence(self._loop.time(), None, first)

    def _prompt_soon(self) -> None:
        self._loop.call_soon(self._prompt)

    def _prompt(self) -> None:
        if self._over.is_set():
            return
        for prompter in self._prompters:
            prompter.prompt(self._loop.time())

    def _diverged(self, found: Divergence) -> None:
        self.divergence = found
        self._over.set()

    def _heard(self, report: Report) -> None:
        for actor in self._actors:
            actor.heard(report)
        self._say(f"{self.time(self._loop.time())}  {report}")

    def time(self, at: float) -> str:
        """An instant of the replay, counted as `bus --trace` does."""
        return f"{self._recording.recorded_time(at) - self._header.start:12.3f}"


def replay_file(path: Path) -> int:
    """The exit code: 0 no divergence, 5 a divergence, 2 a file that can't be played."""
    try:
        trace = read_file(path)
        line = mdb_line(trace)
        recording = recording_of(trace, line)
        _playable(recording)
        return run_virtual(_replayed(trace, line, recording), start=recording.start)
    except BadTrace as error:
        told = str(error)
        print(f"hw_sim: {told if told.startswith(str(path)) else f'{path}: {told}'}",
              file=sys.stderr)  # fmt: skip
        return UNREADABLE


async def _replayed(trace: Trace, line: int, recording: Recording) -> int:
    stage = Stage(trace, line, recording, print)
    found = await stage.play()
    if found is not None:
        print("\n".join(explained(stage, found, recording)))
        return DIVERGED
    scripts = stage.scripts.values()
    exchanges, more, fewer = (
        sum(len(s.exchanges) for s in scripts),
        sum(s.more for s in scripts),
        sum(s.fewer for s in scripts),
    )
    print(
        f"no divergence: {exchanges} recorded exchanges, {stage.audience.reports} reports,"
        f" {more} polls more and {fewer} fewer than recorded"
    )
    return 0


def mdb_line(trace: Trace) -> int:
    """The serial line that can be played. Raises `BadTrace`."""
    seen = []
    for number, line in enumerate(trace.header.lines):
        sent = [p.data for p in trace.pieces if p.line == number and p.way is Way.SENT]
        adapter = adapter_of(line, sent)
        if adapter == "qibixx" and any(b"R," in data for data in sent):
            return number
        seen.append(f"{line.port} ({adapter if sent else 'nothing was sent'})")
    raise BadTrace(
        f"no MDB bus behind a Qibixx adapter, which is what can be replayed: {', '.join(seen)}"
    )


def _playable(recording: Recording) -> None:
    """Raises `BadTrace` where the beginning is missing, or for what no driver of ours sends."""
    begun: set[int] = set()
    fresh: set[int] = set()  # said JUST RESET before anything was asked of them
    for it in recording.exchanges:
        name = device_name(it.address)
        if it.address not in DEVICES:
            raise BadTrace(f"{name} was spoken to, and there is no driver for it")
        shortest = max(_SHORTEST.get(it.command[:size], 1) for size in (1, 2))
        if len(it.command) < shortest:
            raise BadTrace(f"{name} was sent {it.command.hex()}, which is too short")
        if it.address in begun:
            continue
        just_reset = _FIRST_POLLS.get(it.command)
        if just_reset is None:
            again = it.command in _SETUPS and it.address in fresh
            if it.command[0] & ~ADDRESS and not again:
                raise _in_the_middle(name)
            begun.add(it.address)
        elif just_reset in it.reply.data:
            fresh.add(it.address)
    # A card reader may be polled only, while a vend of an earlier life is settled.
    for it in recording.exchanges:
        if it.address not in begun | fresh | _READERS:
            raise _in_the_middle(device_name(it.address))


def _in_the_middle(name: str) -> BadTrace:
    return BadTrace(
        f"the recording begins in the middle: no RESET of {name} comes first,"
        " so its driver can't be brought to where it was"
    )


def explained(stage: Stage, found: Divergence, recording: Recording) -> list[str]:
    """The divergence in words, after what went before."""
    words = BusWords()
    address = _address(found)
    before: list[str] = []
    for it in stage.scripts[address].exchanges:
        if it is found.recorded or it.at > found.at:
            break
        words.learn(it.command, it.reply)
        if it.taken is not None and not (len(it.command) == 1 and not it.reply.data):
            before.append(f"{stage.time(it.at)}  {words.sentence(it.command, it.reply)}")
    lines = ["", *before[-_LEAD:], "DIVERGENCE"]
    sent = "nothing of the kind" if found.sent is None else words.command(found.sent)
    lines.append(f"{stage.time(found.at)}  the driver sent: {sent}")
    lines.append(_recorded(stage, found.recorded, words))
    if found.recorded is not None and found.recorded.after_gap:
        lines.append("(a part of the recording before was overwritten; this may come from there)")
    return lines


def _recorded(stage: Stage, it: Exchange | None, words: BusWords) -> str:
    if it is None:
        return f"{'':12}  recorded was: nothing more to this device"
    return f"{stage.time(it.at)}  recorded was:    {words.sentence(it.command, it.reply)}"


def _address(found: Divergence) -> int:
    command = found.sent if found.recorded is None else found.recorded.command
    assert command is not None
    return command[0] & ADDRESS
