"""The payment service: each act reaches its device once; refusal and silence are told apart."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from hw_sim.loop import run_virtual
from vendd.core.sale.acts import (
    Act,
    AskRevalueLimit,
    CancelVend,
    CheckAge,
    CompleteSession,
    ConfirmVend,
    Disarm,
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
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillPayoutEnded,
    BillValidatorReady,
    Stacker,
)
from vendd.core.sale.card_reports import (
    AgeVerified,
    RefundState,
    RevalueLimitRead,
    RevalueSettled,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import (
    ChangerReady,
    DeviceIdentity,
    LeverPressed,
    PayoutEnded,
    Report,
    Timer,
)
from vendd.ports import Refused
from vendd.services.payment import NOTHING, Accepted, Devices, Payment

ACT = PayOut("p1", ((0, 2),), 20)
BILLS = PayBills("p1", ((0, 1),), 500)


class Device:
    """A changer, a validator and a card reader in one: answers as told, remembers what it heard."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self.asked: list[str] = []
        self.answers: list[Exception | float] = []
        self.accepted: list[frozenset[int]] = []
        self.refuses: str | None = None

    def accept(self, types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        assert hold is None, "every bill waits for the machine's word"
        self.accepted.append(types)

    async def pay_out(self, payout_id: str, pieces: tuple[tuple[int, int], ...]) -> None:
        await self._ask(payout_id)

    async def read_tubes(self) -> None:
        await self._ask("tubes")

    async def read_stores(self) -> None:
        await self._ask("stores")

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        answer = self.answers.pop(0) if self.answers else 0.0
        if isinstance(answer, Exception):
            raise answer
        await asyncio.sleep(answer)

    def __getattr__(self, order: str) -> Callable[..., None]:
        """All other orders return at once."""

        def given(*words: Any, **more: Any) -> None:
            self.asked.append(
                " ".join([order, *map(str, words), *(f"{k}={more[k]}" for k in more)])
            )
            if self.refuses is not None:
                raise Refused(self.refuses)

        return given


@dataclass
class Told:
    reports: list[Report] = field(default_factory=list)

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False


@dataclass
class Till:
    payment: Payment
    told: Told
    changer: Device = field(default_factory=Device)
    validator: Device = field(default_factory=Device)
    reader: Device = field(default_factory=Device)

    async def do(self, *acts: Act) -> None:
        for act in acts:
            work = self.payment.perform(act)
            if work is not None:
                await work


def paying(test: Callable[[Till], Awaitable[None]], *, fitted: bool = True) -> None:
    async def run() -> None:
        changer, validator, reader, told = Device(), Device(), Device(), Told()
        devices = Devices(changer, validator, {1: reader}) if fitted else Devices()
        loop = asyncio.get_running_loop()
        payment = Payment(devices, told, loop, random.Random(1))
        await test(Till(payment, told, changer, validator, reader))

    run_virtual(run())


def ended(act: PayOut | PayBills, *, certain: bool, why: str) -> Report:
    kind = PayoutEnded if isinstance(act, PayOut) else BillPayoutEnded
    return kind(act.payout_id, (), certain=certain, why=why)


def payer(till: Till, act: Act) -> Device:
    return till.changer if isinstance(act, PayOut) else till.validator


# --- payouts ----------------------------------------------------------------------------


@pytest.mark.parametrize("act", [ACT, BILLS])
def test_a_payout_that_is_taken_up_says_nothing_of_its_own(act: PayOut | PayBills) -> None:
    async def test(till: Till) -> None:
        await till.do(act)
        assert payer(till, act).asked == ["p1"]
        assert till.told.reports == []

    paying(test)


@pytest.mark.parametrize("act", [ACT, BILLS])
def test_a_refused_payout_certainly_paid_nothing(act: PayOut | PayBills) -> None:
    async def test(till: Till) -> None:
        payer(till, act).answers = [Refused("busy")]
        await till.do(act)
        assert payer(till, act).asked == ["p1"]
        assert till.told.reports == [ended(act, certain=True, why="busy")]

    paying(test)


@pytest.mark.parametrize("act", [ACT, BILLS])
def test_silence_leaves_it_open_and_is_never_asked_twice(act: PayOut | PayBills) -> None:
    async def test(till: Till) -> None:
        payer(till, act).answers = [60.0]
        await till.do(act)
        assert payer(till, act).asked == ["p1"]
        assert till.told.reports == [ended(act, certain=False, why="no answer")]

    paying(test)


def test_an_open_breaker_refuses_without_asking_and_stops_no_other_device() -> None:
    async def test(till: Till) -> None:
        till.changer.answers = [Refused("no")] * 3
        await till.do(ACT, ACT, ACT, ACT, BILLS)
        assert len(till.changer.asked) == 3
        assert [type(r) for r in till.told.reports] == [PayoutEnded] * 4
        assert till.validator.asked == ["p1"]

    paying(test)


def test_reading_counts_may_be_repeated_and_may_fail() -> None:
    async def test(till: Till) -> None:
        till.changer.answers = [Refused("starting")] * 9
        till.validator.answers = [Refused("starting")] * 9
        await till.do(ReadTubes(), ReadStores())
        assert till.changer.asked == ["tubes"] * 3
        assert till.validator.asked == ["stores"] * 3
        assert till.told.reports == []
        till.changer.answers = []
        await till.do(ACT)  # a payout is not held up by that
        assert till.changer.asked[-1] == "p1"

    paying(test)


# --- bills and cards ----------------------------------------------------------------------


def test_orders_reach_their_device_at_once_and_in_order() -> None:
    async def test(till: Till) -> None:
        await till.do(StackBill(3), ReturnBill(4))
        assert till.validator.asked == ["stack 3", "give_back 4"]
        await till.do(
            ReleaseReader(1),
            RequestVend(1, "s1", 150, 11),
            CancelVend(1, "s1"),
            ConfirmVend(1, "s2", keep_session=True),
            FailVend(1, "s3"),
            CompleteSession(1),
            ReportCashSale(150, 11),
            CheckAge(1, "a1", 18),
            StopAgeCheck(1),
            AskRevalueLimit(1),
            Revalue(1, "r1", 200),
        )
        assert till.reader.asked == [
            "release",
            "request s1 150 11",
            "cancel s1",
            "succeeded s2 keep_session=True",
            "failed s3",
            "end_session",
            "cash_sale 150 11",
            "check_age a1 18",
            "stop_age_check",
            "ask_revalue_limit",
            "revalue r1 200",
        ]
        assert till.told.reports == []

    paying(test)


REFUSALS: list[tuple[Act, Report | None]] = [
    (StackBill(1), None),
    (ReturnBill(1), None),
    (RequestVend(1, "s1", 150, 11), VendDenied(1, "s1", "refused")),
    (CancelVend(1, "s1"), None),
    (ConfirmVend(1, "s1"), VendSuccessSettled(1, "s1", acknowledged=False)),
    (FailVend(1, "s1"), VendFailureSettled(1, "s1", RefundState.UNCONFIRMED)),
    (CompleteSession(1), None),
    (ReleaseReader(1), None),
    (ReportCashSale(150, 11), None),
    (CheckAge(1, "a1", 18), AgeVerified(1, "a1", verified=False)),
    (StopAgeCheck(1), None),
    (Revalue(1, "r1", 200), RevalueSettled(1, "r1", approved=False)),
    (AskRevalueLimit(1), RevalueLimitRead(1, None)),
]


@pytest.mark.parametrize(("act", "report"), REFUSALS, ids=[type(a).__name__ for a, _ in REFUSALS])
def test_a_refusal_becomes_what_the_machine_understands(act: Act, report: Report | None) -> None:
    async def test(till: Till) -> None:
        till.validator.refuses = till.reader.refuses = "busy"
        await till.do(act)
        assert till.told.reports == ([] if report is None else [report])

    paying(test)


def test_a_refused_request_does_not_keep_the_next_customer_from_asking() -> None:
    async def test(till: Till) -> None:
        till.reader.refuses = "can't charge 151"
        await till.do(*[RequestVend(1, f"s{n}", 151, 11) for n in range(9)])
        assert len(till.reader.asked) == 9

    paying(test)


def test_what_is_not_fitted_refuses_everything_and_asks_nobody() -> None:
    async def test(till: Till) -> None:
        await till.do(ACT, BILLS, ReadTubes(), ReadStores())
        await till.do(*[act for act, _ in REFUSALS])
        settled = [type(r) for r in till.told.reports]
        assert settled == [
            PayoutEnded,
            BillPayoutEnded,
            VendDenied,  # of the request
            VendDenied,  # of the cancel: nobody else will ever say so
            VendSuccessSettled,
            VendFailureSettled,
            AgeVerified,
            RevalueSettled,
            RevalueLimitRead,
        ]
        till.payment.bring(Accepted(frozenset({1}), frozenset({1}), frozenset({1})), (200, 100))

    paying(test, fitted=False)


def test_an_act_that_is_no_payment_is_a_mistake_of_ours() -> None:
    async def test(till: Till) -> None:
        with pytest.raises(ValueError, match="Disarm is no payment"):
            till.payment.perform(Disarm(Timer.IDLE))

    paying(test)


# --- what is accepted ---------------------------------------------------------------------


def test_types_are_told_when_they_differ_and_after_a_device_came_up() -> None:
    async def test(till: Till) -> None:
        wanted = Accepted(frozenset({1, 2}), frozenset({3}), frozenset({1}))
        for _ in range(3):
            till.payment.bring(wanted, (200, 100))
        till.payment.heard(ChangerReady(DeviceIdentity(), (), ()))
        till.payment.bring(wanted, (200, 100))
        assert till.changer.accepted == [frozenset({1, 2})] * 2
        assert till.validator.accepted == [frozenset({3})]
        stacker = Stacker(0, False, 0)
        till.payment.heard(BillValidatorReady(DeviceIdentity(), (), True, stacker, ()))
        till.payment.bring(wanted, (200, 100))
        assert till.validator.accepted == [frozenset({3})] * 2
        assert till.reader.asked[:2] == ["show_prices 200 100", "enable True"]
        till.payment.bring(NOTHING, None)
        assert till.reader.asked[-1] == "enable False"
        assert (till.changer.accepted[-1], till.validator.accepted[-1]) == (frozenset(),) * 2

    paying(test)


def test_the_lever_clears_a_reader() -> None:
    async def test(till: Till) -> None:
        for _ in range(20):  # held, or stuck: it must not keep the reader from ever being ready
            till.payment.heard(LeverPressed())
            await asyncio.sleep(0.1)
        assert till.reader.asked == ["recall"]
        await asyncio.sleep(5)
        till.payment.heard(LeverPressed())
        assert till.reader.asked == ["recall"] * 2

    paying(test)


def test_while_nothing_can_be_committed_bills_go_back_and_holders_are_sent_away() -> None:
    async def test(till: Till) -> None:
        till.payment.make_safe([BillInEscrow(7, 1, 1000), LeverPressed()])
        assert till.changer.accepted == till.validator.accepted == [frozenset()]
        assert till.validator.asked == ["give_back 7"]
        assert till.reader.asked == ["enable False", "end_session"]

    paying(test)
