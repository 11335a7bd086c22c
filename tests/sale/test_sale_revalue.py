"""Cash onto a card: only when its holder asks for it (R3), and never a guess about it."""

from tests.sale.machines import carded
from tests.sale.script import LEVER, PAYOUT, TURN, coin, key, keyed, like, no, now, paid, play, wait
from tests.sale.script_cards import card_gone, tap
from vendd.core import ledger
from vendd.core.facts import ClaimOpened, CreditClosed, CreditEnd, SaleDoubtful
from vendd.core.sale.acts import CompleteSession, RequestVend, Revalue
from vendd.core.sale.card_reports import RevalueSettled
from vendd.core.sale.reports import DoorMoved
from vendd.core.sale.states import ClaimShown, Credit, Idle, Revaluing, SessionOpen

TAPPED = (tap(revaluable=True), SessionOpen)
CODE = keyed("00")
OPEN = DoorMoved(open=True)


def machine(**more):
    return carded(revalue=True, **more)


def settled(*, approved: bool, doubtful: bool = False):
    """The newest wish is answered."""

    def answer(bench):
        asked = bench.newest(Revalue)
        bench.report(RevalueSettled(asked.reader, asked.revalue_id, approved, doubtful))

    return answer


def test_credit_goes_on_the_card_of_who_asks():
    bench = play(
        machine(),
        TAPPED,
        (coin(200), "CREDIT      2.00 | 00 PUTS ON CARD", 200),
        (CODE, Revaluing, like(Revalue, reader=1, amount=200), "PLEASE WAIT | ", set()),
        (
            settled(approved=True),
            SessionOpen,
            0,
            "THANK YOU | 2.00 ON CARD",
            like(CreditClosed, inserted=200, returned=0, revalued=200, reason=CreditEnd.REVALUED),
        ),
        (card_gone(), Idle),
    )
    assert bench.accounts[ledger.cashless(1)] == -200


def test_a_card_that_can_t_be_revalued_takes_no_cash():
    play(machine(), (tap(), SessionOpen, set()))
    play(carded(), (tap(revaluable=True), SessionOpen, set()))


def test_without_a_card_the_code_is_no_selection():
    play(machine(), (coin(200), 200), (CODE, no(Revalue), "00 INVALID | "))


def test_refused_by_the_reader_the_credit_stands():
    play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (CODE, Revaluing),
        (settled(approved=False), SessionOpen, 100, no(CreditClosed)),
        (LEVER, PAYOUT),
        (paid(), Idle, 0),
    )


def test_keys_and_lever_wait_for_the_answer():
    play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (CODE, Revaluing),
        (key("A"), Revaluing),
        (LEVER, Revaluing, no(PAYOUT)),
        (card_gone(), Revaluing),
        (settled(approved=False), Credit, 100),
    )


def test_a_card_taken_away_after_the_wish_is_a_card_with_the_money():
    play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (CODE, Revaluing),
        (card_gone(), Revaluing),
        (settled(approved=True), Idle, 0),
    )


def test_no_answer_is_a_claim_published_as_doubtful():
    bench = play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (CODE, Revaluing),
        (settled(approved=False, doubtful=True), ClaimShown, 0),
    )
    assert [c.reason for c in bench.all(ClaimOpened)] == ["revalue_unclear"]
    (doubt,) = bench.all(SaleDoubtful)
    assert (doubt.policy, doubt.booked_as, doubt.power_loss) == ("revalue_unknown", "claim", False)


def test_silence_ends_in_a_claim_as_well():
    play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing), (wait(30_000), ClaimShown, 0))


def test_an_answer_that_comes_after_the_claim_changes_nothing():
    play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (CODE, Revaluing),
        (wait(30_000), ClaimShown),
        (settled(approved=True), ClaimShown, 0),
    )


def test_power_cut_while_the_reader_is_asked():
    bench = play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing)).power_cut()
    play(bench, (now, ClaimShown, 0))
    assert [d.power_loss for d in bench.all(SaleDoubtful)] == [True]


def test_cash_put_in_for_the_card_is_not_mixed_with_it():
    play(
        machine(),
        TAPPED,
        (coin(100), 100),
        (keyed("A3"), SessionOpen, no(RequestVend), "A3          1.50 | PLEASE ADD 0.50"),
        (coin(50), 150),
        (keyed("A3"), TURN, like(CompleteSession, reader=1)),
    )


def test_the_door_opens_while_the_card_is_asked():
    """Its session ends with the answer."""
    bench = play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing), (OPEN, Revaluing))
    play(bench, (settled(approved=True), Idle, CompleteSession))
    bench = play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing), (OPEN, Revaluing))
    play(bench, (settled(approved=False), Credit, 100, CompleteSession))


def test_an_answer_that_never_comes_ends_the_session():
    bench = play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing))
    play(bench, (wait(30_000), ClaimShown, CompleteSession, like(ClaimOpened, amount=100)))


def test_a_coin_that_falls_while_the_card_is_asked():
    """It stays credit; the last word on the session names both."""
    bench = play(machine(), TAPPED, (coin(100), 100), (CODE, Revaluing), (coin(50), 150))
    play(bench, (settled(approved=True), SessionOpen, 50, no(CreditClosed)), (LEVER, PAYOUT))
    play(bench, (paid(), like(CreditClosed, inserted=150, returned=50, revalued=100)))
