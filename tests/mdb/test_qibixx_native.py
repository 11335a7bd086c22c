"""A reader behind an adapter that is its master itself: lines, sessions, and every bad moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_rig import Inbox

from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx_reader import QibixxReader
from hw_sim.loop import run_virtual
from vendd.core.sale.card_reports import (
    CardReaderLost,
    CardReaderReady,
    RefundState,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.drivers.qibixx_cashless import QibixxCashless
from vendd.ports import Refused
from vendd.wire import qibixx_native as native
from vendd.wire.mdb.cashless_news import FailureSettled, SuccessTold, VendNot, VendTaken
from vendd.wire.qibixx_cashless import Declined, NativeReader
from vendd.wire.qibixx_native import Approved, Card, Word

# --- the lines ------------------------------------------------------------------------------

SPOKEN = [
    (native.start(always_idle=True), "\nD,2"),
    (native.start(always_idle=False), "\nD,1"),
    (native.enable(True), "D,READER,1"),
    (native.enable(False), "D,READER,0"),
    (native.request(100, 5, 2), "D,REQ,1.00,5"),
    (native.request(5, 65535, 2), "D,REQ,0.05,65535"),
    (native.request(150, 1, 0), "D,REQ,150,1"),
    (native.request(1234, 1, 3), "D,REQ,1.234,1"),
    (native.delivered(5), "D,END,5"),
    (native.delivered(native.NO_ITEM), "D,END"),
]
HEARD = [
    ("v,4.0.2.0,4d44", Word.ALIVE),
    ("d,STATUS,RESET", Word.RESET),
    ("d,STATUS,INIT,1", Word.READY),
    ("d,STATUS,INIT,0", Word.ASIDE),
    ("d,STATUS,IDLE", Word.IDLE),
    ("d,STATUS,CREDIT,12.50", Card(1250)),
    ("d,STATUS,CREDIT,-1", Card(None)),
    ("d,STATUS,CREDIT", Card(None)),
    ("d,STATUS,VEND", Word.ASIDE),
    ("d,STATUS,RESULT,1,1.00", Approved(100)),
    ("d,STATUS,RESULT,1,1.5", Approved(150)),
    ("d,STATUS,RESULT,1,2", Approved(200)),
    ("d,STATUS,RESULT,1,1.005", Approved(None)),
    ("d,STATUS,RESULT,1,1.000", Approved(100)),
    ("d,STATUS,RESULT,1,1e3", Approved(None)),
    ("d,STATUS,RESULT,1,\u0661", Approved(None)),
    ("d,STATUS,RESULT,-1", Word.DENIED),
    ('d,ERR,"-1"', Word.REFUSED),
    ("", None),
    ("p,ACK", Word.NOISE),
    ("x,00,0014", Word.NOISE),
]


@pytest.mark.parametrize(("line", "expected"), SPOKEN)
def test_what_is_said(line: str, expected: str) -> None:
    assert line == expected


@pytest.mark.parametrize(("line", "expected"), HEARD)
def test_what_is_heard(line: str, expected: object) -> None:
    assert native.read(line, 2) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([h for h, _ in HEARD]) | st.text(max_size=20), max_size=40))
def test_no_lines_make_money_that_nobody_asked_for(lines: list[str]) -> None:
    machine = NativeReader(2)
    machine.opened(0.0)
    machine.enable(True)
    now, news = 0.0, []
    for line in lines:
        now += 1.0
        news += machine.feed(line.encode("utf-8", "replace") + b"\n")
        machine.due(now)
        news += machine.tick(now)
    assert [one for one in news if isinstance(one, VendTaken | SuccessTold | FailureSettled)] == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([h for h, _ in HEARD]), max_size=15),
    st.sampled_from(["deliver", "fail", "cancel", "wait"]),
)
def test_every_vend_ends_exactly_once_whatever_is_said(lines: list[str], then: str) -> None:
    machine = NativeReader(2)
    machine.opened(0.0)
    machine.enable(True)
    news = machine.feed(b"d,STATUS,INIT,1\nd,STATUS,IDLE\n")
    machine.due(0.0)
    machine.request("v", 100, 5)
    now = 0.0
    for place, line in enumerate([*lines, *[""] * 40]):
        now += 4.0
        machine.due(now)
        news += machine.feed(line.encode() + b"\n" + b"v,1\n")
        news += machine.tick(now)
        taken = any(isinstance(one, VendTaken) for one in news)
        if place == len(lines):
            if taken:
                (machine.succeeded if then == "deliver" else machine.failed)("v")
            elif then != "wait":
                machine.cancel("v")
    taken = [one for one in news if isinstance(one, VendTaken)]
    refused = [one for one in news if isinstance(one, VendNot)]
    if then == "wait" and not taken and not refused:
        return  # whoever asked has all the time in the world
    assert len(taken) + len(refused) == 1
    ends = [one for one in news if isinstance(one, SuccessTold | FailureSettled)]
    assert len(ends) == 1 if taken else len(ends) <= 1


def test_babble_holds_no_memory() -> None:
    machine = NativeReader(2)
    machine.opened(0.0)
    for _ in range(100):
        machine.feed(b"x" * 1000)
    assert len(machine._partial) <= native.MAX_LINE
    with pytest.raises(Declined):
        machine.request("v", 100, 5)


# --- the whole driver --------------------------------------------------------------------------


@dataclass
class Rig:
    reader: QibixxReader
    line: MemoryLine
    inbox: Inbox
    driver: QibixxCashless

    async def ready(self) -> None:
        await self.inbox.until(CardReaderReady)
        self.driver.enable(True)
        await asyncio.sleep(0.5)

    async def approved(self, vend_id: str = "s1", price: int = 150) -> None:
        self.driver.request(vend_id, price, 11)
        self.reader.tap()
        assert await self.inbox.until(VendApproved) == VendApproved(1, vend_id, price)


def rig(test: Callable[[Rig], Awaitable[None]], *, held: bool = False, idle: bool = True) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        reader, inbox = QibixxReader(loop), Inbox()
        line = MemoryLine(loop, reader, rng=random.Random(1), torn=0.3)
        machine = NativeReader(2, always_idle=idle, held=held)
        driver = QibixxCashless(line.open, "card", inbox, 1, machine)
        driver.start()
        await test(Rig(reader, line, inbox, driver))
        driver.close()

    run_virtual(run())


def test_selection_first() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        await it.approved()
        assert it.inbox.of(SessionBegun) == [SessionBegun(1, 1000)]
        it.driver.succeeded("s1")
        settled = await it.inbox.until(VendSuccessSettled)
        assert settled == VendSuccessSettled(1, "s1", acknowledged=True)
        assert it.inbox.of(SessionEnded) == [SessionEnded(1, "completed")]
        assert (it.reader.account.charged, it.reader.account.sold) == (150, ["11"])
        it.inbox.clear()
        await it.approved("s2", 200)

    rig(test)


def test_card_first_and_another_amount() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        with pytest.raises(Refused):
            it.driver.request("s0", 150, 11)
        it.reader.tap("3.00")
        assert (await it.inbox.until(SessionBegun)).funds == 300
        it.reader.pays = 120
        it.driver.request("s1", 150, 11)
        assert (await it.inbox.until(VendApproved)).amount == 120

    rig(test, idle=False)


def test_not_delivered_goes_back() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        await it.approved()
        it.driver.failed("s1")
        settled = await it.inbox.until(VendFailureSettled)
        assert settled.state is RefundState.CONFIRMED
        assert it.reader.account.refunded == 150

    rig(test)


def test_denied_refused_and_sent_away() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        it.reader.pays = 0
        it.driver.request("s1", 150, 11)
        it.reader.tap()
        assert await it.inbox.until(VendDenied) == VendDenied(1, "s1", "denied")
        await it.inbox.until(SessionEnded)
        it.inbox.clear()
        it.reader.faults.refuses = True
        it.driver.request("s2", 150, 11)
        assert await it.inbox.until(VendDenied) == VendDenied(1, "s2", "refused")
        await asyncio.sleep(10)
        it.inbox.clear()
        it.reader.tap()
        await it.inbox.until(SessionBegun)
        it.driver.end_session()
        await it.inbox.until(SessionEnded)

    rig(test)


@pytest.mark.parametrize("after_s", [0.0, 0.5, 0.99, 1.0, 1.005, 1.02, 1.5])
def test_a_cancel_that_crosses_the_approval_charges_nobody(after_s: float) -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        it.driver.request("s1", 150, 11)
        await asyncio.sleep(0.1)
        it.reader.tap()
        await asyncio.sleep(after_s)
        it.driver.cancel("s1")
        await asyncio.sleep(20)
        account = it.reader.account
        if it.inbox.of(VendApproved):
            it.driver.failed("s1")
            await asyncio.sleep(5)
        else:
            (denied,) = it.inbox.of(VendDenied)
            assert not denied.doubtful
        assert account.charged == account.refunded

    rig(test)


def test_an_adapter_that_never_ends_a_vend_leaves_it_unconfirmed_and_is_started_anew() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        await it.approved()
        it.reader.faults.mute_end = True
        it.driver.failed("s1")
        settled = await it.inbox.until(VendFailureSettled, 60)
        assert settled.state is RefundState.UNCONFIRMED
        it.reader.faults.mute_end = False
        it.inbox.clear()
        await asyncio.sleep(5)
        await it.approved("s2")

    rig(test)


def test_a_reader_that_resets_in_a_request_is_doubtful_and_lost_for_a_moment() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        it.driver.request("s1", 150, 11)
        it.inbox.clear()
        it.reader.reader_resets()
        assert await it.inbox.until(VendDenied) == VendDenied(1, "s1", "reset", doubtful=True)
        await it.inbox.until(CardReaderReady)
        assert it.inbox.of(CardReaderLost) == [CardReaderLost(1, "reset")]
        await it.approved("s2")

    rig(test)


def test_a_line_that_breaks_after_the_approval_is_settled_when_it_is_back() -> None:
    """Never started anew before: to the holder that would count as sold."""

    async def test(it: Rig) -> None:
        await it.ready()
        await it.approved()
        said = len(it.reader.heard)
        it.line.unplug()
        await it.inbox.until(CardReaderLost)
        it.reader.bus_powered = True
        it.line.replug()
        await asyncio.sleep(5)
        assert set(it.reader.heard[said:]) <= {"V"}
        it.driver.failed("s1")
        settled = await it.inbox.until(VendFailureSettled)
        assert settled.state is RefundState.CONFIRMED
        assert it.reader.account.refunded == 150
        it.inbox.clear()
        await it.inbox.until(CardReaderReady)
        await it.approved("s2")

    rig(test)


def test_a_reader_of_an_earlier_life_is_held_until_that_is_settled() -> None:
    async def test(it: Rig) -> None:
        await asyncio.sleep(10)
        assert set(it.reader.heard) <= {"V"}
        it.driver.failed("s9")  # nothing is open there any more: the adapter refuses
        settled = await it.inbox.until(VendFailureSettled)
        assert settled == VendFailureSettled(1, "s9", RefundState.FAILED)
        await it.inbox.until(CardReaderReady)

    rig(test, held=True)


def test_released_it_starts() -> None:
    async def test(it: Rig) -> None:
        it.driver.release()
        await it.inbox.until(CardReaderReady)

    rig(test, held=True)


def test_a_deaf_adapter_is_lost_told_once_and_found_again() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        it.reader.faults.deaf = True
        await it.inbox.until(CardReaderLost, 60)
        await asyncio.sleep(120)
        assert len(it.inbox.of(CardReaderLost)) == 1
        assert [f.code for f in it.inbox.of(FaultStarted)] == ["adapter_lost"]
        it.inbox.clear()
        it.reader.faults.deaf = False
        await it.inbox.until(CardReaderReady, 60)
        assert [f.code for f in it.inbox.of(FaultEnded)] == ["adapter_lost"]

    rig(test)


def test_what_the_adapter_can_not_do_is_refused() -> None:
    async def test(it: Rig) -> None:
        await it.ready()
        for order in (
            lambda: it.driver.revalue("r", 100),
            it.driver.ask_revalue_limit,
            lambda: it.driver.check_age("a", 18),
        ):
            with pytest.raises(Refused):
                order()
        it.driver.show_prices(200, 100)
        it.driver.cash_sale(100, 1)
        it.driver.recall()
        it.driver.stop_age_check()
        assert "D,REQ" not in "".join(it.reader.heard)

    rig(test)
