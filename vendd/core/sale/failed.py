"""After a vend that failed: the customer's credit is whole again, and what follows from that."""

from vendd.core.facts import CreditEnd
from vendd.core.sale.closing import leave, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import give_back
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
)


def not_delivered(d: Draft, sale: Sale, ref: str | None = None) -> None:
    """The sale is closed. `ref`: what the card paid is a refund that is due."""
    if d.state.money == 0:
        _nothing_left(d, sale, ref)
        return
    customer = d.customer()
    d.customer_with(failures=customer.failures + 1, lever=False)
    if d.world.door_open:
        to_credit(d)  # returned when the door closes
    elif customer.lever or customer.failures >= 1:
        give_back(d, CreditEnd.VEND_FAILED)
    else:
        d.go(ChooseAgain(), d.policy.choose_again_ms)
        if ref is not None:
            d.say("not_delivered_ref", d.policy.refusal_ms, ref=ref)


def _nothing_left(d: Draft, sale: Sale, ref: str | None) -> None:
    leave(d)
    if ref is not None and d.shut:
        d.go(ClaimShown(ref), d.policy.claim_ms)
    elif ref is not None:
        d.say("not_delivered_ref", d.policy.claim_ms, ref=ref)
    elif sale.card is not None and sale.card.approved:
        d.say("card_refunded", d.policy.thanks_ms)
    else:
        d.say("not_available", d.policy.refusal_ms, selection=sale.selection)
