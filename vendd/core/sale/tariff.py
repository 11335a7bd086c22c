"""What a slot costs by which means of payment: price lists, surcharges and discounts are data."""

from dataclasses import dataclass

from vendd.core.planogram import Slot
from vendd.core.policy import Policy
from vendd.core.sale.pieces import (
    Session,
)

CASH = "cash"
CARD = "card"


@dataclass(frozen=True, slots=True)
class Tariff:
    """`price` = `listed` - `discount` + `surcharge`, minor units; `price_list` names the list."""

    price: int
    listed: int
    price_list: str
    discount: int = 0
    surcharge: int = 0


def for_cash(slot: Slot) -> Tariff:
    """What coins and bills pay."""
    price = slot.price(CASH)
    return Tariff(price, price, CASH)


def for_card(slot: Slot, policy: Policy, session: Session | None = None) -> Tariff:
    """What a card pays. A list that the card asks for counts where the slot has it; else the
    slot's own card price, else the cash price with the owner's surcharge or discount."""
    wanted = session.price_list if session is not None else ""
    if slot.free:
        return Tariff(0, 0, CARD)
    if wanted and wanted in slot.prices:
        listed, name, more, less = slot.prices[wanted], wanted, 0, 0
    elif CARD in slot.prices:
        listed, name, more, less = slot.prices[CARD], CARD, 0, 0
    else:
        listed, name = slot.price(CASH), CASH
        more, less = policy.card_surcharge, policy.card_discount
    if session is not None:
        more += _percent(listed, session.surcharge)
        less += _percent(listed, session.discount)
    less = min(less, listed + more)
    return Tariff(listed + more - less, listed, name, less, more)


def _percent(amount: int, percent: int) -> int:
    """Half a minor unit counts up."""
    return (amount * percent + 50) // 100
