"""A reader behind an adapter that is its master itself, told anything: every request has one
answer, only what was asked is approved, and the line is not flooded."""

import contextlib
import re
from math import inf
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import mutated
from vendd.wire import qibixx_native as native
from vendd.wire.mdb.cashless_news import (
    FailureSettled,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)
from vendd.wire.qibixx_cashless import Declined, NativeReader, State
from vendd.wire.qibixx_native import Approved, Card, Word

LINES = (
    b"v,4.0.2.0\n", b"d,STATUS,RESET\n", b"d,STATUS,INIT,1\n", b"d,STATUS,IDLE\n",
    b"d,STATUS,CREDIT,10.00\n", b"d,STATUS,CREDIT\n", b"d,STATUS,VEND\n",
    b"d,STATUS,RESULT,1,1.50\n", b"d,STATUS,RESULT,1,0.005\n", b"d,STATUS,RESULT,-1\n",
    b"d,ERR,-1\n", b'd,ERR,"cashless master is off"\n', b"d,STATUS,RESULT,1,99999999999\n", b"\n",
)  # fmt: skip
ANY_LINE = st.one_of(st.sampled_from(LINES), mutated(*LINES), st.binary(max_size=200))
EXPONENTS = st.sampled_from([0, 2, 3])
DECODED = st.tuples(EXPONENTS, ANY_LINE, st.integers(0, 10**9))
ORDERS = st.sampled_from(
    ["request", "request", "cancel", "succeeded", "failed", "end_session", "on", "off", "lost"]
)
STEP = st.one_of(
    ANY_LINE, ANY_LINE, ORDERS, st.sampled_from([10, 300, 4_000, 11_000, 31_000])
)  # bytes, an order, or milliseconds that pass
READY = ("on", b"d,STATUS,RESET\n", b"d,STATUS,INIT,1\n", b"d,STATUS,IDLE\n")
CARD = b"d,STATUS,CREDIT,10.00\n"
WHERE: dict[str, tuple[Any, ...]] = {
    "power on": (),
    "ready": READY,
    "session": (*READY, CARD),
    "asked": (*READY, CARD, "request"),
    "approved": (*READY, CARD, "request", b"d,STATUS,RESULT,1,1.50\n"),
}
CASES = st.tuples(
    st.booleans(), st.booleans(), st.sampled_from(list(WHERE)), st.lists(STEP, max_size=80)
)
APPROVED = re.compile(rb"d,STATUS,RESULT,1,\d{1,9}(\.\d{1,4})?")
MAX_DUE = 2_000  # bytes to write at once


def lines(case: tuple[int, bytes, int], counts: Counts) -> None:
    """One line: something or nothing, and amounts as they are written."""
    exponent, raw, price = case
    counts.bytes += len(raw)
    heard = native.read(raw.strip().decode("ascii", "replace"), exponent)
    counts.reports += heard is not None
    match heard:
        case Approved(amount) | Card(amount):
            assert amount is None or amount >= 0
        case _:
            assert heard is None or isinstance(heard, Word)
    asked = native.request(price, 7, exponent)
    assert native.minor(asked.split(",")[2], exponent) in (price, None)
    assert len(asked) < native.MAX_LINE


class NativeTalk:
    """Drives a machine as its driver does, and checks what must hold."""

    def __init__(self, *, always_idle: bool, held: bool) -> None:
        self.machine = NativeReader(2, always_idle=always_idle, held=held)
        self.now = 100.0
        self.counts = Counts()
        self.possible = 0  # approvals that clean lines can have meant
        self.count = 0
        self.asked: set[str] = set()
        self.approved: set[str] = set()
        self.settling: set[str] = set()
        self.cancelled: set[str] = set()
        self.over: set[str] = set()  # refused; an approval that came all the same is given back
        self.open = False
        self._tail = b""
        self.machine.opened(self.now)
        self._turn()

    def step(self, step: bytes | str | int) -> None:
        match step:
            case bytes():
                self._count(step)
                self._hear(self.machine.feed(step))
            case int():
                self._pass(step / 1000)
            case "lost":
                self._hear(self.machine.closed("pulled"))
                assert self.machine.due(self.now) == b""
                self._tail = b""
                self.now += 1.0
                self.machine.opened(self.now)
            case _:
                with contextlib.suppress(Declined):
                    self._order(step)
        self._turn()

    def _count(self, data: bytes) -> None:
        self.counts.bytes += len(data)
        *whole, self._tail = (self._tail + data).split(b"\n")
        self.possible += sum(APPROVED.fullmatch(line.strip()) is not None for line in whole)

    def _pass(self, seconds: float) -> None:
        end = self.now + seconds
        while self.machine.wake_at <= end:
            self.now = max(self.now, self.machine.wake_at)
            self._turn()
        self.now = end

    def _turn(self) -> None:
        self._hear(self.machine.tick(self.now))
        if self.machine.deaf:
            self._hear(self.machine.closed("deaf"))
            self.machine.opened(self.now)
        due = self.machine.due(self.now)
        assert len(due) <= MAX_DUE, "it floods the line"
        assert due.isascii()
        assert self.machine.wake_at > self.now, "it wants to be called for ever"
        assert self.machine.wake_at <= self.now + 130 or self.machine.wake_at == inf

    def _hear(self, told: list[Any]) -> None:
        self.counts.reports += len(told)
        for news in told:
            self._check(news)

    def _check(self, news: Any) -> None:
        match news:
            case VendTaken(id_, amount, _):
                self.counts.credits += 1
                self.possible -= 1
                assert self.possible >= 0, "approved by nothing"
                assert amount >= 0
                assert id_ in self.asked - self.cancelled
                self.asked.remove(id_)
                self.approved.add(id_)
            case VendNot(id_):
                self.asked.remove(id_)
                self.over.add(id_)
            case SuccessTold(id_) | FailureSettled(id_):
                assert id_ in self.settling | self.over
                self.settling.discard(id_)
                self.over.discard(id_)
            case Session():
                assert not self.open, "a session in a session"
                self.open = True
            case SessionOver():
                self.open = False
            case _:
                pass

    def _order(self, name: str) -> None:
        machine = self.machine
        match name:
            case "request":
                machine.request(f"v{self.count}", 150, self.count)
                self.asked.add(f"v{self.count}")
                self.count += 1
            case "cancel":
                for vend in sorted(self.asked):
                    machine.cancel(vend)
                    self.cancelled.add(vend)
            case "succeeded" | "failed":
                for vend in sorted(self.approved):
                    self.settling.add(vend)
                    getattr(machine, name)(vend)
                self.approved.clear()
            case "end_session":
                machine.end_session()
            case _:
                machine.enable(name == "on")

    def ends(self) -> None:
        """Nobody says anything any more: what was asked and approved has its end."""
        for name in ("cancel", "failed"):
            self.step(name)
            for _ in range(60):
                self.step(10_000)
        assert not self.asked, f"without an answer: {self.asked}"
        assert not self.settling, f"not settled: {self.settling}"

    def recovers(self) -> None:
        """A good adapter: ready again."""
        for _ in range(40):
            if self.machine.state in (State.READY, State.SESSION):
                return
            for line in (LINES[0], b"d,STATUS,INIT,1\n", b"d,STATUS,IDLE\n"):
                self.step(line)
            self.step(4_000)
        raise AssertionError(f"still {self.machine.state}")


def run(case: tuple[bool, bool, str, list[Any]], counts: Counts) -> None:
    always_idle, held, where, script = case
    talk = NativeTalk(always_idle=always_idle, held=held and where == "power on")
    for step in (*WHERE[where], *script):
        talk.step(step)
    talk.ends()
    talk.machine.release()
    talk.recovers()
    counts.add(talk.counts)
