"""The payment service: a payout is asked for once; refusal and silence are told apart."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from hw_sim.loop import run_virtual
from vendd.core.sale.acts import PayOut, ReadTubes
from vendd.core.sale.reports import PayoutEnded, Report
from vendd.ports import Refused
from vendd.services.payment import Payment

ACT = PayOut("p1", ((0, 2),), 20)


class Changer:
    """Answers `pay_out` and `read_tubes` as told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[Exception | float] = []
        self.accepted: list[frozenset[int]] = []

    def accept(self, coin_types: frozenset[int]) -> None:
        self.accepted.append(coin_types)

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        await self._ask(payout_id)

    async def read_tubes(self) -> None:
        await self._ask("tubes")

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        answer = self.answers.pop(0) if self.answers else 0.0
        if isinstance(answer, Exception):
            raise answer
        await asyncio.sleep(answer)


class Told:
    def __init__(self) -> None:
        self.reports: list[Report] = []

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False


def paying(test: Callable[[Payment, Changer, Told], Awaitable[None]]) -> None:
    async def run() -> None:
        changer, told = Changer(), Told()
        loop = asyncio.get_running_loop()
        await test(Payment(changer, told, loop, random.Random(1)), changer, told)

    run_virtual(run())


def test_a_payout_that_is_taken_up_says_nothing_of_its_own() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        await payment.pay_out(ACT)
        assert changer.asked == ["p1"]
        assert told.reports == []

    paying(test)


def test_a_refused_payout_certainly_paid_nothing() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        changer.answers = [Refused("busy")]
        await payment.pay_out(ACT)
        assert changer.asked == ["p1"]
        assert told.reports == [PayoutEnded("p1", (), certain=True, why="busy")]

    paying(test)


def test_silence_leaves_it_open_and_is_never_asked_twice() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        changer.answers = [60.0]
        await payment.pay_out(ACT)
        assert changer.asked == ["p1"]
        assert told.reports == [PayoutEnded("p1", (), certain=False, why="no answer")]

    paying(test)


def test_an_open_breaker_refuses_without_asking() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        changer.answers = [Refused("no")] * 3
        for _ in range(4):
            await payment.pay_out(ACT)
        assert len(changer.asked) == 3
        assert all(isinstance(r, PayoutEnded) and r.certain for r in told.reports)
        assert len(told.reports) == 4

    paying(test)


def test_reading_tubes_may_be_repeated_and_may_fail() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        changer.answers = [Refused("starting")] * 9
        await payment.read_tubes(ReadTubes())
        assert changer.asked == ["tubes"] * 3
        assert told.reports == []
        changer.answers = []
        await payment.pay_out(ACT)  # a payout is not held up by that
        assert changer.asked[-1] == "p1"

    paying(test)


def test_coin_types_are_told_when_they_differ_and_after_the_changer_came_up() -> None:
    async def test(payment: Payment, changer: Changer, told: Told) -> None:
        for _ in range(3):
            payment.accept(frozenset({1, 2}))
        payment.forget()
        payment.accept(frozenset({1, 2}))
        assert changer.accepted == [frozenset({1, 2})] * 2

    paying(test)
