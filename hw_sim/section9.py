"""Behaviour section 9 as a table: from the evidence at the cut to what must be booked.

Written from the rules and not from the daemon's recovery, which it judges. Cash only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hw_sim.stored import Stored
from vendd.core.facts import Outcome, Proof
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.states import (
    Paying,
    State,
    Vending,
)


class Row(StrEnum):
    """The moment of the cut, in the words of the table."""

    NOTHING = "nothing open"
    CREDIT = "credit, nothing selected"
    AT_HOME = "intent committed, still at home, no drop"
    NOT_HOME = "left home, not at home, no drop"
    HOME_AGAIN = "left home, at home again, no drop"
    HOME_AGAIN_TWICE = "left home, at home again, no drop, not the first time"
    HOME_DECIDES = "left home, at home again, home switch decides"
    DROPPED = "drop committed, change not paid"
    DROPPED_LATE = "dropped before the refund was committed"
    PAYING_CHANGE = "during payout of change"
    PAYING_BACK = "during payout of credit"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What must follow. `doubtful`: published as such, booked as `booked_as`."""

    row: Row
    sale_id: str | None = None
    outcome: Outcome | None = None
    charged: bool = False
    doubtful: bool = False
    booked_as: str = ""
    slot_off: str | None = None  # this slot must be off sale afterwards


def expected_credit(ruling: Ruling, stored: Stored, counted: Mapping[int, int]) -> int | None:
    """What the display must show as credit once the changer is up; None: nothing stays credit
    (or a payout decides). `counted`: coins per tube as the changer counts them, by value."""
    if ruling.row not in (Row.NOTHING, Row.CREDIT, Row.AT_HOME, Row.NOT_HOME, Row.HOME_AGAIN):
        return None
    known = stored.tubes
    fallen = sum(value * (count - known[value]) for value, count in counted.items() if known)
    return stored.state.credit + fallen


def rule(state: State, homes: Mapping[str, bool], motors: tuple[str, ...], before: int) -> Ruling:
    """`state` as committed, `homes` as the switches stand, `motors` of the sale's slot, `before`:
    how often a product was missing with its spiral at home again, within 24 h."""
    match state.phase:
        case Vending(sale) if sale.delivered is not Proof.NONE:
            return Ruling(Row.DROPPED, sale.id, Outcome.SOLD, charged=True)
        case Vending(sale):
            return _not_proven(sale, all(homes[motor] for motor in motors), before)
        case Paying(_, None):
            return Ruling(Row.PAYING_BACK)
        case Paying(_, sale):
            assert sale is not None
            return Ruling(Row.PAYING_CHANGE, sale.id, Outcome.SOLD, charged=True)
        case _:
            return Ruling(Row.CREDIT if state.credit else Row.NOTHING)


def _not_proven(sale: Sale, at_home: bool, before: int) -> Ruling:
    if not at_home:
        return Ruling(
            Row.NOT_HOME,
            sale.id,
            Outcome.REFUNDED,
            doubtful=True,
            booked_as="refunded",
            slot_off=sale.selection,
        )
    if not sale.left_home:
        return Ruling(Row.AT_HOME, sale.id, Outcome.REFUNDED, doubtful=True, booked_as="refunded")
    if sale.decides is Proof.HOME:
        return Ruling(
            Row.HOME_DECIDES, sale.id, Outcome.SOLD, charged=True, doubtful=True, booked_as="sold"
        )
    if before:
        return Ruling(
            Row.HOME_AGAIN_TWICE,
            sale.id,
            Outcome.DOUBTFUL,
            charged=True,
            doubtful=True,
            booked_as="sold",
        )
    return Ruling(Row.HOME_AGAIN, sale.id, Outcome.DOUBTFUL, doubtful=True, booked_as="refunded")
