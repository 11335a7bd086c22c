"""The closing table of a day, as text."""

from collections.abc import Iterator

from hw_sim.auditor import Verdict
from vendd.core.money import format_amount


def closing_table(verdict: Verdict, names: dict[str, str], exponent: int) -> Iterator[str]:
    """Its lines, without the judgement."""

    def money(amount: int) -> str:
        return format_amount(amount, exponent)

    yield (
        f"{verdict.customers} customers: {verdict.sold} sold, {verdict.refused} refused,"
        f" {verdict.refunded} refunded, {verdict.claims} owed ({money(verdict.claimed)})"
        + (f", {verdict.due} refunds due ({money(verdict.due_amount)})" if verdict.due else "")
        + (f", {verdict.doubtful} doubtful" if verdict.doubtful else "")
    )
    yield "paid by " + ", ".join(
        f"{kind} {money(amount)}" for kind, amount in verdict.tenders.items() if amount
    )
    yield ""
    yield f"{'money':<12}{'opening':>10}{'in':>10}{'out':>10}{'closing':>10}{'counted':>10}"
    rows = [
        (_store(s.account, exponent), s.opening, s.came, s.went, s.closing, s.counted)
        for s in verdict.stores
    ]
    totals = [sum(column) for column in list(zip(*rows, strict=True))[1:]]
    for name, *amounts in (*rows, ("together", *totals)):
        yield f"{name:<12}" + "".join(f"{money(amount):>10}" for amount in amounts)
    yield ""
    yield f"{'stock':<32}{'before':>8}{'after':>8}{'sold':>8}{'fell':>8}"
    for slot in verdict.slots:
        if slot.before != slot.after or slot.fell:
            name = f"{slot.selection} {names.get(slot.selection, '')}"
            yield f"{name:<32.31}{slot.before:>8}{slot.after:>8}{slot.dispensed:>8}{slot.fell:>8}"
    before, after, sold, fell = (
        sum(getattr(slot, field) for slot in verdict.slots)
        for field in ("before", "after", "dispensed", "fell")
    )
    yield f"{'all slots':<32}{before:>8}{after:>8}{sold:>8}{fell:>8}"
    yield ""
    yield (
        f"events: {verdict.committed} committed, {verdict.delivered} delivered,"
        f" missing seq {verdict.missing}, duplicates seen {verdict.duplicates}"
    )


def _store(account: str, exponent: int) -> str:
    kind, _, value = account.partition(":")
    return f"{kind} {format_amount(int(value), exponent)}" if value else kind.replace("_", " ")
