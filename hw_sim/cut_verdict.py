"""After all cuts: did each end as section 9 names it, and does everything balance to the unit?

Accepted losses are exactly those of section 9: a coin in the box whose report was not yet
committed leaves no evidence, nor does one that falls into its tube while the changer itself has
no power to count it; a product that fell while no daemon lived was seen by nobody.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hw_sim.cabinet import Cabinet
from hw_sim.cut import Cut
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.section9 import Row, Ruling
from hw_sim.stored import Stored, Written
from vendd.core import ledger
from vendd.core.facts import Outcome

_COIN_ROWS: Final = (Row.NOTHING, Row.CREDIT)  # coins are taken only then
_READY_S: Final = 0.5  # READY is said before the first decision is committed


@dataclass(slots=True)
class Losses:
    """What section 9 allows to be lost, as it really was. Minor units; products."""

    in_box: int = 0
    uncounted: int = 0
    unseen: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Closed:
    """A cut and what it had to lead to; `back_at`: READY of the next life. `changer_dark`: the
    changer lost its power too."""

    cut: Cut
    ruling: Ruling
    back_at: float
    changer_dark: bool = False


def outcome(closed: Closed, after: Stored, drops: Sequence[float]) -> list[str]:
    """Whether what became of this cut is what its ruling says. `drops`: past the beam, all."""
    ruling = final_ruling(closed, after, drops)
    name = f"{closed.cut.how} ({ruling.row.value})"
    start = next((e for e in after.of("machine-started") if e.boot > closed.cut.stored.boot), None)
    if start is None:
        return [f"{name}: no start on record after it"]
    findings = []
    if start.data.get("sale_in_flight") != ruling.sale_id:
        findings.append(f"in flight was {ruling.sale_id}, the start says {start.data}")
    if ruling.row in (Row.NOTHING, Row.CREDIT, Row.AT_HOME, Row.NOT_HOME, Row.HOME_AGAIN):
        credit, restored = closed.cut.stored.state.credit, start.data["credit_restored"]
        if restored != credit:
            findings.append(f"credit was {credit}, restored {restored}")
    if ruling.slot_off and ruling.slot_off not in after.off_sale:
        findings.append(f"slot {ruling.slot_off} is still on sale")
    if ruling.sale_id is not None:
        findings += _sale(ruling, after)
    return [f"{name}: {finding}" for finding in findings]


def final_ruling(closed: Closed, after: Stored, drops: Sequence[float]) -> Ruling:
    """A product that falls before the refund is committed counts as delivered (section 6), also
    when the next life sees it fall before it has decided anything."""
    ruling = closed.ruling
    seen = [drop for drop in drops if closed.cut.at < drop < closed.back_at + _READY_S]
    proven = [e for e in _about(after.of("item-dispensed"), ruling) if e.data["proof"] == "drop"]
    if seen and any(e.boot > closed.cut.stored.boot for e in proven):
        return Ruling(Row.DROPPED_LATE, ruling.sale_id, Outcome.SOLD, charged=True)
    return ruling


def _sale(ruling: Ruling, after: Stored) -> list[str]:
    closed = _about(after.of("sale-closed"), ruling)
    if len(closed) != 1:
        return [f"{ruling.sale_id} has {len(closed)} outcomes"]
    data = closed[0].data
    findings = []
    if data["outcome"] != ruling.outcome:
        findings.append(f"{ruling.sale_id} ended as {data['outcome']}, not {ruling.outcome}")
    charged = data["price_charged"] > 0
    if charged != ruling.charged:
        findings.append(f"{ruling.sale_id} charged {data['price_charged']}")
    doubts = [e.data["booked_as"] for e in _about(after.of("sale-doubtful"), ruling)]
    expected = [ruling.booked_as] if ruling.doubtful else []
    if doubts != expected:
        findings.append(f"{ruling.sale_id} published as doubtful {doubts}, not {expected}")
    return findings


def _about(events: list[Written], ruling: Ruling) -> list[Written]:
    return [event for event in events if event.data["sale_id"] == ruling.sale_id]


# --- the whole -------------------------------------------------------------------------


def whole(
    closed: Sequence[Closed],
    after: Stored,
    changer: CoinChanger,
    cabinet: Cabinet,
    drops: Sequence[float],
) -> tuple[list[str], Losses]:
    """Money, stock and sales of one machine after an orderly stop with nothing open."""
    losses = Losses()
    findings = [
        *_stores(closed, after, changer, losses),
        *_accounts(after, changer, losses),
        *_one_outcome_each(after),
        *_products(closed, after, cabinet, drops, losses),
    ]
    off = {c.ruling.slot_off for c in closed if c.ruling.slot_off}
    if after.off_sale - off:
        findings.append(f"off sale for no reason: {sorted(after.off_sale - off)}")
    return findings, losses


def _stores(
    closed: Sequence[Closed], after: Stored, changer: CoinChanger, losses: Losses
) -> list[str]:
    truth, findings = changer.truth, []
    if not truth.conserved():
        findings.append("the simulated coins themselves don't balance")
    may_lose = [c for c in closed if c.ruling.row in _COIN_ROWS]
    for value, count in truth.counts().items():
        counted = changer.memory.counted[changer.model.type_of(value) or 0]
        losses.uncounted += (count - counted) * value
        booked = after.balances.get(ledger.tube(value), 0)
        if not booked == after.tubes.get(value, 0) * value == counted * value:
            findings.append(
                f"tube {value}: counted {counted}, books {after.tubes.get(value)}, ledger {booked}"
            )
    dark = sum(c.changer_dark for c in may_lose) * max(truth.tubes, default=0)
    if not 0 <= losses.uncounted <= dark:
        findings.append(f"tubes: {losses.uncounted} more than counted, explained {dark}")
    losses.in_box = truth.box_total() - after.balances.get(ledger.COIN_BOX, 0)
    dead = sum(value for at, value in truth.boxed if _nobody_there(closed, at))
    if not 0 <= losses.in_box <= dead:
        findings.append(f"box: {losses.in_box} more than booked, {dead} fell without a daemon")
    return findings


def _nobody_there(closed: Sequence[Closed], at: float) -> bool:
    """At that time no daemon lived to commit what it was told of."""
    return any(c.cut.at - c.cut.grace_s <= at <= c.back_at + _READY_S for c in closed)


def _accounts(after: Stored, changer: CoinChanger, losses: Losses) -> list[str]:
    books, truth = after.balances.get, changer.truth
    open_ones = (ledger.UNEXPLAINED, ledger.CUSTOMER, ledger.CHANGE, ledger.REFUNDS)
    findings = [f"{name} closes with {books(name)}" for name in open_ones if books(name, 0)]
    owed = sum(after.claims.values())
    if -books(ledger.CLAIMS, 0) != owed:
        findings.append(f"claims: {owed} open, ledger {books(ledger.CLAIMS)}")
    sold = sum(e.data["price_charged"] for e in after.of("sale-closed"))
    lost = losses.in_box + losses.uncounted
    kept = truth.inserted - truth.returned
    if not -books(ledger.SALES, 0) == sold == kept - owed - lost:
        findings.append(
            f"sales: events {sold}, ledger {-books(ledger.SALES, 0)}; customers left {kept},"
            f" of it {owed} owed and {lost} lost"
        )
    return findings


def _one_outcome_each(after: Stored) -> list[str]:
    numbers = Counter(e.data["sale_no"] for e in after.of("sale-closed"))
    begun = range(1, after.state.numbers.sale)
    findings = [f"sale {n} has {numbers[n]} outcomes" for n in begun if numbers[n] != 1]
    if after.state.sale is not None or after.reserved:
        findings.append(f"still open: {after.state.phase}, reserved {after.reserved}")
    return findings


def _products(
    closed: Sequence[Closed],
    after: Stored,
    cabinet: Cabinet,
    drops: Sequence[float],
    losses: Losses,
) -> list[str]:
    findings = []
    fallen = Counter(product.selection for product in cabinet.tray)
    events = after.of("sale-closed")
    sales = Counter(e.data["slot"] for e in events)
    charged = Counter(e.data["slot"] for e in events if e.data["price_charged"] > 0)
    for slot in cabinet.slots:
        name = slot.selection
        if fallen[name] > sales[name]:
            findings.append(f"{name}: {fallen[name]} products for {sales[name]} sales")
        if charged[name] > fallen[name]:
            findings.append(f"{name}: {charged[name]} paid for, {fallen[name]} fell")
        unseen = after.levels.get(name, 0) - slot.left
        if unseen < 0:
            findings.append(f"{name}: {-unseen} more in the spiral than in the books")
        losses.unseen[name] = max(0, unseen)
    dead = sum(_nobody_there(closed, drop) for drop in drops)
    if losses.unseen.total() > dead:
        findings.append(f"{losses.unseen.total()} products unseen, {dead} fell without a daemon")
    return findings
