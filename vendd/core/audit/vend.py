"""Vends as the audit counts them (EVA-DTS 6.1.1, sections 5.1.8, 5.2.3 and 5.2.4).

VA1, the tenders and PA2 count list prices, discounts and surcharges stand beside them, and PA7
counts what was really charged: all of PA7 together is the account ``sales``. With several
tenders each is booked where it came from, and each counts one vend.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from vendd.core.facts import Channel
from vendd.core.rows import Vended, VendPart

CASH: Final = "CA"
TOKEN: Final = "TA"
CASHLESS: Final = ("DA", "DB")
_TEST: Final = (Channel.TEST, Channel.SERVICE)


class Count(NamedTuple):
    """One counter. `subject`: the product for PA2, PA3, PA4 and PA8, for PA7 product, device,
    price list and price with ``*`` between them; otherwise empty."""

    segment: str
    subject: str
    what: str


Counts = Iterator[tuple[Count, int]]


def of_vend(vend: Vended) -> Counts:
    """Each counter that this vend moves, and by how much."""
    if vend.channel in _TEST:
        yield from _pair("VA2", "", vend.price)
        yield from _pair("PA3", vend.selection, vend.price)
    elif not vend.parts:
        yield from _pair("VA3", "", vend.price)
        yield from _pair("PA4", vend.selection, vend.price)
    else:
        yield from _paid(vend)


def _paid(vend: Vended) -> Counts:
    charged = sum(part.amount for part in vend.parts)
    listed = charged + vend.discount - vend.surcharge
    for segment, subject in (("VA1", ""), ("PA2", vend.selection)):
        yield from _pair(segment, subject, listed)
        yield from _reductions(segment, subject, vend)
    mixed = len(vend.parts) > 1
    for part in vend.parts:
        yield from _tender(vend, part)
        where = f"{vend.selection}*{part.device}*{part.price_list}*{vend.price}"
        yield from _pair("PA7", where, part.amount)
        if mixed and part.device in CASHLESS:
            yield from _pair(f"{part.device}10", "", part.amount)
        if mixed and part.device == CASH:
            yield from _pair("PA8", vend.selection, part.amount)


def _tender(vend: Vended, part: VendPart) -> Counts:
    """A reduction is the last tender's (cash pays first): what it pays is counted without."""
    last = part is vend.parts[-1]
    listed = part.amount + (vend.discount - vend.surcharge if last else 0)
    if part.worth is not None:
        yield from _value_token(part.worth, listed)
        return
    yield from _pair(f"{part.device}2", "", listed)
    if last and part.device in CASHLESS:
        yield from _reductions(f"{part.device}5", "", vend)


def _value_token(worth: int, listed: int) -> Counts:
    """What it is worth beyond the price is kept."""
    yield Count("TA2", "", "token_value"), listed
    yield Count("TA2", "", "token_number"), 1
    if worth > listed:
        yield Count("TA3", "", "value"), worth
        yield Count("TA5", "", "value"), worth - listed


def _reductions(segment: str, subject: str, vend: Vended) -> Counts:
    for what, amount in (("discount", vend.discount), ("surcharge", vend.surcharge)):
        if amount:
            yield Count(segment, subject, f"{what}_value"), amount
            yield Count(segment, subject, f"{what}_number"), 1


def _pair(segment: str, subject: str, value: int) -> Counts:
    yield Count(segment, subject, "value"), value
    yield Count(segment, subject, "number"), 1
