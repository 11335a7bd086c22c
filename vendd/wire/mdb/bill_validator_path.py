"""The way of bills through the validator as its reports tell it: escrow, orders, and doubts.

Credit is STACKED or TO RECYCLER, nothing else. A bill whose order is not answered,
or that was inside when the validator was reset or lost, is told once as `Unclear`
when its time is over.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import Bill, Way
from vendd.wire.mdb.bill_validator_news import (
    InEscrow,
    Interrupted,
    News,
    Phase,
    Reading,
    RecyclerByHand,
    Refusal,
    Returned,
    Stacked,
    Unclear,
)
from vendd.wire.mdb.stacker import StackerCount

RESULT_S: Final = 30.0  # from an ESCROW command, or from a new start, to the report
NO_BILL_S: Final = 5.0  # the same once the validator said that nothing is in escrow
ORDER_AGAIN_S: Final = 1.0  # without any sign that a command was heard
ORDERS: Final = 3
ECHO_S: Final = 0.5  # a report of ESCROW so soon after an order is older than the order
REMOVED_S: Final = 5.0  # "returned" so soon after "removed" is the same bill
MAX_DOUBTS: Final = 4

_ENDS: Final = (Way.STACKED, Way.RECYCLED, Way.RETURNED)
_BY_HAND: Final = {Way.FILLED: "filled", Way.DISPENSED: "dispensed", Way.TO_BOX: "to_box"}


@dataclass(slots=True)
class Held:
    """A bill inside. `orders`: ESCROW commands sent; `heard`: one was certainly taken up."""

    bill: int
    type: int
    value: int
    phase: Phase
    deadline: float = inf
    orders: int = 0
    heard: bool = False
    ordered_at: float = -inf
    told: bool = False  # `Unclear` was said

    @property
    def command(self) -> bytes:
        return bd.STACK_BILL if self.phase is Phase.STACKING else bd.RETURN_BILL


class BillPath:
    """See the module. `values`: minor units per type, set after SETUP."""

    def __init__(self, stacker: StackerCount) -> None:
        self._stacker = stacker
        self._numbers = 0
        self._doubts: list[Held] = []
        self._removed: tuple[int, float] | None = None  # type and time
        self._early: list[Bill] | None = []  # told before it was known what bills are worth
        self.values: tuple[int, ...] = (0,) * bd.TYPES
        self.held: Held | None = None
        self.reading = False
        self.unpriced = 0  # bills stacked that have no known value

    @property
    def occupied(self) -> bool:
        """A bill is inside, or may be."""
        return self.held is not None or self.reading or any(not d.told for d in self._doubts)

    # --- reports of the validator ------------------------------------------------------

    def busy(self, busy: bool) -> list[News]:
        """Status 03 in a POLL without bill activity: something moves."""
        if self.held is not None:
            if busy and self.held.orders:
                self.held.heard = True
            return []
        if busy == self.reading:
            return []
        self.reading = busy
        return [Reading(busy)]

    def happened(self, one: Bill, now: float) -> list[News]:
        if self._early is not None:  # of an earlier life: how it ended is not forgotten
            self._early = [*self._early, *([one] if one.way in _ENDS else [])][-MAX_DOUBTS:]
            return []
        value = self.values[one.type]
        match one.way:
            case Way.ESCROW:
                return self._escrow(one.type, value, now)
            case Way.STACKED | Way.RECYCLED:
                return self._stacked(one.type, value, recycled=one.way is Way.RECYCLED)
            case Way.RETURNED:
                return self._returned(one.type, value, now)
            case Way.REJECTED:
                self.reading = False
                return [Refusal("type_disabled", one.type)]
            case _:
                return [RecyclerByHand(one.type, value, _BY_HAND[one.way])]

    def priced(self, values: tuple[int, ...], now: float) -> list[News]:
        """What bills are worth, none of them anything where the validator can't be used; and
        what became of bills that it told of before that was known."""
        self.values = values
        early, self._early = self._early or [], None
        return [news for one in early if any(values) for news in self.happened(one, now)]

    def refused(self, why: str, count: int = 1) -> list[News]:
        self.reading = False
        return [Refusal(why, None, count)] if count else []

    def removed(self, now: float) -> list[News]:
        """Status 07: the bill left the escrow by an unknown hand. A RETURNED may follow."""
        held, self.held = self.held, None
        if held is None:
            return []
        self._removed = (held.type, now)
        return [Returned(held.bill, held.type, held.value, "removed")]

    def no_bill(self, now: float) -> None:
        """Status 0A: an ESCROW command found no bill. The first of two may have worked."""
        if self.held is not None:
            self.held.deadline = min(self.held.deadline, now + NO_BILL_S)

    def _escrow(self, type_: int, value: int, now: float) -> list[News]:
        held, news = self.held, list[News]()
        self.reading = False
        if held is not None and held.type == type_:
            if held.phase is Phase.ESCROW or now - held.ordered_at < ECHO_S:
                return []
        else:
            if held is not None:
                news.append(self._unclear(held, "another_bill"))
            held = self._awaited(type_) or self._new(type_, value)
        self._doubts = [d for d in self._doubts if not d.told]
        self.held = held
        held.phase, held.deadline, held.orders, held.heard = Phase.ESCROW, inf, 0, False
        if value:
            return [*news, InEscrow(held.bill, type_, value)]
        self.order(Phase.RETURNING, now)  # nobody could say what it is worth
        return news

    def _new(self, type_: int, value: int) -> Held:
        self._numbers += 1
        self._stacker.mark()
        return Held(self._numbers, type_, value, Phase.ESCROW)

    def _awaited(self, type_: int) -> Held | None:
        """The oldest bill of this type whose fate was in doubt; it no longer is."""
        for one in self._doubts:
            if one.type == type_:
                self._doubts.remove(one)
                return one
        return None

    def _stacked(self, type_: int, value: int, *, recycled: bool) -> list[News]:
        self.reading = False
        held = self.held
        if held is not None and (held.type == type_ or held.phase is Phase.STACKING):
            self.held = None
        else:
            held = self._awaited(type_)
        if not recycled:
            self._stacker.expect_one()
        if not value:
            self.unpriced += 1
            return []
        return [Stacked(held.bill if held else None, type_, value, recycled)]

    def _returned(self, type_: int, value: int, now: float) -> list[News]:
        self.reading = False
        removed, self._removed = self._removed, None
        if removed is not None and removed[0] == type_ and now - removed[1] < REMOVED_S:
            return []
        held = self.held
        if held is not None and held.type == type_:
            self.held = None
        else:
            held = self._awaited(type_)
        if held is None:
            return [Returned(None, type_, value, "returned")]
        why = "ordered" if held.phase is Phase.RETURNING else "returned"
        return [Returned(held.bill, type_, value, why)]

    # --- orders -----------------------------------------------------------------------------

    def order(self, phase: Phase, now: float) -> None:
        """`STACKING` or `RETURNING` for the bill in escrow; `due` says when to send it."""
        held = self.held
        assert held is not None
        held.phase, held.deadline = phase, now + RESULT_S
        held.orders, held.heard, held.ordered_at = 0, False, -inf

    def due(self, now: float) -> bytes | None:
        """The ESCROW command to send, first or once more. Never repeated at once: a POLL has
        to come in between, and a second without any sign of life in the matter."""
        held = self.held
        if held is None or held.phase is Phase.ESCROW or held.heard or held.orders >= ORDERS:
            return None
        if held.orders and now - held.ordered_at < ORDER_AGAIN_S:
            return None
        held.orders += 1
        held.ordered_at = now
        held.deadline = max(held.deadline, now + RESULT_S) if held.orders == 1 else held.deadline
        return held.command

    def order_heard(self) -> None:
        if self.held is not None:
            self.held.heard = True

    # --- doubts ----------------------------------------------------------------------------

    def overdue(self, now: float) -> bool:
        held = self.held
        return held is not None and now >= held.deadline

    def give_up(self) -> list[News]:
        """The order's time is over. A report may come later all the same, and counts."""
        held, self.held = self.held, None
        return [self._unclear(held, "no_report")] if held is not None else []

    def expired(self, now: float) -> list[News]:
        """Bills whose fate the validator has not told 30 s after it was ready again."""
        late = [d for d in self._doubts if not d.told and now >= d.deadline]
        return [self._unclear(one, "no_report") for one in late]

    def twice(self, type_: int) -> list[News]:
        """STACKED came again after a long loss of contact: one bill or two?"""
        return [Unclear(None, type_, self.values[type_], "said_twice", self._stacker.rose)]

    def interrupted(self, why: str) -> list[News]:
        """The validator was reset, or is lost."""
        reading, self.reading = self.reading, False
        held, self.held = self.held, None
        for one in self._doubts:
            one.deadline = inf  # starts anew with the validator
        if held is None:
            return [Interrupted(None, None, 0, Phase.READING, why)] if reading else []
        held.deadline = inf
        self._doubt(held)
        return [Interrupted(held.bill, held.type, held.value, held.phase, why)]

    def ready(self, now: float) -> None:
        for one in self._doubts:
            one.deadline = min(one.deadline, now + RESULT_S)

    def _unclear(self, one: Held, why: str) -> Unclear:
        one.told = True
        if one not in self._doubts:
            self._doubt(one)
        return Unclear(one.bill, one.type, one.value, why, self._stacker.rose)

    def _doubt(self, one: Held) -> None:
        self._doubts = [*self._doubts, one][-MAX_DOUBTS:]
