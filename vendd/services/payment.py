"""The payment service: carries decided acts to the devices that take and give money, and keeps
what they accept right.

Each device has a part of its own (`services.coins`, `services.bills`, `services.cards`). An act
that was refused becomes the report that the purchase machine understands. Is NOT responsible for
how much to pay or what to accept; the machine decides that.
"""

import asyncio
import random
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vendd.core.sale.acts import (
    Act,
    AskRevalueLimit,
    CancelVend,
    CheckAge,
    CompleteSession,
    ConfirmVend,
    FailVend,
    PayBills,
    PayOut,
    ReadStores,
    ReadTubes,
    ReleaseReader,
    ReportCashSale,
    RequestVend,
    ReturnBill,
    Revalue,
    StackBill,
    StopAgeCheck,
)
from vendd.core.sale.bill_reports import BillInEscrow, BillValidatorReady
from vendd.core.sale.reports import ChangerReady, LeverPressed, Report
from vendd.ports import BillValidator, Cashless, Changer, Sink
from vendd.services.bills import Bills
from vendd.services.cards import Cards
from vendd.services.coins import Coins


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is to be taken now: coin types, bill types, card readers by number."""

    coins: frozenset[int] = frozenset()
    bills: frozenset[int] = frozenset()
    readers: frozenset[int] = frozenset()


LEVER_GAP_S: Final = 3.0
NOTHING: Final = Accepted()


@dataclass(frozen=True, slots=True)
class Devices:
    """Those that the machine is fitted with."""

    changer: Changer | None = None
    validator: BillValidator | None = None
    readers: Mapping[int, Cashless] = field(default_factory=dict)


class Payment:
    """See the module. Synchronous orders are given in the order of the acts; what takes time
    is returned by `perform`, for the caller to run beside the next report."""

    def __init__(
        self,
        devices: Devices,
        sink: Sink,
        loop: asyncio.AbstractEventLoop,
        chance: random.Random,
    ) -> None:
        self._loop = loop
        self._lever_at: float | None = None
        self.coins = Coins(devices.changer, sink, loop, chance)
        self.bills = Bills(devices.validator, sink, loop, chance)
        self.cards = Cards(devices.readers, sink)

    def perform(self, act: Act) -> Coroutine[Any, Any, None] | None:
        """Carry out one act. What is returned still has to be awaited. Raises ValueError for an
        act that is no payment."""
        match act:
            case PayOut():
                return self.coins.pay_out(act)
            case ReadTubes():
                return self.coins.read_tubes(act)
            case PayBills():
                return self.bills.pay_out(act)
            case ReadStores():
                return self.bills.read_stores(act)
            case StackBill(bill):
                self.bills.stack(bill)
            case ReturnBill(bill):
                self.bills.give_back(bill)
            case _:
                self._by_card(act)
        return None

    def _by_card(self, act: Act) -> None:
        cards = self.cards
        match act:
            case RequestVend():
                cards.request(act)
            case CancelVend(reader, vend_id):
                cards.cancel(reader, vend_id)
            case ConfirmVend():
                cards.confirm(act)
            case FailVend(reader, vend_id):
                cards.fail(reader, vend_id)
            case CompleteSession(reader):
                cards.end_session(reader)
            case ReleaseReader(reader):
                cards.release(reader)
            case ReportCashSale(price, item_no):
                cards.cash_sale(price, item_no)
            case CheckAge():
                cards.check_age(act)
            case StopAgeCheck(reader):
                cards.stop_age_check(reader)
            case Revalue():
                cards.revalue(act)
            case AskRevalueLimit(reader):
                cards.ask_revalue_limit(reader)
            case _:
                raise ValueError(f"{type(act).__name__} is no payment")

    def bring(self, wanted: Accepted, card_prices: tuple[int, int] | None) -> None:
        """Bring every device to take exactly this; told only where it differs."""
        self.coins.accept(wanted.coins)
        self.bills.accept(wanted.bills)
        self.cards.bring(wanted.readers, card_prices)

    def heard(self, report: Report) -> None:
        """What the engine handles passes here first."""
        match report:
            case ChangerReady():
                self.coins.forget()
            case BillValidatorReady():
                self.bills.forget()
            case LeverPressed():
                self._lever()
            case _:
                pass

    def _lever(self) -> None:
        """Presses that follow each other closely are one: a lever that sticks must not keep a
        reader from being ready."""
        now, before = self._loop.time(), self._lever_at
        self._lever_at = now
        if before is None or now - before > LEVER_GAP_S:
            self.cards.recall()

    def make_safe(self, waiting: Iterable[Report]) -> None:
        """Nothing can be committed: take no money, and give back what is not taken yet. `waiting`:
        reports that nobody has decided about. No session is ended while a vend is under way."""
        self.bring(NOTHING, None)
        for report in waiting:
            if isinstance(report, BillInEscrow):
                self.bills.give_back(report.bill)
        self.cards.end_sessions()
