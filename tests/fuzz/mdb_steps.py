"""What may happen between a master's machine and the bus, and the machine that it happens to.

A step is an answer (`Reply`, or `Sane`: what a good device would say, edited), a pause, or the
name of an order. `Talk` drives one machine with them and holds it to what must always be true.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import EDITS, Edits, edited
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

MAX_DATA = 35
SLEEPS_S = 11.0  # the longest a machine may say nothing: RESET comes every ten seconds


@dataclass(frozen=True, slots=True)
class Sane:
    """The answer of a good device, edited; an answer without any byte left is an ACK."""

    edits: Edits = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody asks the machine for so long; `answer`: its answer takes that long."""

    ms: int
    answer: bool = False


Step = Reply | Sane | Wait | str

WORDS = st.sampled_from([ACKED, NAKED, SILENT, GARBLED, LOST])
DATA = st.binary(min_size=1, max_size=MAX_DATA).map(lambda raw: Reply(Answer.DATA, raw))
SANE = st.builds(Sane, EDITS)
WAITS = st.builds(Wait, st.sampled_from([1, 20, 120, 600, 2_100, 5_200, 31_000]), st.booleans())


def likely(meaning: Iterable[bytes], most: int) -> st.SearchStrategy[Reply]:
    """Up to `most` pieces that mean something to this kind of device, one behind the other."""
    pieces = st.lists(st.sampled_from(list(meaning)), min_size=1, max_size=most)
    return pieces.map(lambda parts: Reply(Answer.DATA, b"".join(parts)[:MAX_DATA]))


def steps(
    replies: st.SearchStrategy[Reply], orders: Iterable[str] = (), most: int = 80
) -> st.SearchStrategy[list[Step]]:
    """Answers mostly, then good ones with edits, a pause now and then, and orders."""
    orders = list(orders)
    ways: list[st.SearchStrategy[Any]] = [replies, replies, SANE, WAITS]
    return st.lists(st.one_of(*ways, *([st.sampled_from(orders)] if orders else [])), max_size=most)


class SaneDevice:
    """Answers every command as a good device would: by the longest beginning in `table`."""

    def __init__(self, table: Mapping[str, str], reset: str, poll: str, just_reset: str) -> None:
        self._table = {bytes.fromhex(command): text for command, text in table.items()}
        self._reset, self._poll = bytes.fromhex(reset), bytes.fromhex(poll)
        self._just_reset = bytes.fromhex(just_reset)
        self._fresh = True

    def answer(self, command: bytes) -> bytes:
        """Data, or nothing for an ACK."""
        if command == self._reset:
            self._fresh = True
        elif command == self._poll and self._fresh:
            self._fresh = False
            return self._just_reset
        for length in range(len(command), 0, -1):
            if command[:length] in self._table:
                return bytes.fromhex(self._table[command[:length]])
        return b""


class Talk:
    """One machine and its clock. Subclasses say what its news must not say."""

    address = 0x08
    operating: tuple[str, ...] = ("polling",)

    def __init__(self, machine: Any, device: SaneDevice, now: float = 100.0) -> None:
        self.machine = machine
        self.device = device
        self.now = now
        self.counts = Counts()
        self._late_s = 0.0

    # --- what subclasses add -----------------------------------------------------------

    def heard(self, command: bytes, reply: Reply) -> None:
        """An answer on its way to the machine."""

    def check(self, news: Any) -> None:
        """One piece of news."""

    def order(self, name: str) -> None:
        """Want something of the machine."""

    # --- steps ---------------------------------------------------------------------------

    def step(self, step: Step) -> None:
        match step:
            case Reply():
                self.exchange(step)
            case Sane(edits):
                self.exchange(edits)
            case Wait(ms, answer):
                self._late_s += ms / 1000 if answer else 0.0
                self.now += 0.0 if answer else ms / 1000
            case str():
                self.order(step)

    def exchange(self, answer: Reply | Edits = ()) -> bytes:
        """The next command, and this answer to it."""
        machine = self.machine
        assert machine.wake_at != inf, "it waits for an answer that it has"
        assert machine.wake_at <= self.now + SLEEPS_S, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        command: bytes | None = machine.next(self.now)
        assert command is not None, "it is awake and says nothing"
        assert 1 <= len(command) <= MAX_DATA
        assert command[0] & 0xF8 == self.address
        assert machine.wake_at == inf, "it does not wait for its answer"
        reply = answer if isinstance(answer, Reply) else self._sane(command, answer)
        self.now += 0.01 + self._late_s
        self._late_s = 0.0
        self.heard(command, reply)
        self.counts.bytes += len(reply.data)
        for news in machine.answered(reply, self.now):
            self.counts.reports += 1
            self.check(news)
        return command

    def _sane(self, command: bytes, edits: Edits) -> Reply:
        data = edited(self.device.answer(command), edits)[:MAX_DATA]
        return Reply(Answer.DATA, data) if data else ACKED

    def up(self, limit: int = 60) -> None:
        """A good device is found and initialised."""
        for _ in range(limit):
            if self.machine.state.value in self.operating:
                return
            self.exchange()
        raise AssertionError(f"still {self.machine.state} after {limit} good answers")

    def recovers(self, limit: int = 2_000) -> None:
        """Whatever was: a good device is in operation again, bounded."""
        for _ in range(limit):
            self.bring_to_its_end()
            if self.machine.state.value in self.operating and self.settled():
                return
            self.exchange()
        raise AssertionError(f"still {self.machine.state} after {limit} good answers")

    def bring_to_its_end(self) -> None:
        """Say what the machine waits for; asked before every exchange at the end."""

    def settled(self) -> bool:
        """Nothing is under way."""
        return True
