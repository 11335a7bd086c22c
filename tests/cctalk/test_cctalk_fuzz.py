"""Whatever comes back: no crash, no hang, no credit out of nothing, no payout twice.

See also `tests/fuzz`.
"""

import asyncio
import random
from typing import Any

import pytest
from cctalk_rig import Inbox, drivers
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.devices.line import MemoryLine
from hw_sim.loop import run_virtual
from tests.fuzz.cctalk_talk import MACHINES, REPLIES, Checked
from vendd.core.sale.bill_reports import BillStacked as BillStackedReport
from vendd.core.sale.reports import CoinAccepted
from vendd.ports import Refused
from vendd.wire.cctalk.contact import Contact
from vendd.wire.cctalk.exchange import SILENT, Reply


@pytest.mark.parametrize("kind", MACHINES)
@settings(max_examples=120, deadline=None)
@given(replies=REPLIES, running=st.booleans())
def test_any_replies(kind: str, replies: list[Reply], running: bool) -> None:
    checked = Checked(MACHINES[kind]())
    if running:
        checked.up()
    for reply in replies:
        checked.exchange(reply)
        if kind == "bills":
            checked.order()
    checked.recovers()  # a sane device is found again after anything


@settings(max_examples=300, deadline=None)
@given(REPLIES, st.sampled_from(["silent", "sane"]))
def test_any_replies_in_a_payout(replies: list[Reply], then: str) -> None:
    checked = Checked(MACHINES["hopper"]())
    checked.up()
    checked.order()
    for reply in replies:
        checked.exchange(reply)
    for _ in range(400):
        checked.exchange(SILENT if then == "silent" else None)
    assert checked.ended == ["p0"], "it comes to its one end"
    assert checked.commands <= 3


@settings(max_examples=300, deadline=None)
@given(REPLIES)
def test_without_proof_the_command_goes_out_once(replies: list[Reply]) -> None:
    """Nothing that is no whole status with the old counter allows a second command."""
    checked = Checked(MACHINES["hopper"]())
    checked.up()
    checked.order()
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
