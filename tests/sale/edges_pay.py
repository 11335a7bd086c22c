"""Scripts for the transitions that bills, cards and age checks take: (a bench, lines to play)."""

from collections.abc import Callable
from typing import Any

from tests.sale.bench import FREE, Bench
from tests.sale.edges_cash import OFF, OPEN
from tests.sale.machines import asking, carded, machine
from tests.sale.script import DROP, LEVER, coin, failed, given, keyed, paid, play, turned, wait
from tests.sale.script_bills import bill, returned, stacked, unclear
from tests.sale.script_cards import age, approved, card_gone, settled, tap
from tests.sale.worlds import reader
from vendd.core.facts import Channel, Proof
from vendd.core.sale.card_reports import RevalueSettled, VendApproved
from vendd.core.sale.pieces import Bill, BillDoing, CardPart, Sale
from vendd.core.sale.reports import ChangerLost
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Phase,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)

Start = Callable[[], Bench]
A3, LEVERED, PULLED_OUT = (keyed("A3"),), (LEVER,), (returned(500, "removed"),)
ASKED = OverpayAsked("A3", 50)
LESS = {"tubes": {100: 4}, "overpay_up_to": 50}
OLD = {"ages": {"A3": 18}}
MIXED = {"mixed_tender": True}
ASKED_CARD = CardPart(1, 150, "SN1")
SALE = Sale("s1", 1, "c1", "A3", Channel.KEYPAD, 150, 0, "", Proof.DROP, 0, card=ASKED_CARD)


def _held(phase: Phase, credit: int = 0, **world: Any) -> Start:
    """In that phase with a bill of 5.00 in escrow."""
    return lambda: given(machine(**world), phase, credit, bill=Bill(1, 0, 500))


def _played(start: Start, *lines: tuple[Any, ...]) -> Start:
    return lambda: play(start(), *lines)


def _asking(phase: Phase, credit: int = 0, **world: Any) -> Start:
    """A reader that can be asked before a card is there."""
    return lambda: given(asking(**world), phase, credit)


def _carded(*lines: tuple[Any, ...], **world: Any) -> Start:
    """The card comes first."""
    return lambda: play(carded(**world), *lines)


def _failing(*lines: tuple[Any, ...], **world: Any) -> Start:
    """1.00 in coins and a card, the motor turns; then `lines`, and nothing falls."""
    begun = ((coin(100),), (tap(),), A3, (approved(),), *lines, (failed,))
    return _carded(*begun, **MIXED, **world)


_changer_lost = ChangerLost("silent")
_HOLDERS = ((Credit(), 0), (ChooseAgain(), 100), (Hold(), 100), (Owed("4821"), 100))
BILL_EDGES = {
    **{(type(p), Stacking): (_held(p, c), A3) for p, c in _HOLDERS},
    **{(type(p), Returning): (_held(p, c), LEVERED) for p, c in _HOLDERS},
    (OverpayAsked, Stacking): (_held(ASKED, **LESS), A3),
    (OverpayAsked, Returning): (_held(ASKED), LEVERED),
    **{(type(p), Idle): (_held(p), PULLED_OUT) for p in (ASKED, ChooseAgain(), Hold())},
    (Idle, ClaimShown): (
        lambda: given(machine(), Idle(), bill=Bill(1, 0, 500, BillDoing.STACKING)),
        (unclear(500),),
    ),
    (Stacking, Vending): (_played(_held(Credit()), A3), (stacked(500),)),
    (Stacking, Credit): (_played(_held(Credit(), 100), A3), (returned(500),)),
    (Stacking, Idle): (_played(_held(Credit()), A3), (returned(500),)),
    (Returning, Idle): (_played(_held(Credit()), LEVERED), (returned(500),)),
    (Returning, Paying): (_played(_held(Credit(), 100), LEVERED), (returned(500),)),
    (Returning, Owed): (_played(_held(Credit(), 100, tubes={}), LEVERED), (returned(500),)),
    (Returning, ClaimShown): (_held(Credit(), 100, tubes={}), (OFF,), (returned(500),)),
    (Vending, Returning): (_played(_held(Credit(), 200), A3), (DROP,), (turned(),)),
    (Paying, Returning): (
        _played(lambda: play(machine(), (coin(100),), LEVERED), (coin(50),), (bill(500),)),
        (paid(),),
    ),
}

CODE = (keyed("00"),)
_revaluing = _carded((tap(revaluable=True),), (coin(100),), revalue=True)
_STANDING = (Credit(), ChooseAgain(), Hold())
CARD_EDGES = {
    (Idle, WaitingForTap): (_asking(Idle()), A3),
    (Idle, SessionOpen): (_carded(), (tap(),)),
    (Idle, AgeCheck): (_carded(**OLD), A3),
    **{(type(p), WaitingForTap): (_asking(p, 100, **MIXED), A3) for p in _STANDING},
    **{(type(p), SessionOpen): (_asking(p, 100, **MIXED), (tap(),)) for p in _STANDING},
    **{(type(p), AgeCheck): (_asking(p, 100, **OLD), A3) for p in _STANDING},
    (ClaimShown, SessionOpen): (_asking(ClaimShown("4821", 50)), (tap(),)),
    (SessionOpen, Authorising): (_carded((tap(),)), A3),
    (SessionOpen, Vending): (_carded((tap(),)), (keyed(FREE),)),
    (SessionOpen, AgeCheck): (_carded((tap(),), **OLD), A3),
    (SessionOpen, Idle): (_carded((tap(),)), (card_gone(),)),
    (SessionOpen, Credit): (_carded((coin(100),), (tap(),), **MIXED), (card_gone(),)),
    (SessionOpen, Revaluing): (_revaluing, CODE),
    (Revaluing, SessionOpen): (
        _played(_revaluing, CODE),
        (RevalueSettled(1, "v1", approved=True),),
    ),
    (Revaluing, Credit): (
        _played(_revaluing, CODE, (card_gone(),)),
        (RevalueSettled(1, "v1", approved=False),),
    ),
    (Revaluing, Idle): (
        _played(_revaluing, CODE, (card_gone(),)),
        (RevalueSettled(1, "v1", approved=True),),
    ),
    (Revaluing, ClaimShown): (_played(_revaluing, CODE), (wait(30_000),)),
    (AgeCheck, SessionOpen): (_carded((tap(),), A3, **OLD), (age(),)),
    (AgeCheck, Credit): (_carded((coin(200),), A3, **OLD), (age(),)),
    (AgeCheck, Idle): (_carded(A3, **OLD), (age(),)),
    (WaitingForTap, Authorising): (_played(_asking(Idle()), A3), (approved(),)),
    (WaitingForTap, Idle): (_played(_asking(Idle()), A3), LEVERED),
    (WaitingForTap, Credit): (_played(_asking(Idle()), A3), (coin(50),)),
    (Authorising, Vending): (_carded((tap(),), A3), (approved(),)),
    (Authorising, Idle): (_carded((tap(),), A3), LEVERED),
    (Authorising, Credit): (_carded((coin(100),), (tap(),), A3, **MIXED), (OPEN,)),
    (Authorising, Refunding): (
        lambda: given(asking(), Authorising(SALE), locked=("anti_jackpot",)),
        (VendApproved(1, "s1", 150),),
    ),
    (Vending, SessionOpen): (
        lambda: carded(reader(multi_vend=True), multi_vend=True),
        *((tap(),), A3, (approved(),), (DROP,), (turned(),)),
    ),
    (Vending, Refunding): (_carded((tap(),), A3, (approved(),)), (failed,)),
    (Refunding, Idle): (_carded((tap(),), A3, (approved(),), (failed,)), (settled(),)),
    (Refunding, ChooseAgain): (_failing(), (settled(),)),
    (Refunding, Credit): (_failing((OPEN,)), (settled(),)),
    (Refunding, Paying): (_failing(LEVERED), (settled(),)),
    (Refunding, Returning): (_failing(LEVERED, (bill(500),)), (settled(),)),
    (Refunding, Owed): (_failing(LEVERED, (_changer_lost,)), (settled(),)),
    (Refunding, ClaimShown): (_failing(LEVERED, (OFF,), (_changer_lost,)), (settled(),)),
}
