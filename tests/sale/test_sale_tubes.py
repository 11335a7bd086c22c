"""Tubes as the changer counts them: every difference is booked, and none is invented."""

from tests.sale.bench import COINS, FULL_TUBES, Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    coin,
    delivered,
    given,
    keyed,
    like,
    no,
    now,
    paid,
    play,
    turned,
    wait,
)
from vendd.core import ledger
from vendd.core.facts import CashMoved, ClaimOpened, DeviceFound, SaleClosed, SaleDoubtful
from vendd.core.rows import Posted, TubeSet
from vendd.core.sale.acts import PayOut, ReadTubes
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    DeviceIdentity,
    DoorMoved,
    Tube,
    TubesRead,
)
from vendd.core.sale.states import (
    ClaimShown,
    Credit,
    Idle,
    Owed,
    Paying,
)

DEFECTIVE = Tube(2, 50, 0, full=True, defective=True)


def _with(*tubes: Tube) -> tuple[Tube, ...]:
    """Full tubes, these instead of their own kind."""
    return tuple(next((n for n in tubes if n.type == t.type), t) for t in FULL_TUBES)


def test_a_first_changer_s_coins_are_fill():
    bench = Bench(world_with(()))
    play(bench, (ChangerReady(DeviceIdentity(), COINS, FULL_TUBES), DeviceFound, CashMoved))
    assert bench.accounts[ledger.FILLS] == -3_600
    assert {m.reason for m in bench.all(CashMoved)} == {"fill"}


def test_what_was_filled_in_while_the_changer_started_is_fill_too():
    """Found by the explorer (port depth, seed 101): the door was open, the controller starting."""
    more = _with(Tube(0, 10, 87))
    bench = Bench()
    start = (ChangerReady(DeviceIdentity(), COINS, more), DeviceFound, CashMoved)
    play(bench, (DoorMoved(open=True),), start)
    assert {m.reason for m in bench.all(CashMoved)} == {"fill"}
    assert ledger.UNEXPLAINED not in bench.accounts


def test_a_difference_is_looked_at_twice():
    less = _with(Tube(2, 50, 18))
    play(
        Bench(),
        (TubesRead(less), no(Posted), no(ReadTubes)),
        (wait(1_999), no(ReadTubes)),
        (wait(1), ReadTubes),
        (TubesRead(less), like(CashMoved, src="tube", dst="unexplained", reason="correction")),
        (wait(10_000), no(ReadTubes)),
    )


def test_a_difference_that_is_gone_is_none():
    bench = play(Bench(), (TubesRead(_with(Tube(2, 50, 18))),), (TubesRead(FULL_TUBES), no(Posted)))
    play(bench, (wait(2_000), no(ReadTubes)), (TubesRead(_with(Tube(2, 50, 18))), no(Posted)))


def test_a_defective_tube_pays_nothing_and_loses_nothing():
    """Full and 0 means the sensor is broken: what lies in it is still there."""
    bench = play(Bench(), (TubesRead(_with(DEFECTIVE)), TubeSet, no(Posted)))
    assert bench.accounts[ledger.tube(50)] == 1_000
    play(bench, (coin(200),), *delivered("A3"))
    play(bench, (now, like(PayOut, coins=((1, 2), (0, 1)), amount=50)), (paid(), Idle))
    play(bench, (TubesRead(bench.world.tubes),))
    repaired = tuple(Tube(t.type, t.value, t.count) for t in bench.world.tubes)
    play(bench, (TubesRead(repaired), TubeSet, no(Posted)))
    assert not bench.world.tubes[2].defective


def test_a_tube_that_became_defective_in_the_middle_of_a_payout_tells_nothing():
    bench = play(Bench(world_with(tubes_with({50: 5}))), (coin(50),), (LEVER, Paying))
    broken = tuple(DEFECTIVE if t.type == 2 else t for t in tubes_with({}))
    play(
        bench,
        (paid(certain=False), Paying),
        (TubesRead(broken), ClaimShown, SaleDoubtful, like(ClaimOpened, amount=50)),
    )


def test_another_kind_of_coin_in_the_tube():
    """A changer whose tubes hold other coins: what was there is gone, what is there is new."""
    bench = play(Bench(), (ChangerLost("swapped"),))
    other = _with(Tube(3, 200, 7))
    bench.changer_up(other)
    assert bench.world.tubes == other
    assert bench.accounts[ledger.tube(100)] == 0
    assert bench.accounts[ledger.tube(200)] == 1_400


def test_a_tube_that_is_not_there_any_more():
    bench = play(Bench(), (ChangerLost("swapped"),)).changer_up(FULL_TUBES[:3])
    assert bench.world.tubes[3] == Tube(3, 100, 0)
    assert bench.accounts[ledger.tube(100)] == 0
    play(given(bench, Credit(), 100), (LEVER, no(ClaimOpened)))


def test_a_coin_in_a_tube_nobody_knew():
    bench = Bench(world_with(()))
    play(bench, (CoinAccepted(3, 100, CoinPath.TUBE, 1), Credit, 100), (LEVER, PAYOUT))
    assert bench.world.tubes == (Tube(3, 100, 1),)


def test_change_uses_the_reserve_before_it_owes_anything():
    """The reserve is for selling; no customer is owed money that lies in a tube."""
    world = world_with(tubes_with({50: 2, 100: 2}), tube_reserve=2)
    bench = play(given(Bench(world), Owed("4821"), 200), *delivered("A3"))
    play(bench, (now, Paying, like(PayOut, amount=50)), (paid(), Idle))


def test_change_that_waited_for_a_dead_changer_is_plain_credit_when_it_is_back():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (ChangerLost("silent"),), (DROP,))
    play(bench, (turned(), Owed, 50, "WE OWE YOU 0.50 | SPEND OR REF4821"))
    play(bench.changer_up(), (now, Credit, 50), (LEVER, PAYOUT), (paid(), Idle))


def test_change_that_the_tubes_hold_in_part():
    """A rolling coin made it too much for the tubes: what can be paid is paid."""
    bench = given(Bench(world_with(tubes_with({50: 1}))), Credit(), 200)
    play(bench, (keyed("A3"),), (coin(200), 400), (DROP, 250))
    play(bench, (turned(), like(PayOut, amount=50), 200), (paid(), Owed, 200))
    (sale,) = bench.all(SaleClosed)
    assert (sale.change_due, sale.change_paid, sale.change_owed) == (250, 50, 200)
