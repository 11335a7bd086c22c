"""Sales, and what is left to be closed after them (events.md section 2)."""

from collections.abc import Callable, Mapping
from typing import Final

from vendd.fleet.projection.entry import Entry, as_json
from vendd.fleet.tables import (
    CASH_FLOWS,
    CLOSINGS,
    LAST_SALES,
    MATTERS,
    SALES,
    SLOT_OUTCOMES,
    TOTALS,
)

_NO_PROOF: Final = "none"


def sale_closed(entry: Entry) -> None:
    """The sale itself, the totals that the machine counts along, and its money by tender."""
    data, at_ms = entry.data, entry.event.at_ms
    # The machine counts what was proven to be delivered, whatever became of the money.
    sold = int(data["proof"] != _NO_PROOF)
    value = data["price_charged"] if sold else 0
    count_then, value_then = data["sales_count"], data["sales_value"]
    entry.put(
        TOTALS,
        (),
        sold,
        value,
        entry.seq,
        count_then - sold,
        value_then - value,
        entry.seq,
        count_then,
        value_then,
    )
    entry.put(
        SALES,
        (entry.seq,),
        data["sale_id"],
        data["sale_no"],
        at_ms,
        data["channel"],
        data["outcome"],
        data.get("reason"),
        data["slot"],
        data["product_id"],
        data["quantity"],
        data["price_charged"],
        data["currency"],
        as_json(data["tenders"]),
    )
    outcome, reason = data["outcome"], data.get("reason", "")
    entry.put_by_machine(SLOT_OUTCOMES, (data["slot"], outcome, reason), 1)
    for tender in data["tenders"]:
        if sold and tender.get("applied"):
            entry.put_by_machine(LAST_SALES, (tender["kind"],), at_ms)
        for what in ("inserted", "applied", "returned"):
            _flow(entry, f"sale_{what}:{tender['kind']}", tender.get(what, 0))
    for what in ("change_paid", "change_owed", "overpay_kept"):
        _flow(entry, what, data[what])


def sale_refused(entry: Entry) -> None:
    key = (entry.data["slot"], "refused", entry.data["reason"])
    entry.put_by_machine(SLOT_OUTCOMES, key, 1)


def sale_doubtful(entry: Entry) -> None:
    _open(entry, "doubtful", entry.text("sale_id"), entry.text("booked_as"))


def refund_due(entry: Entry) -> None:
    _open(entry, "refund_due", entry.text("claim_ref"), entry.text("reason"))


def claim_opened(entry: Entry) -> None:
    _open(entry, "claim", entry.text("claim_ref"), entry.text("reason"))


def claim_closed(entry: Entry) -> None:
    amount = entry.number("amount")
    entry.put(
        CLOSINGS,
        (entry.seq,),
        entry.text("claim_ref"),
        entry.event.at_ms,
        amount,
        entry.text("how"),
    )


def sale_resolved(entry: Entry) -> None:
    """Closes a doubtful sale or a refund due, by the sale's id."""
    amount = entry.number("amount")
    entry.put(
        CLOSINGS,
        (entry.seq,),
        entry.text("sale_id"),
        entry.event.at_ms,
        amount,
        entry.text("decision"),
    )


def credit_closed(entry: Entry) -> None:
    for what in ("inserted", "returned", "owed", "forfeited"):
        _flow(entry, f"credit_{what}", entry.data[what])


def _open(entry: Entry, kind: str, ref: str, detail: str) -> None:
    entry.put(
        MATTERS,
        (entry.seq,),
        kind,
        ref,
        entry.data.get("sale_id"),
        entry.event.at_ms,
        entry.number("amount"),
        entry.text("currency"),
        detail,
    )


def _flow(entry: Entry, flow: str, amount: int) -> None:
    if amount:
        entry.put(CASH_FLOWS, (flow, entry.text("currency")), amount, 1)


PROJECTORS: Final[Mapping[str, Callable[[Entry], None]]] = {
    "sale-closed": sale_closed,
    "sale-refused": sale_refused,
    "sale-doubtful": sale_doubtful,
    "sale-resolved": sale_resolved,
    "refund-due": refund_due,
    "claim-opened": claim_opened,
    "claim-closed": claim_closed,
    "credit-closed": credit_closed,
}
