"""Section 6: when it goes wrong, money and devices."""

import pytest

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.script import (
    DROP,
    LEVER,
    PAYOUT,
    TURN,
    coin,
    delivered,
    failed,
    given,
    keyed,
    left_home,
    like,
    no,
    nothing_paid,
    now,
    paid,
    play,
    turned,
    wait,
)
from vendd.core import ledger
from vendd.core.facts import (
    ClaimClosed,
    ClaimOpened,
    CreditClosed,
    CreditEnd,
    Outcome,
    SaleClosed,
    SaleDoubtful,
)
from vendd.core.rows import ClaimSet, Posted
from vendd.core.sale import reports
from vendd.core.sale.acts import PayOut, ReadTubes
from vendd.core.sale.reports import (
    ChangerLost,
    FaultEnded,
    FaultStarted,
    PayoutEnded,
    Report,
    ServiceChanged,
    TubesRead,
)
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    Owed,
    Paying,
    Vending,
)

OWED = "WE OWE YOU 0.50 | SPEND OR REF4821"
LOST = ChangerLost("no answer")
OFF = ServiceChanged("operator", active=True)


def _incomplete() -> Bench:
    """1.00 came out of 1.50."""
    return play(Bench(), (coin(100),), (coin(50),), (LEVER,), (paid(c100=1), Owed, OWED, 50))


def test_s6_payout_incomplete():
    """The rest is credit; the lever tries once more; after the idle time it is a claim."""
    bench = _incomplete()
    play(
        bench,
        (LEVER, Paying, like(PayOut, amount=50)),
        (nothing_paid, Owed, OWED),
        (LEVER, Owed, no(PAYOUT)),
        (
            wait(300_000),
            ClaimShown,
            0,
            "WE OWE YOU 0.50 | REF 4821",
            like(ClaimSet, ref="4821", amount=50),
            like(ClaimOpened, claim_ref="4821", amount=50, reason="payout_incomplete"),
            like(CreditClosed, inserted=150, returned=100, owed=50, reason=CreditEnd.IDLE),
            no(PAYOUT),
        ),
        (wait(60_000), Idle, "MAKE A SELECTION | COINS"),
    )
    # never paid to whoever stands there next
    play(bench, (coin(100),), (LEVER, like(PayOut, amount=100)), (paid(), Idle))
    assert not bench.all(ClaimClosed)
    assert bench.accounts[ledger.CLAIMS] == -50


def test_s6_payout_incomplete_and_spent():
    """The reference stays the same when a part of it is spent."""
    bench = play(Bench(), (coin(200),), (coin(50),), (LEVER,), (nothing_paid, Owed, 250))
    assert bench.screen == "WE OWE YOU 2.50 | SPEND OR REF4821"
    play(
        bench,
        (keyed("A1"), TURN),
        (left_home,),
        (DROP,),
        (turned(), Paying, like(PayOut, amount=150)),
        (
            nothing_paid,
            Owed,
            "WE OWE YOU 1.50 | SPEND OR REF4821",
            like(SaleClosed, outcome=Outcome.SOLD, change_due=150, change_paid=0, change_owed=150),
        ),
        (keyed("A3"), TURN),
        (left_home,),
        (DROP,),
        (turned(), Idle, "THANK YOU | TAKE PRODUCT"),
    )
    assert not bench.all(ClaimOpened)


def test_s6_payout_incomplete_and_topped_up():
    play(_incomplete(), (coin(50), Owed, 100, "WE OWE YOU 1.00 | SPEND OR REF4821"))


def test_s6_payout_incomplete_of_change():
    bench = play(Bench(), (coin(200),), *delivered("A3"))
    play(bench, (nothing_paid, Owed, OWED, like(SaleClosed, change_owed=50)))
    play(bench, (LEVER, Paying), (paid(), Idle, like(CreditClosed, returned=50, reason="lever")))


def test_s6_payout_incomplete_retry_pays_the_rest():
    end = like(CreditClosed, inserted=150, returned=150, owed=0, reason=CreditEnd.LEVER)
    play(_incomplete(), (LEVER,), (paid(), Idle, end))


def test_no_overpay_while_money_is_owed():
    """What was owed before a sale stays owed after it, and nobody is asked to give it up."""
    bench = given(Bench(world_with(tubes_with({}), overpay_up_to=500)), Owed("4821"), 200)
    play(bench, *delivered("A3"))
    play(bench, (now, Owed, 50), (wait(300_000), ClaimOpened))
    assert bench.accounts[ledger.OVERPAY] == 0


def test_s6_idle_credit():
    bench = play(Bench(), (coin(100),), (wait(300_000), Paying, "RETURNING MONEY | "))
    end = like(CreditClosed, inserted=100, returned=100, reason=CreditEnd.IDLE)
    play(bench, (paid(), Idle, end))


def test_s6_idle_credit_that_can_t_be_returned_is_a_claim():
    play(
        play(Bench(), (coin(100),), (wait(300_000), Paying)),
        (nothing_paid, ClaimShown, like(ClaimOpened, amount=100)),
    )
    bench = given(Bench(world_with(tubes_with({}))), Credit(), 200)
    play(bench, (LEVER, Owed, no(PAYOUT)))  # somebody is there
    bench = given(Bench(world_with(tubes_with({}))), Credit(), 200)
    bench.timers[reports.Timer.IDLE] = 300_000
    play(bench, (wait(300_000), ClaimShown, like(ClaimOpened, amount=200), no(PAYOUT)))


def test_s6_idle_credit_forfeited():
    bench = play(Bench(world_with(forfeit_idle_credit=True)), (coin(100),))
    end = like(CreditClosed, forfeited=100, reason=CreditEnd.IDLE)
    play(bench, (wait(300_000), Idle, end, no(PAYOUT)))
    assert bench.accounts[ledger.OVERPAY] == -100


def test_only_idle_credit_is_forfeited():
    world = world_with(forfeit_idle_credit=True, multi_vend=True)
    play(Bench(world), (coin(200),), *delivered("A1"), (wait(15_000), Paying), (paid(), Idle))
    play(Bench(world), (coin(100),), (LEVER, PAYOUT))
    play(Bench(world), (coin(100),), (keyed("A1"),), (failed,), (wait(30_000), PAYOUT))


def test_s6_changer_dead():
    """The credit can still be spent; the lever leads to a claim."""
    dead = "WE OWE YOU 2.00 | SPEND OR REF4821"
    bench = play(Bench(), (coin(200),), (LOST, Owed, dead, set()))
    play(bench, (LEVER, ClaimShown, like(ClaimOpened, amount=200, reason="changer_lost")))
    bench = play(Bench(), (coin(200),), (LOST, dead), *delivered("A3"))
    play(bench, (now, Owed, OWED), (LEVER, ClaimShown, like(ClaimOpened, amount=50)))


@pytest.mark.parametrize("phase", [Credit(), ChooseAgain(), Hold()], ids=lambda p: type(p).__name__)
def test_s6_changer_dead_and_back(phase):
    """Nothing was tried and nothing was owed: plain credit again."""
    bench = play(given(Bench(), phase, 100), (LOST, Owed))
    bench.changer_up()
    play(bench, (now, Credit, "CREDIT      1.00 | MAKE SELECTION"), (LEVER, PAYOUT))


def test_s6_changer_dead_and_back_after_a_payout_failed():
    bench = play(_incomplete(), (LOST, Owed))
    bench.changer_up()
    play(bench, (now, Owed, OWED), (LEVER, PAYOUT))


def test_changer_lost_in_the_middle_of_a_payout():
    """Its tubes decide when it is back; the customer is still there."""
    bench = play(Bench(world_with(tubes_with({50: 5}))), (coin(100),), (coin(50),), (LEVER,))
    play(bench, (paid(certain=False), ReadTubes, Paying), (LOST, Paying, no(ClaimOpened)))
    bench.changer_up(tubes_with({100: 1, 50: 5}))  # 0.50 left, 1.00 jammed
    play(bench, (now, Owed, 100, "WE OWE YOU 1.00 | SPEND OR REF4821"))
    assert bench.accounts[ledger.UNEXPLAINED] == 0


def test_changer_silent_in_the_middle_of_a_payout_is_asked():
    bench = play(Bench(world_with(tubes_with({50: 5}))), (coin(50),), (LEVER, Paying))
    play(
        bench,
        (wait(90_000), ReadTubes, Paying),
        (TubesRead(tubes_with({50: 5})), Idle, like(CreditClosed, returned=50)),
        (PayoutEnded("p1", ((2, 1),), certain=True), Idle, no(Posted)),  # too late to count twice
    )


def test_a_payout_whose_tubes_make_no_sense_is_a_claim():
    bench = play(Bench(world_with(tubes_with({50: 5}))), (coin(50),), (LEVER, Paying))
    play(
        bench,
        (paid(certain=False), Paying),
        (
            TubesRead(tubes_with({50: 2})),
            ClaimShown,
            like(SaleDoubtful, booked_as="claim", tender="coin", power_loss=False),
            like(ClaimOpened, amount=50),
        ),
    )
    assert bench.accounts[ledger.UNEXPLAINED] == 200


def test_a_reading_from_before_the_payout_decides_nothing():
    """The changer came back just before it was asked to pay: its counts are older."""
    bench = play(Bench(), (coin(100),), (LEVER, Paying))
    bench.changer_up()
    play(bench, (now, Paying), (TubesRead(bench.world.tubes), Paying), (paid(), Idle))


def test_more_than_was_decided_left_the_tube():
    bench = play(Bench(), (coin(50),), (LEVER, like(PayOut, amount=50)))
    play(bench, (paid(c50=3), Idle))
    assert bench.accounts[ledger.UNEXPLAINED] == 100


def test_coins_that_the_books_did_not_know_left_the_tube():
    bench = play(Bench(world_with(tubes_with({50: 0}))), (coin(50),), (LEVER,))
    play(bench, (paid(c50=2), Idle))
    assert bench.accounts[ledger.UNEXPLAINED] == 0  # one more came to light, and left


@pytest.mark.parametrize(
    "phase",
    [Credit(), ChooseAgain(), Hold(), Owed("4821")],
    ids=lambda p: type(p).__name__,
)
def test_s6_out_of_service_with_credit(phase):
    bench = given(Bench(), phase, 100)
    play(
        bench,
        (OFF, Paying, "RETURNING MONEY | ", set(), PAYOUT),
        (paid(), Idle, "OUT OF SERVICE | ", like(CreditClosed, reason=CreditEnd.OUT_OF_SERVICE)),
    )


def test_s6_out_of_service_with_credit_that_can_t_be_returned():
    world = world_with(tubes_with({}), support_line="CALL 0800 1234")
    bench = given(Bench(world), Credit(), 200)
    play(
        bench,
        (OFF, ClaimShown, "OUT OF SERVICE | REF 4821", like(ClaimOpened, amount=200)),
        (wait(60_000), Idle, "OUT OF SERVICE | CALL 0800 1234"),
    )


def test_s6_out_of_service_while_vending():
    """The vend goes on and is settled, then the rest is returned; no new vend."""
    bench = play(Bench(world_with(multi_vend=True)), (coin(200),), (keyed("A3"),))
    play(
        bench,
        (OFF, Vending, "VENDING A3 | PLEASE WAIT"),
        (left_home,),
        (DROP,),
        (turned(), Paying, like(PayOut, amount=50)),
        (nothing_paid, ClaimShown, "OUT OF SERVICE | REF 4821", like(ClaimOpened, amount=50)),
    )


def test_s6_out_of_service_while_vending_in_vain():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (OFF, Vending))
    play(bench, (failed, Paying, like(PayOut, amount=200)), (paid(), "OUT OF SERVICE | "))


def test_s6_out_of_service_while_vending_and_the_changer_is_dead():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (OFF,), (LOST,), (left_home,), (DROP,))
    play(bench, (turned(), ClaimShown, "OUT OF SERVICE | REF 4821"))


@pytest.mark.parametrize("device", ["keypad", "storage", "motors"])
def test_s6_keypad_dead(device):
    """And whatever else nobody can buy without."""
    fault = FaultStarted("dead", device)
    play(
        Bench(),
        (coin(100),),
        (fault, Paying, PAYOUT, set()),
        (paid(), "OUT OF SERVICE | "),
        (FaultStarted("worse", device), "OUT OF SERVICE | "),
        (FaultEnded("dead", device), "OUT OF SERVICE | "),
        (FaultEnded("worse", device), "MAKE A SELECTION | COINS"),
    )


def test_s6_display_dead():
    bench = play(Bench(), (FaultStarted("dead", "display"), "MAKE A SELECTION | COINS"))
    play(bench, (coin(200),), *delivered("A3"), (paid(), Idle))


def test_a_fault_of_one_slot_s_motor_is_not_the_machine_s():
    play(Bench(), (FaultStarted("stalled", "motors", "", "A1"), "MAKE A SELECTION | COINS"))


def test_s6_no_network_is_no_report():
    """The machine can't even be told of network, backend, clock or broker."""
    words = " ".join(c.__name__.lower() for c in Report.__subclasses__())
    assert not any(w in words for w in ("network", "backend", "broker", "clock", "kafka"))
