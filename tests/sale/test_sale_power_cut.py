"""Section 9: power cuts, one test per row of `power_cut.CUTS`, and what needs a longer story."""

import pytest

from tests.sale.bench import DAY_MS, Bench, tubes_with, world_with
from tests.sale.power_cut import CUTS, Cut
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
    CashMoved,
    Channel,
    ClaimOpened,
    CreditClosed,
    CreditEnd,
    MachineStarted,
    Outcome,
    Proof,
    Reason,
    SaleClosed,
    SaleDoubtful,
    Security,
)
from vendd.core.policy import ForceVend
from vendd.core.rows import Posted
from vendd.core.sale.acts import PayOut
from vendd.core.sale.pieces import (
    Sale,
    Session,
)
from vendd.core.sale.reports import CoinAccepted, CoinPath, DoorMoved, PayoutEnded, Started
from vendd.core.sale.states import (
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)

TUBES = {10: 20, 20: 20, 50: 20, 100: 20}


@pytest.mark.parametrize("cut", CUTS, ids=lambda c: c.row)
def test_s9_power_cut(cut: Cut):
    bench = play(Bench(world_with(**cut.policies)), *cut.script)
    bench.power_cut(homes={"A3": cut.home})
    assert not [a for a in bench.acts if isinstance(a, TURN | PAYOUT)]  # nothing moves by itself
    assert (type(bench.state.phase), bench.state.credit) == (cut.phase, cut.credit)
    assert bench.level("A3") == cut.level
    assert bench.slot_state("A3") is cut.slot
    doubts = [(d.policy, d.booked_as, d.power_loss) for d in bench.all(SaleDoubtful)]
    assert doubts == ([(cut.policy, cut.booked_as, True)] if cut.policy else [])
    (started,) = bench.all(MachineStarted)
    assert started.sale_in_flight == (None if cut.outcome is None else "s1")
    assert started.credit_restored == cut.credit
    _and_then(bench, cut)


def _and_then(bench: Bench, cut: Cut) -> None:
    """The changer comes up; the money goes its way; one outcome."""
    bench.changer_up()
    if cut.phase is Credit:
        play(bench, (now, "CREDIT      2.00 | MAKE SELECTION"), (wait(299_000), Credit))
        play(bench, (wait(1_000), Paying, like(PayOut, amount=200)), (paid(), Idle))
    elif cut.phase is Paying:
        play(bench, (now, "PAYING CHANGE | PLEASE WAIT", PAYOUT), (paid(), Idle))
    assert [s.outcome for s in bench.all(SaleClosed)] == ([cut.outcome] if cut.outcome else [])
    assert [s.proof for s in bench.all(SaleClosed)] == ([cut.proof] if cut.outcome else [])


def test_s9_second_time_in_a_day():
    """The same story twice in 24 h is no accident: delivered, from then on."""
    bench = Bench()
    for n in range(3):
        play(bench, (coin(200),), (keyed("A3"),), (left_home,))
        bench.power_cut(off_ms=DAY_MS // 2, homes={"A3": True}).changer_up()
        if n:
            play(bench, (now, Paying), (paid(), Idle))
        else:
            play(bench, (now, Credit, 200), (LEVER,), (paid(), Idle))
    assert [d.booked_as for d in bench.all(SaleDoubtful)] == ["refunded", "sold", "sold"]
    assert [s.outcome for s in bench.all(SaleClosed)] == [Outcome.DOUBTFUL] * 3
    assert [s.price_charged for s in bench.all(SaleClosed)] == [0, 150, 150]
    assert bench.level("A3") == 3


def test_s9_second_time_a_week_later():
    bench = Bench()
    for _ in range(2):
        play(bench, (coin(200),), (keyed("A3"),), (left_home,))
        bench.power_cut(off_ms=7 * DAY_MS, homes={"A3": True}).changer_up()
        play(bench, (now, Credit, 200), (LEVER,), (paid(), Idle))
    assert [d.booked_as for d in bench.all(SaleDoubtful)] == ["refunded", "refunded"]


@pytest.mark.parametrize(
    ("tubes", "credit"),
    [
        pytest.param({**TUBES, 50: 21}, 50, id="one coin"),
        pytest.param({**TUBES, 50: 21, 100: 21}, 150, id="two coins"),
        pytest.param(
            {**TUBES, 50: 22, 10: 28}, 180, id="ten: a customer at a bus that polls itself"
        ),
        pytest.param({**TUBES, 50: 31}, 0, id="eleven: somebody filled it"),
        pytest.param({**TUBES, 50: 21, 100: 19}, 0, id="another one is missing"),
        pytest.param({**TUBES, 50: 19}, 0, id="one less"),
        pytest.param(TUBES, 0, id="nothing: a coin in the box leaves no evidence"),
    ],
)
def test_s9_coin_in_flight(tubes, credit):
    bench = Bench().power_cut().changer_up(tubes_with(tubes))
    assert bench.state.credit == credit
    assert type(bench.state.phase) is (Credit if credit else Idle)
    assert bench.world.tubes == tubes_with(tubes)
    difference = sum(v * (n - TUBES[v]) for v, n in tubes.items())
    assert -bench.accounts[ledger.UNEXPLAINED] == difference - credit
    if difference != credit:
        assert bench.all(CashMoved)[0].reason == "restart_difference"


def test_s9_coin_in_flight_adds_to_the_credit():
    bench = play(Bench(), (coin(100),)).power_cut()
    bench.changer_up(tubes_with({**TUBES, 100: 22}))
    assert bench.screen == "CREDIT      2.00 | MAKE SELECTION"


def test_s9_coin_in_flight_with_the_door_open():
    bench = Bench()
    bench.service = type(bench.service)(door_open=True)
    bench.power_cut().changer_up(tubes_with({**TUBES, 50: 21}))
    assert bench.state.credit == 0


def test_s9_coin_in_flight_when_only_the_changer_lost_power():
    """Its RESET drops what it had not reported: the tubes are the coin's only evidence (M4)."""
    bench = Bench().changer_up(tubes_with({**TUBES, 50: 21}))
    assert bench.state.credit == 50


def test_s9_many_coins_more_after_a_changer_reset_are_nobodys_credit():
    bench = Bench().changer_up(tubes_with({**TUBES, 50: 34}))
    assert bench.state.credit == 0


@pytest.mark.parametrize("together", [1, 2])
def test_s9_coin_in_flight_that_is_reported_after_all(together):
    """It fell between the changer's reset and its count: counted first, reported then. One
    coin, one credit; the next of its kind is a new one."""
    bench = Bench().power_cut().changer_up(tubes_with({**TUBES, 50: 20 + together}))
    kind = coin(50).type
    for _ in range(together):
        play(bench, (CoinAccepted(kind, 50, CoinPath.TUBE, 20 + together), Credit, 50 * together))
    play(bench, (CoinAccepted(kind, 50, CoinPath.TUBE, 21 + together), 50 * together + 50))
    assert bench.accounts[ledger.tube(50)] == (21 + together) * 50


def test_s9_coin_in_flight_whose_report_never_comes():
    """The next coin of its kind counts one more: it is credited."""
    bench = Bench().power_cut().changer_up(tubes_with({**TUBES, 50: 21}))
    play(bench, (CoinAccepted(coin(50).type, 50, CoinPath.TUBE, 22), Credit, 100))


@pytest.mark.parametrize("kind", ["refund", "change"])
@pytest.mark.parametrize(
    ("tubes", "returned"),
    [
        pytest.param({50: 9, 20: 20}, 70, id="all out"),
        pytest.param({50: 9, 20: 21}, 50, id="one coin out, one not"),
        pytest.param({50: 10, 20: 21}, 0, id="nothing out"),
    ],
)
def test_s9_during_payout(kind, tubes, returned):
    """Remaining = decided - paid by the tubes: never paid twice, a claim."""
    bench = Bench(world_with(tubes_with({50: 9, 20: 20})))
    if kind == "refund":
        play(bench, (coin(50),), (coin(20),), (LEVER, like(PayOut, amount=70)))
    else:
        play(bench, (coin(50),), (coin(20),), (coin(100),), *delivered("A1"))
        tubes = {**tubes, 100: 1}
    play(bench, (now, Paying, 0))
    bench.power_cut()
    play(bench, (now, Paying, 0, no(PAYOUT)))
    bench.changer_up(tubes_with(tubes))
    owed = 70 - returned
    play(bench, (now, ClaimShown if owed else Idle, 0, no(PAYOUT)))
    assert [(c.amount, c.reason) for c in bench.all(ClaimOpened)] == (
        [(owed, "power_loss")] if owed else []
    )
    assert bench.accounts[ledger.UNEXPLAINED] == 0
    assert not bench.all(SaleDoubtful)
    for sale in bench.all(SaleClosed):
        assert (sale.outcome, sale.change_due, sale.change_paid) == (Outcome.SOLD, 70, returned)


@pytest.mark.parametrize(
    "tubes",
    [{50: 3}, {50: 30}],
    ids=["more gone than was decided", "coins were put in"],
)
def test_s9_during_payout_and_the_tubes_make_no_sense(tubes):
    bench = play(Bench(world_with(tubes_with({50: 9}))), (coin(50),), (LEVER,))
    bench.power_cut().changer_up(tubes_with(tubes))
    play(bench, (now, ClaimShown))
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.booked_as, doubt.amount, doubt.power_loss) == ("claim", 50, True)
    assert doubt.evidence.tubes_before != doubt.evidence.tubes_now
    assert [c.amount for c in bench.all(ClaimOpened)] == [50]


def test_s9_during_payout_and_the_door_was_opened():
    bench = play(Bench(world_with(tubes_with({50: 9}))), (coin(50),), (LEVER,)).power_cut()
    play(bench, (DoorMoved(open=True),), (DoorMoved(open=False), Paying))
    bench.changer_up(tubes_with({50: 9}))
    play(bench, (now, ClaimShown))
    assert bench.all(SaleDoubtful)[0].evidence.door_opened_between is True


def test_s9_during_payout_and_the_changer_never_comes_back():
    bench = play(Bench(), (coin(200),), *delivered("A3"), (now, Paying)).power_cut()
    play(bench, (wait(90_000), ClaimShown))
    assert [c.amount for c in bench.all(ClaimOpened)] == [50]
    assert bench.all(SaleClosed)[0].outcome is Outcome.DOUBTFUL


def test_s9_during_payout_an_answer_of_the_previous_life_counts_for_nothing():
    bench = play(Bench(world_with(tubes_with({50: 9}))), (coin(50),), (LEVER,)).power_cut()
    play(bench.changer_up(tubes_with({50: 9})), (now, Idle))
    play(bench, (PayoutEnded("p1", ((2, 1),), certain=True), Idle, no(Posted)))


def test_a_payout_that_was_not_asked_for_yet_survives_a_second_cut():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (DROP,)).power_cut().power_cut()
    play(bench, (now, Paying))
    play(bench.changer_up(), (now, Paying, PAYOUT), (paid(), Idle))
    assert [s.outcome for s in bench.all(SaleClosed)] == [Outcome.SOLD]


def test_a_coin_that_comes_before_the_changer_can_pay_the_change_is_part_of_it():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (DROP,)).power_cut()
    play(bench, (coin(20), Paying, 20))
    play(bench.changer_up(), (now, Paying, like(PayOut, amount=70)), (paid(), Idle))
    (sale,) = bench.all(SaleClosed)
    assert (sale.tenders[0].inserted, sale.change_due, sale.change_paid) == (220, 70, 70)


def test_change_waits_for_a_changer_that_never_comes():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (DROP,)).power_cut()
    play(bench, (wait(89_999), Paying), (wait(1), Owed, 50), (wait(300_000), ClaimShown))


def test_the_lever_before_the_changer_is_up():
    bench = play(Bench(), (coin(100),)).power_cut()
    play(bench, (LEVER, Paying, "RETURNING MONEY | ", no(PAYOUT)))
    play(bench.changer_up(), (now, Paying, PAYOUT), (paid(), Idle))


def test_a_remembered_lever_survives_the_cut():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (LEVER, Vending)).power_cut(
        homes={"A3": True}
    )
    play(bench, (now, Paying))
    play(bench.changer_up(), (now, like(PayOut, amount=200)), (paid(), Idle))


@pytest.mark.parametrize(
    ("phase", "then"),
    [
        (Credit(), Credit),
        (OverpayAsked("A3", 50), Credit),
        (ChooseAgain(), Credit),
        (Hold(), Credit),
        (Owed("4821"), Owed),
    ],
    ids=lambda p: getattr(p, "__name__", type(p).__name__),
)
def test_a_credit_s_time_starts_anew(phase, then):
    bench = given(Bench(), phase, 100).power_cut().changer_up()
    play(bench, (wait(299_999), then, 100), (wait(1), 0))


def test_a_claim_on_the_display_is_not_shown_again():
    bench = play(Bench(), (coin(100),), (LEVER,), (nothing_paid, Owed), (wait(300_000), ClaimShown))
    play(bench.power_cut(), (now, Idle))


def test_out_of_service_before_the_cut_and_after_it():
    bench = given(Bench(), Credit(), 100)
    bench.service = type(bench.service)(reasons=("operator",))
    bench.power_cut()
    play(bench, (now, Paying, no(PAYOUT)))
    play(bench.changer_up(), (now, PAYOUT), (paid(), "OUT OF SERVICE | "))


def test_a_force_vend_customer_whose_vend_the_cut_ended_may_leave():
    bench = play(Bench(world_with(force_vend=ForceVend.ALL)), (coin(200),), (keyed("A3"),))
    bench.power_cut(homes={"A3": True}).changer_up()
    play(bench, (LEVER, PAYOUT))


@pytest.mark.parametrize("phase", [WaitingForTap, Authorising, Stacking])
@pytest.mark.parametrize("credit", [0, 100])
def test_states_of_other_tenders_end_without_a_vend(phase, credit):
    """Their rows come with their devices; a state that was stored is never a dead end."""
    sale = Sale("s1", 1, "c1", "A3", Channel.KEYPAD, 150, 0, "", Proof.DROP, credit)
    bench = given(Bench(), phase(sale), credit)
    bench.power_cut()
    play(bench, (now, Credit if credit else Idle, credit))
    closed = bench.all(SaleClosed)
    assert [(s.outcome, s.reason) for s in closed] == [(Outcome.CANCELLED, Reason.POWER_LOSS)]


def test_a_session_without_a_selection_is_over():
    play(given(Bench(), SessionOpen(Session(1))).power_cut(), (now, Idle))


def test_a_first_start_is_a_start():
    bench = Bench(state=State())
    play(bench, (Started("planned", clean=True), Idle, like(MachineStarted, sale_in_flight=None)))


def test_the_end_of_a_credit_that_a_cut_interrupted_is_told_once():
    bench = play(Bench(), (coin(100),)).power_cut().changer_up()
    play(bench, (LEVER,), (paid(), like(CreditClosed, reason=CreditEnd.LEVER, inserted=100)))
    assert len(bench.all(CreditClosed)) == 1


def test_a_failed_vend_is_not_told_again_after_a_cut():
    bench = play(Bench(), (coin(100),), (keyed("A1"),), (failed, ChooseAgain)).power_cut()
    assert len(bench.all(SaleClosed)) == 1
    assert not bench.all(SaleDoubtful)
    play(bench.changer_up(), (turned(), Credit))


def test_a_drop_after_a_cut_is_not_the_second_one_of_a_sale_before_it():
    bench = play(Bench(), (coin(100),), *delivered("A1")).power_cut()
    play(bench, (DROP, like(Security, kind="drop_without_sale")))


def test_a_drop_after_a_cut_can_be_the_one_that_was_refunded():
    bench = play(Bench(), (coin(200),), (keyed("A3"),), (left_home,))
    bench.power_cut(homes={"A3": False})
    play(bench, (DROP, like(Security, kind="dropped_after_refund"), 200))
    assert bench.level("A3") == 4
