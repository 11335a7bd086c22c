"""From an answer to what is to be committed before it is given: with its journal line."""

from dataclasses import replace

from vendd.core.facts import Security
from vendd.core.operator.orders import Ordered
from vendd.core.operator.verdicts import Decided, Refused, Why, journalled


def to_commit(ordered: Ordered, answer: Decided | Refused) -> Decided | None:
    """None: nothing is to be committed."""
    if isinstance(answer, Decided):
        line = journalled(ordered, answer.changes)
        return None if ordered.preview else replace(answer, records=(*answer.records, line))
    return _turned_away(ordered) if answer.why is Why.NOT_ALLOWED else None


def _turned_away(ordered: Ordered) -> Decided:
    """Who tried what they may not is on record, here and in the fleet."""
    line = replace(journalled(ordered, ()), outcome="refused")
    return Decided(records=(line, Security("refused_local_order", "api", 1, "refused")))
