"""Whatever comes back: no crash, no hang, no credit out of nothing, no payout twice."""

import asyncio
import contextlib
import random
from math import inf
from typing import Any

import pytest
from cctalk_rig import Inbox, drivers
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.devices.line import MemoryLine
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import BillStacked as BillStackedReport
from vendd.core.sale.reports import CoinAccepted
from vendd.ports import Refused
from vendd.wire.cctalk.bill_validator import BillRules, BillValidatorMachine
from vendd.wire.cctalk.coin_acceptor import CoinAcceptorMachine, CoinRules
from vendd.wire.cctalk.contact import Contact, Declined, Phase
from vendd.wire.cctalk.exchange import (
    ACKED,
    BUSIED,
    GARBLED,
    NAKED,
    NO_ECHO,
    SILENT,
    Answer,
    Reply,
)
from vendd.wire.cctalk.hopper import HopperMachine, HopperRules
from vendd.wire.cctalk.news import (
    BillHeld,
    BillStacked,
    CoinIn,
    News,
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
TWICE = st.tuples(st.one_of(WORDS, DATA, LIKELY, SHORT), st.integers(1, 3))
REPLIES = st.lists(TWICE, max_size=60).map(lambda rows: [r for r, n in rows for _ in range(n)])

GOOD = {
    0xE5: bytes(11),
    0x9F: bytes(11),
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


class Checked:
    """Drives a machine and checks what must hold after every exchange."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self.now = 50.0
        self.readings = 0  # credits that the event readings can have meant at most
        self.credits = 0
        self.commands = 0
        self.open: set[str] = set()
        self.ended: list[str] = []
        self.equal_before = True
        self.held = 0

    def exchange(self, reply: Reply | None = None) -> None:
        machine = self.machine
        assert machine.wake_at != inf
        assert machine.wake_at <= self.now + 15.0, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        request = machine.next(self.now)
        assert request is not None
        assert 0 <= request.header <= 255
        assert len(request.data) <= 255
        self.commands += request.header == 0xA7
        assert not (request.repeat and request.header in (0xA7, 0x9A))
        if reply is None:
            reply = Reply(Answer.REPLY, GOOD.get(request.header, b""))
        self.now += 0.02
        if request.header in (0xE5, 0x9F) and len(reply.data) == 11:
            self.readings += 5
        for news in machine.answered(reply, self.now):
            self.check(news)

    def check(self, news: News) -> None:
        match news:
            case CoinIn(_, value, _) | BillStacked(_, _, value):
                self.credits += 1
                assert value > 0
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
                assert 0 <= paid <= 3
                self.ended.append(id_)
            case _:
                pass
        assert self.credits <= self.readings, "credit out of nothing"

    def up(self) -> None:
        for _ in range(100):
            self.exchange()
        assert self.machine.phase is Phase.RUNNING


MACHINES = {
    "coins": lambda: CoinAcceptorMachine(CoinRules("EU")),
    "bills": lambda: BillValidatorMachine(BillRules("EU")),
    "hopper": lambda: HopperMachine(HopperRules()),
}


@pytest.mark.parametrize("kind", MACHINES)
@settings(max_examples=120, deadline=None)
@given(replies=REPLIES, running=st.booleans())
def test_any_replies(kind: str, replies: list[Reply], running: bool) -> None:
    checked = Checked(MACHINES[kind]())
    if running:
        checked.up()
    for reply in replies:
        checked.exchange(reply)
        machine = checked.machine
        if isinstance(machine, BillValidatorMachine) and machine.escrow.bill is not None:
            decide_somehow(machine)
    for _ in range(300):  # a sane device is found again after anything
        checked.exchange()
    assert checked.machine.phase is Phase.RUNNING


def decide_somehow(machine: BillValidatorMachine) -> None:
    bill = machine.escrow.bill
    assert bill is not None
    with contextlib.suppress(Declined):
        (machine.stack if bill.number % 2 else machine.give_back)(bill.number)


@settings(max_examples=300, deadline=None)
@given(REPLIES, st.sampled_from(["silent", "sane"]))
def test_any_replies_in_a_payout(replies: list[Reply], then: str) -> None:
    checked = Checked(MACHINES["hopper"]())
    checked.up()
    checked.machine.pay_out("p", 3)
    for reply in replies:
        checked.exchange(reply)
    for _ in range(400):
        checked.exchange(SILENT if then == "silent" else None)
    assert checked.ended == ["p"], "it comes to its one end"
    assert checked.commands <= 3


@settings(max_examples=300, deadline=None)
@given(REPLIES)
def test_without_proof_the_command_goes_out_once(replies: list[Reply]) -> None:
    """Nothing that is no whole status with the old counter allows a second command."""
    checked = Checked(MACHINES["hopper"]())
    checked.up()
    checked.machine.pay_out("p", 3)
    for _ in range(6):
        checked.exchange()
        if checked.commands:
            break
    assert checked.commands == 1
    for reply in replies:
        if len(reply.data) == 4 and reply.data[0] == 7:
            continue
        checked.exchange(reply)
    assert checked.commands == 1


class Babble:
    """A wire on which somebody talks nonsense, with or without an echo of us."""

    def __init__(self, rng: random.Random, echo: float) -> None:
        self.rng = rng
        self.echo = echo
        self.transmit: Any = None

    def connect(self, transmit: Any) -> None:
        self.transmit = transmit

    def power_on(self) -> None:
        pass

    def received(self, data: bytes) -> None:
        if self.rng.random() < self.echo:
            self.transmit(data)
        kind = self.rng.randrange(4)
        noise = self.rng.randbytes(self.rng.randint(1, 24))
        if kind == 1:  # bytes that look like an answer from the right one, with a right sum
            body = bytes([1, len(noise), data[0], 0]) + noise
            noise = body + bytes([-sum(body) & 255])
        elif kind == 2:
            noise = b""
        self.transmit(noise)


@pytest.mark.parametrize("seed", range(6))
def test_nonsense_on_the_wire(seed: int) -> None:
    """Ten minutes of it: the bus goes on, and what looks sound by chance is not believed."""

    async def scenario() -> Inbox:
        rng = random.Random(seed)
        loop = asyncio.get_running_loop()
        line = MemoryLine(loop, Babble(rng, rng.choice([0.0, 0.5, 1.0])), rng=rng, torn=0.3)
        inbox = Inbox()
        bus, coins, bills = drivers(line, inbox)
        bus.start()
        coins.accept(frozenset(range(16)))
        bills.accept(frozenset(range(16)))
        await asyncio.sleep(300)
        with pytest.raises(Refused):
            await coins.pay_out("p", ((1, 3),))
        await asyncio.sleep(300)
        assert bus.counters.exchanges > 300
        bus.close()
        return inbox

    inbox = run_virtual(scenario())
    assert inbox.of(CoinAccepted) == []
    assert inbox.of(BillStackedReport) == []
    assert len(inbox.reports) < 200, "one report per transition, no storm"


def test_every_machine_is_a_contact() -> None:
    assert all(isinstance(make(), Contact) for make in MACHINES.values())
