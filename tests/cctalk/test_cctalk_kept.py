"""What outlives the daemon: no coin twice or never, no payout paid anew on a guess."""

import asyncio
from typing import Any

import pytest
from cctalk_rig import EURO_TYPE, Kept, drivers, make_rig, paid_out, run

from vendd.core.sale.reports import ChangerReady, CoinAccepted, PayoutEnded, Report, TubesRead
from vendd.wire.cctalk.event_log import preceding


class Books:
    """A sink that commits each report together with the counter that was noted for it."""

    def __init__(self) -> None:
        self.noted: int | None = None
        self.waiting: list[tuple[Report, int | None]] = []

    def note(self, counter: int) -> None:
        self.noted = counter

    def put(self, report: Report) -> None:
        self.waiting.append((report, self.noted))

    def crowded(self) -> bool:
        return False


@pytest.mark.parametrize("committed", range(5))
def test_a_death_after_any_coin_of_a_burst_credits_each_coin_once(committed: int) -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.bus.close()
        books: Any = Books()
        kept = Kept(coins=rig.kept.coins)
        kept.coins_at = books.note  # type: ignore[method-assign]
        rig.acceptor.burst(50, 4)
        bus, _, _ = drivers(rig.line, books, kept=kept)
        bus.start()
        await asyncio.sleep(5)
        bus.close()
        coins = [(r, counter) for r, counter in books.waiting if isinstance(r, CoinAccepted)]
        rig.kept.coins = coins[committed - 1][1] if committed else rig.kept.coins
        rig.next_life()
        await rig.inbox.until(ChangerReady)
        await asyncio.sleep(2)
        assert len(rig.inbox.of(CoinAccepted)) == 4 - committed

    run(scenario())


def test_a_payout_of_another_life_is_told_before_the_tubes_are() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        before = dict(rig.kept.evidence)
        task = asyncio.ensure_future(rig.coins.pay_out("p", ((EURO_TYPE, 3),)))
        await asyncio.sleep(0.15)
        rig.next_life()
        task.cancel()
        rig.coins.recover("p", ((EURO_TYPE, 3),), before)
        await rig.inbox.until(ChangerReady)
        order = [type(r) for r in rig.inbox.reports if isinstance(r, PayoutEnded | ChangerReady)]
        assert order == [PayoutEnded, ChangerReady]
        (euros, *_) = rig.inbox.of(ChangerReady)[-1].tubes
        assert euros.count == 50 - paid_out(rig)

    run(scenario())


def test_a_hopper_that_can_not_tell_what_it_paid_is_no_evidence_until_that_is_settled() -> None:
    async def scenario() -> None:
        rig = make_rig(counts=False)
        await rig.ready()
        await rig.coins.pay_out("p", ((EURO_TYPE, 10),))
        await asyncio.sleep(0.7)
        rig.hoppers[EURO_TYPE].power_off()
        assert not (await rig.inbox.until(PayoutEnded, 40)).certain
        rig.hoppers[EURO_TYPE].power_on()
        await asyncio.sleep(5)
        await rig.coins.read_tubes()  # the sale machine asks: a count here would be a guess
        assert rig.inbox.of(TubesRead)[-1].tubes[0].defective
        await asyncio.sleep(6)
        assert not rig.inbox.of(TubesRead)[-1].tubes[0].defective

    run(scenario())


@pytest.mark.parametrize(
    ("counter", "ago", "was"),
    [(9, 0, 9), (9, 4, 5), (2, 2, 255), (1, 1, 255), (3, 2, 1), (0, 3, 0)],
)
def test_the_counter_some_events_ago(counter: int, ago: int, was: int) -> None:
    assert preceding(counter, ago) == was
