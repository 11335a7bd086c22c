"""Cash as the audit counts it, read from the ledger's rows (EVA-DTS 6.1.1, section 5.1.8).

What nobody saw move (account ``unexplained``) is in no counter, except where a device says that
it paid or took it all the same.
"""

from collections.abc import Iterator
from typing import Final

from vendd.core import ledger
from vendd.core.audit.vend import Count, Counts
from vendd.core.rows import Posted

_PAID: Final = (ledger.CHANGE, ledger.REFUNDS)
_READERS: Final = {ledger.cashless(1): "DA", ledger.cashless(2): "DB"}
_TURNED_UP: Final = "bill_turned_up"
_PAID_TOO_MUCH: Final = "paid_too_much"


def of_posting(row: Posted) -> Counts:
    """Each counter that this row of the ledger moves, and by how much."""
    if ledger.is_store(row.debit) and not ledger.is_store(row.credit):
        yield from _in(row)
    elif ledger.is_store(row.credit) and not ledger.is_store(row.debit):
        yield from _out(row)
    elif row.debit == ledger.CUSTOMER and row.credit == ledger.OVERPAY:
        yield Count("CA8", "", "value"), row.amount
    elif row.debit == ledger.CUSTOMER and row.credit in _READERS:
        yield Count(f"{_READERS[row.credit]}4", "", "value"), row.amount


def _in(row: Posted) -> Counts:
    filled = row.credit == ledger.FILLS
    if not filled and row.credit != ledger.CUSTOMER and row.reason != _TURNED_UP:
        return
    for what in ("cash", *_way(row.debit)):
        yield Count("CA3", "", what), row.amount
    if filled:
        bills = "bills" in _way(row.debit)
        yield Count("CA10", "", "bills" if bills else "cash"), row.amount


def _way(store: str) -> Iterator[str]:
    if store == ledger.COIN_BOX:
        yield "box"
    elif store.startswith("tube:"):
        yield "tubes"
    else:
        yield "bills"
        if store.startswith("recycler:"):
            yield "recycler"


def _out(row: Posted) -> Counts:
    """A tube that a person took coins from with the door open was dispensed by hand."""
    by_hand = row.debit in (ledger.MANUAL_DISPENSE, ledger.FILLS)
    if not by_hand and row.debit not in _PAID and row.reason != _PAID_TOO_MUCH:
        return
    yield Count("CA4", "", "cash"), row.amount
    if by_hand:
        yield Count("CA4", "", "manual"), row.amount
