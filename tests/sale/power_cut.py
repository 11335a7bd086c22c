"""Section 9 as data: the moment of the cut, what the devices show, and what must be booked."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.sale.script import DROP, coin, keyed, left_home, turned, wait
from vendd.core.facts import Outcome, Proof
from vendd.core.planogram import SlotState
from vendd.core.sale.states import (
    Credit,
    Idle,
    Paying,
)

SOLD, REFUNDED, DOUBTFUL = Outcome.SOLD, Outcome.REFUNDED, Outcome.DOUBTFUL


@dataclass(frozen=True)
class Cut:
    """`script` up to the cut; `home` of A3's motor afterwards (None: can't be read).

    `outcome` of the sale, `policy` and `booked_as` of the doubt that is published, if any;
    `phase` and `credit` right after the start; `returned` once the changer is up and paid.
    """

    row: str
    script: tuple[tuple[Any, ...], ...]
    home: bool | None = True
    outcome: Outcome | None = None
    policy: str | None = None
    booked_as: str | None = None
    phase: type = Credit
    credit: int = 200
    proof: Proof = Proof.NONE
    slot: SlotState = SlotState.ON_SALE
    level: int = 5
    policies: dict[str, Any] = field(default_factory=dict)


_BUYING = ((coin(200),), (keyed("A3"),))
_MOVING = (*_BUYING, (left_home,))
_EXTRA = (*_MOVING, (turned(),), (wait(3_000),))  # the extra turn was just started

CUTS: Final = (
    Cut("credit, nothing selected", ((coin(200),),)),
    Cut(
        "intent committed, left home not seen, at home, no drop",
        _BUYING,
        outcome=REFUNDED,
        policy="never_left_home",
        booked_as="refunded",
    ),
    Cut(
        "left home not seen, but not at home",
        _BUYING,
        home=False,
        outcome=REFUNDED,
        policy="not_at_home",
        booked_as="refunded",
        slot=SlotState.JAMMED,
    ),
    Cut(
        "left home seen, not at home, no drop",
        _MOVING,
        home=False,
        outcome=REFUNDED,
        policy="not_at_home",
        booked_as="refunded",
        slot=SlotState.JAMMED,
    ),
    Cut(
        "left home seen, not at home, a slot that may fail three times",
        _MOVING,
        home=False,
        outcome=REFUNDED,
        policy="not_at_home",
        booked_as="refunded",
        slot=SlotState.JAMMED,
        policies={"failures_to_slot_off": 3},
    ),
    Cut(
        "left home seen, home switch can't be read",
        _MOVING,
        home=None,
        outcome=REFUNDED,
        policy="not_at_home",
        booked_as="refunded",
        slot=SlotState.JAMMED,
    ),
    Cut(
        "left home seen, at home again, no drop, drop sensor",
        _MOVING,
        outcome=DOUBTFUL,
        policy="home_no_drop",
        booked_as="refunded",
    ),
    Cut(
        "waiting for the drop",
        (*_MOVING, (turned(),), (wait(1_000),)),
        outcome=DOUBTFUL,
        policy="home_no_drop",
        booked_as="refunded",
    ),
    Cut(
        "extra turn, at home",
        _EXTRA,
        outcome=DOUBTFUL,
        policy="home_no_drop",
        booked_as="refunded",
    ),
    Cut(
        "left home seen, at home again, no drop sensor",
        _MOVING,
        outcome=SOLD,
        policy="home_no_sensor",
        booked_as="sold",
        phase=Paying,
        credit=0,
        proof=Proof.HOME,
        level=4,
        policies={"drop_sensor": False},
    ),
    Cut(
        "drop committed, motor still turning",
        (*_MOVING, (DROP,)),
        home=False,
        outcome=SOLD,
        phase=Paying,
        credit=0,
        proof=Proof.DROP,
        level=4,
    ),
    Cut(
        "drop committed, change not paid, left home never seen",
        (*_BUYING, (DROP,)),
        outcome=SOLD,
        phase=Paying,
        credit=0,
        proof=Proof.DROP,
        level=4,
    ),
    Cut(
        "drop committed, nothing to pay",
        ((coin(100),), (coin(50),), (keyed("A3"),), (left_home,), (DROP,)),
        outcome=SOLD,
        phase=Idle,
        credit=0,
        proof=Proof.DROP,
        level=4,
    ),
)
