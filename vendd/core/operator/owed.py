"""What is owed or unknown: claims are closed and doubtful sales decided by people, never by the
machine (M6)."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Final

from vendd.core import ledger
from vendd.core.facts import ClaimClosed, Decision, SaleDoubtful, SaleResolved
from vendd.core.operator.kept import Kept
from vendd.core.operator.orders import CloseClaim, ResolveDoubt
from vendd.core.operator.verdicts import Case, Change, Decided, Refused, Why
from vendd.core.rows import DoubtSet, Posted, Record

_REFUND_DUE: Final = "refund_due"


def close_claim(order: CloseClaim, case: Case) -> Decided | Refused:
    """Settled outside the machine's stores: nothing is paid out here."""
    claim = case.world.claims.get(order.ref)
    if claim is None:
        return Refused(
            Why.NOT_FOUND, f"there is no open claim {order.ref}", "vendctl claims list shows them"
        )
    if any(vend.ref == order.ref for vend in case.state.open_vends):
        return Refused(
            Why.STATE,
            f"the card reader may still give {order.ref} back by itself",
            "wait for its answer, or until it was restarted",
        )
    owing = ledger.REFUNDS_DUE if claim.reason == _REFUND_DUE else ledger.CLAIMS
    settled = ledger.OVERPAY if order.how == "written_off" else ledger.CORRECTIONS
    user = case.person.user
    return Decided(
        (Change(f"claim {order.ref}", "closed", None, order.how),),
        (
            Posted(owing, settled, claim.amount, f"claim_{order.how}", order.ref),
            replace(claim, closed_how=order.how, closed_by=user),
            ClaimClosed(order.ref, claim.amount, order.how, user),
        ),
    )


def resolve_doubt(order: ResolveDoubt, case: Case) -> Decided | Refused:
    """What it was booked as stays; the decision is on record, in the audit and with the fleet."""
    doubt = case.world.doubts.get(order.number)
    if doubt is None:
        return Refused(
            Why.NOT_FOUND,
            f"there is no open doubtful sale {order.number}",
            "vendctl doubtful list shows them",
        )
    if not case.why:
        return Refused(Why.INVALID, "a decision needs a reason", "say --why")
    decision, user = Decision(order.decision), case.person.user
    return Decided(
        (Change(f"doubtful {order.number}", "decision", None, order.decision),),
        (
            replace(doubt, decision=order.decision, decided_by=user, why=case.why),
            SaleResolved(
                doubt.sale_id, decision, doubt.amount, user, case.why, f"doubtful {order.number}"
            ),
        ),
    )


def doubts_of(records: Iterable[Record], kept: Kept) -> tuple[tuple[DoubtSet, ...], Kept]:
    """A row for each sale that became doubtful with these records, numbered."""
    rows: list[DoubtSet] = []
    for fact in records:
        if isinstance(fact, SaleDoubtful):
            kept = replace(kept, doubts=kept.doubts + 1)
            rows.append(_row(kept.doubts, fact))
    return tuple(rows), kept


def _row(number: int, fact: SaleDoubtful) -> DoubtSet:
    evidence = {name: value for name, value in asdict(fact.evidence).items() if value is not None}
    return DoubtSet(
        number,
        fact.sale_id,
        fact.amount,
        fact.tender,
        fact.policy,
        fact.booked_as,
        json.dumps(evidence, separators=(",", ":")),
    )
