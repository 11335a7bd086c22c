"""The ccTalk machines against arbitrary answers: a coin or bill is credited at most as often as
the reading in hand names it, and a payout's command is never repeated without proof."""

import contextlib
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import EDITS, Edits, edited
from tests.fuzz.mdb_steps import WAITS, Sane, Wait
from vendd.wire.cctalk.bill_validator import BillRules, BillValidatorMachine
from vendd.wire.cctalk.coin_acceptor import CoinAcceptorMachine, CoinRules
from vendd.wire.cctalk.contact import Declined, Phase
from vendd.wire.cctalk.exchange import (
    ACKED,
    BUSIED,
    GARBLED,
    NAKED,
    NO_ECHO,
    SILENT,
    Answer,
    Reply,
    Request,
)
from vendd.wire.cctalk.hopper import HopperMachine, HopperRules
from vendd.wire.cctalk.news import (
    BillHeld,
    BillStacked,
    CoinIn,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)

WORDS = st.sampled_from([ACKED, NAKED, BUSIED, SILENT, GARBLED, NO_ECHO])
DATA = st.binary(max_size=20).map(lambda raw: Reply(Answer.REPLY, raw))
# Bytes that mean something are more interesting than the rest, and so is saying them twice.
EVENTS = st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 16, 254, 255]), min_size=11, max_size=11)
LIKELY = EVENTS.map(lambda raw: Reply(Answer.REPLY, bytes(raw)))
STATUS = st.lists(st.sampled_from([0, 1, 2, 3, 7, 8, 255]), min_size=1, max_size=4)
SHORT = STATUS.map(lambda raw: Reply(Answer.REPLY, bytes(raw)))
ANSWERS = st.one_of(WORDS, DATA, LIKELY, SHORT)
TWICE = st.tuples(ANSWERS, st.integers(1, 3))
REPLIES = st.lists(TWICE, max_size=60).map(lambda rows: [r for r, n in rows for _ in range(n)])
SANE = st.builds(Sane, EDITS)
ONE = st.one_of(ANSWERS, ANSWERS, SANE, WAITS, st.just("order"))
STEPS = st.lists(st.tuples(ONE, st.integers(1, 3)), max_size=50).map(
    lambda rows: [step for step, n in rows for _ in range(n)]
)

COIN_EVENTS, BILL_EVENTS, DISPENSE, ROUTE = 0xE5, 0x9F, 0xA7, 0x9A
GOOD = {
    COIN_EVENTS: bytes(11),
    BILL_EVENTS: bytes(11),
    0xA6: bytes.fromhex("07000400"),
    0xA8: bytes.fromhex("640000"),
    0xA3: bytes(3),
    0xF2: b"\x67\x12\x00",
    0x9C: b"\x64\x00\x02",
    0xE6: b"\0\0",
    0xE8: b"\0",
    0xB8: b"EU100A",
    0x9D: b"EU0005A",
}
SLEEPS_S = 15.0  # the longest a machine may say nothing
COINS = 3  # of one payout

MACHINES: dict[str, Callable[[], Any]] = {
    "coins": lambda: CoinAcceptorMachine(CoinRules("EU")),
    "bills": lambda: BillValidatorMachine(BillRules("EU")),
    "hopper": lambda: HopperMachine(HopperRules()),
}


class Checked:
    """Drives a machine and checks what must hold after every exchange."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self.now = 50.0
        self.counts = Counts()
        self.possible: Counter[int] = Counter()  # credits that the reading in hand can mean
        self.commands = 0  # to dispense
        self.paying: list[str] = []
        self.open: set[str] = set()
        self.ended: list[str] = []
        self.held = 0
        self._late_s = 0.0

    @property
    def credits(self) -> int:
        return self.counts.credits

    def exchange(self, answer: Reply | Edits | None = None) -> None:
        machine = self.machine
        assert machine.wake_at != inf, "it waits for an answer that it has"
        assert machine.wake_at <= self.now + SLEEPS_S, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        request = machine.next(self.now)
        assert request is not None
        assert 0 <= request.header <= 255
        assert len(request.data) <= 255
        self.commands += request.header == DISPENSE
        assert not (request.repeat and request.header in (DISPENSE, ROUTE))
        reply = answer if isinstance(answer, Reply) else _good(request, answer or ())
        self.now += 0.02 + self._late_s
        self._late_s = 0.0
        self.possible = _credits(request, reply)
        self.counts.bytes += len(reply.data)
        for news in machine.answered(reply, self.now):
            self.counts.reports += 1
            self.check(news)

    def check(self, news: Any) -> None:
        match news:
            case CoinIn(position, value, _) | BillStacked(_, position, value):
                self.counts.credits += 1
                assert value > 0
                assert self.possible[position] > 0, "credit out of nothing"
                self.possible[position] -= 1
            case BillHeld(bill, _, value):
                assert value > 0
                assert bill >= self.held
                self.held = bill
            case PayoutTaken(id_):
                assert id_ not in self.open
                self.open.add(id_)
            case PayoutRefused(id_, _):
                assert id_ not in self.open
                self.ended.append(id_)
            case PayoutDone(id_, paid, _, _):
                assert id_ in self.open
                assert id_ not in self.ended, "ended twice"
                assert 0 <= paid <= COINS
                self.ended.append(id_)
            case _:
                pass

    def up(self) -> None:
        for _ in range(100):
            self.exchange()
        assert self.machine.phase is Phase.RUNNING

    def order(self) -> None:
        """Whatever can be wanted of this machine now."""
        machine = self.machine
        with contextlib.suppress(Declined):
            if isinstance(machine, HopperMachine):
                machine.pay_out(f"p{len(self.paying)}", COINS)
                self.paying.append(f"p{len(self.paying)}")
            elif isinstance(machine, BillValidatorMachine):
                decide_somehow(machine)
            else:
                machine.accept(frozenset(range(1, 17)))

    def step(self, step: Reply | Sane | Wait | str) -> None:
        match step:
            case Reply():
                self.exchange(step)
            case Sane(edits):
                self.exchange(edits)
            case Wait(ms, answer):
                self._late_s += ms / 1000 if answer else 0.0
                self.now += 0.0 if answer else ms / 1000
            case _:
                self.order()

    def recovers(self, limit: int = 400) -> None:
        """A good device is found again after anything, and payouts have come to their end."""
        for _ in range(limit):
            self.exchange()
        assert self.machine.phase is Phase.RUNNING
        assert self.ended == self.paying
        assert self.commands <= 3 * len(self.paying), "a dispense was sent again and again"


def _good(request: Request, edits: Edits) -> Reply:
    data = edited(GOOD.get(request.header, b""), edits)
    return Reply(Answer.REPLY, data[:255])


def _credits(request: Request, reply: Reply) -> Counter[int]:
    """Positions that a reading of events names as credited: coins (n, path), bills (n, 0)."""
    if request.header not in (COIN_EVENTS, BILL_EVENTS) or len(reply.data) != 11:
        return Counter()
    pairs = [(reply.data[at], reply.data[at + 1]) for at in range(1, 11, 2)]
    return Counter(n for n, what in pairs if request.header == COIN_EVENTS or what == 0)


def decide_somehow(machine: BillValidatorMachine) -> None:
    bill = machine.escrow.bill
    if bill is not None:
        with contextlib.suppress(Declined):
            (machine.stack if bill.number % 2 else machine.give_back)(bill.number)


Case = tuple[str, bool, list[Any]]


def cases(kind: str) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(kind), st.booleans(), STEPS)


def run(case: Case, counts: Counts) -> None:
    kind, running, script = case
    checked = Checked(MACHINES[kind]())
    if running:
        checked.up()
    for step in script:
        checked.step(step)
    checked.recovers()
    counts.add(checked.counts)
