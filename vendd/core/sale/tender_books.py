"""Which tender paid what of a sale, as the audit divides it.

Per tender inserted = applied + returned + what is still owed. Of cash credit, coins are spent and
returned first.
"""

from typing import Final

from vendd.core.facts import Channel, RefundState, Tender, TenderKind
from vendd.core.policy import Policy
from vendd.core.rows import Vended, VendPart
from vendd.core.sale.pieces import (
    CardPart,
    Sale,
)

_AUDIT: Final = {1: "DA", 2: "DB"}
"""EVA-DTS 6.1: cashless device 1 and 2."""


def tenders_of(
    sale: Sale, sold: bool, returned: int, refund_state: RefundState
) -> tuple[Tender, ...]:
    """The tenders of one sale; `returned` is the change that was paid for it."""
    free = sale.channel is Channel.FREE
    tenders = [Tender(kind=TenderKind.FREE, device="cash", audit_device="CA")] if free else []
    applied = sale.from_credit + sale.overpay if sold else 0
    tenders += _cash(sale, applied, returned)
    if sale.card is not None:
        tenders.append(_card(sale.card, sold, refund_state))
    if not tenders:  # nothing was in, and nothing was taken
        tenders.append(Tender(kind=TenderKind.COIN, device="cash", audit_device="CA"))
    return tuple(tenders)


def _cash(sale: Sale, applied: int, returned: int) -> list[Tender]:
    bills = min(sale.bills_before, sale.credit_before)
    coins = sale.credit_before - bills
    by_coins = min(applied, coins)
    back = min(returned, coins - by_coins)
    tenders = []
    if coins:
        tenders.append(Tender(TenderKind.COIN, "cash", "CA", coins, by_coins, back))
    if bills:
        rest = returned - back
        tenders.append(Tender(TenderKind.BILL, "cash", "CA", bills, applied - by_coins, rest))
    return tenders


def _card(card: CardPart, sold: bool, refund_state: RefundState) -> Tender:
    approved = card.approved or 0
    confirmed = refund_state is RefundState.CONFIRMED
    return Tender(
        kind=TenderKind.TOKEN if card.token else TenderKind.CARD,
        device=f"cashless{card.reader}",
        audit_device=_AUDIT[card.reader],
        inserted=approved,
        applied=approved if sold else 0,
        returned=approved if confirmed else 0,
        approved=card.approved,
        reader_serial=card.serial,
        media_hash=card.media_hash or None,
        approved_at=card.approved_at,
        refund_state=refund_state,
    )


def vended(sale: Sale, policy: Policy) -> Vended:
    """The vend as the audit's counters see it."""
    free = sale.channel is Channel.FREE
    return Vended(
        sale_id=sale.id,
        selection=sale.selection,
        channel=sale.channel,
        price=sale.price,
        parts=() if free else _parts(sale, policy),
        discount=sale.discount,
        surcharge=sale.surcharge,
    )


def _parts(sale: Sale, policy: Policy) -> tuple[VendPart, ...]:
    number = list_number(sale.price_list)
    if sale.channel is Channel.APP:
        return (VendPart(policy.app_audit_device, sale.charged, number),)
    if sale.card is None:
        return (VendPart("CA", sale.from_credit, number),)
    device = "TA" if sale.card.token else _AUDIT[sale.card.reader]
    card = VendPart(device, sale.card.approved or 0, number)
    return (VendPart("CA", sale.from_credit), card) if sale.from_credit else (card,)


def list_number(name: str) -> int:
    """EVA-DTS PA703: 0 for cash, 1 for cards, as a reader numbers those it asks for."""
    if name.startswith("list_") and name[5:].isdigit():
        return int(name[5:])
    return {"cash": 0, "card": 1}.get(name, 99)
