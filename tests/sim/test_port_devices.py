"""Devices at the port across lives of the daemon: what they keep, and what they can still say."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from hw_sim.clock import WorldClock
from hw_sim.devices.card_reader_parts import Card, Outcome
from hw_sim.loop import run_virtual
from hw_sim.ports.changer import PortChanger
from hw_sim.ports.reader import PortCardReader
from hw_sim.ports.validator import PortBillValidator
from vendd.core.sale.bill_reports import BillInEscrow, BillReturned, BillStacked, BillUnclear
from vendd.core.sale.card_reports import RefundState, VendApproved, VendDenied, VendFailureSettled
from vendd.core.sale.reports import ChangerReady, CoinAccepted, Report


class Heard:
    """A life's inbox."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False

    def of(self, kind: type[Report]) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]


def world(story: Callable[[WorldClock], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await story(WorldClock(asyncio.get_running_loop()))

    run_virtual(run())


async def approved(reader: PortCardReader, heard: Heard, card: Card) -> None:
    reader.begin(heard)
    reader.release()
    reader.enable(True)
    await asyncio.sleep(2)
    assert reader.tap(card)
    await asyncio.sleep(1)
    reader.request("v", 150, 7)
    await asyncio.sleep(5)
    assert heard.of(VendApproved)


def test_a_reader_without_power_while_nobody_lived_promises_no_refund() -> None:
    """The vend counted as sold then (explorer, port depth, seed 109)."""

    async def story(clock: WorldClock) -> None:
        reader, card = PortCardReader(clock, random.Random(1)), Card()
        await approved(reader, Heard(), card)
        reader.forsake()
        reader.unplug()
        await asyncio.sleep(3)
        reader.plug()
        again = Heard()
        reader.begin(again)
        reader.failed("v")
        await asyncio.sleep(5)
        (settled,) = again.of(VendFailureSettled)
        assert settled.state is RefundState.UNCONFIRMED
        assert [c.outcome for c in reader.truth.charges] == [Outcome.PAID]
        assert card.balance == 4850

    world(story)


def test_a_vend_of_an_earlier_life_that_can_t_be_taken_back_is_doubtful() -> None:
    async def story(clock: WorldClock) -> None:
        reader = PortCardReader(clock, random.Random(1))
        await approved(reader, Heard(), Card())
        reader.forsake()
        reader.inject("refund_error")
        again = Heard()
        reader.begin(again)
        reader.cancel("v")
        await asyncio.sleep(5)
        (denied,) = again.of(VendDenied)
        assert denied.doubtful

    world(story)


def test_a_coin_that_nobody_heard_of_is_in_the_counts_of_the_next_start() -> None:
    async def story(clock: WorldClock) -> None:
        changer, heard = PortChanger(clock, random.Random(1)), Heard()
        changer.begin(heard)
        await asyncio.sleep(1)
        changer.accept(frozenset({3}))
        changer.insert_coin(50)
        changer.forsake()
        await asyncio.sleep(2)
        assert not heard.of(CoinAccepted)
        assert changer.untold  # whoever put it in waits for it
        again = Heard()
        changer.begin(again)
        await asyncio.sleep(2)
        (ready,) = again.of(ChangerReady)
        assert {t.value: t.count for t in ready.tubes}[50] == 1
        assert not changer.untold

    world(story)


def test_an_order_to_stack_has_its_verdict_within_half_a_minute() -> None:
    async def story(clock: WorldClock) -> None:
        for fault in ("stack_stuck", "stacked_untold"):
            bills, heard = PortBillValidator(clock, random.Random(1)), Heard()
            bills.begin(heard)
            await asyncio.sleep(2)
            bills.accept(frozenset(range(4)))
            bills.inject(fault)
            assert bills.insert_bill(5000)
            await asyncio.sleep(3)
            (held,) = heard.of(BillInEscrow)
            bills.stack(held.bill)
            await asyncio.sleep(29.9)
            (unclear,) = heard.of(BillUnclear)
            assert unclear.stacker_rose is (fault == "stacked_untold")
            assert not heard.of(BillStacked)
            await asyncio.sleep(5)
            assert len(heard.of(BillReturned)) == (fault == "stack_stuck")

    world(story)
