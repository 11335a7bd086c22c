"""Paying bills out of a recycler, and finding out what really left it.

DISPENSE BILL or DISPENSE VALUE, then PAYOUT VALUE POLL until it is answered by an
ACK, then PAYOUT STATUS, then the levels (NAMA MDB/ICP 4.2, 6.5, commands 37 05 to
37 0A). A command whose answer was lost is never sent again: the levels say whether
it did anything. When no bill moves for too long the payout is cancelled.

Is NOT responsible for pace, silence of the whole device, or recovery:
`vendd.wire.mdb.bill_validator` is.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import Bill, RecyclerLevels, Way
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.payout import ATTEMPTS, Coins, Outcome, Step, Stuck, as_coins

PER_BILL_S: Final = 35.0  # the standard gives each bill 30 s
TAKE_S: Final = 90.0  # for the customer to take a bill that sticks out
CANCEL_S: Final = 35.0  # the standard gives PAYOUT CANCEL 30 s
MAX_WORD: Final = 0xFFFF

Command = tuple[bytes, int]  # and the units it should pay


class BillPhase(Enum):
    BASELINE = "baseline"
    COMMAND = "command"
    WORKING = "working"
    CANCELLING = "cancelling"  # PAYOUT CANCEL is to be sent
    STATUS = "status"
    CLOSING = "closing"
    LOOKING = "looking"  # a POLL: what it has to tell explains why less came out, or other bills


class BillPayout:
    """One payout under way. `wait_s`: pause before `next`, None for the usual poll interval.

    `committed`: a command that may have moved bills was sent; `taken`: one certainly was
    taken up.
    """

    def __init__(
        self, id_: str, bills: Coins, credits_: Sequence[int], known: RecyclerLevels, *,
        by_value: bool,
    ) -> None:  # fmt: skip
        self.id = id_
        self.taken = False
        self.committed = False
        self.wait_s: float | None = 0.0
        self.phase = BillPhase.BASELINE
        self._credits = credits_
        self._wanted = sum(n * credits_[t] for t, n in bills)
        self._commands = _commands(bills, credits_, by_value=by_value)
        self._known = known
        self._before: RecyclerLevels | None = None
        self._others: dict[int, int] = {}  # moved in (positive) or out by other ways
        self._paid: dict[int, int] = {}
        self._polled = 0
        self._doubt = False
        self._status_lost = False
        self._waiting = False
        self._jammed = False
        self._cancelled = False
        self._cancel_at = 0.0
        self._progress_at = 0.0
        self._tries = 0
        self._questions = 0
        self._looked = False
        self._asked = b""
        self.last_levels: RecyclerLevels | None = None

    def next(self, now: float) -> bytes:
        match self.phase:
            case BillPhase.BASELINE | BillPhase.CLOSING:
                self._asked = bd.DISPENSER_STATUS
            case BillPhase.COMMAND:
                self.committed = True
                self._progress_at = now
                self._asked = self._commands[0][0]
            case BillPhase.CANCELLING:
                self._cancelled = True
                self._cancel_at = now
                self._asked = bd.PAYOUT_CANCEL
            case BillPhase.STATUS:
                self._asked = bd.PAYOUT_STATUS
            case BillPhase.LOOKING:
                self._asked = bd.POLL
            case BillPhase.WORKING:
                # Every other question is a plain POLL: only that tells of a jam or a reset.
                self._questions += 1
                self._asked = bd.POLL if self._questions % 2 else bd.PAYOUT_VALUE_POLL
        return self._asked

    def saw(self, happened: Iterable[Bill], statuses: frozenset[int], now: float) -> None:
        """What a POLL told that came in between."""
        for one in happened:
            change = {Way.RECYCLED: 1, Way.FILLED: 1, Way.DISPENSED: -1, Way.TO_BOX: -1}
            moved = change.get(one.way, 0)
            self._others[one.type] = self._others.get(one.type, 0) + moved
        self._jammed = self._jammed or bool(
            statuses & {bd.DISPENSER_JAM, bd.DISPENSER_MOTOR, bd.DISPENSER_SENSOR}
        )
        if self.committed and bd.PAYOUT_BUSY in statuses:  # nothing else makes it pay
            self.taken, self._doubt = True, False
        waiting = bd.BILL_WAITING in statuses
        if self._waiting and not waiting:
            self._progress_at = now
        self._waiting = waiting

    def answered(self, reply: Reply, now: float) -> Step:
        self.wait_s = None
        match self.phase:
            case BillPhase.BASELINE:
                return self._baseline(reply)
            case BillPhase.COMMAND:
                self.taken = self.taken or reply.valid
                self._doubt = not reply.valid
                self.phase = BillPhase.WORKING
                return None
            case BillPhase.CANCELLING:
                self.phase = BillPhase.WORKING
                return None
            case BillPhase.WORKING:
                return self._working(reply, now)
            case BillPhase.STATUS:
                return self._status(reply, now)
            case BillPhase.CLOSING:
                return self._closing(reply)
            case BillPhase.LOOKING:
                self._enter(BillPhase.CLOSING)
                return None

    def at_least(self, why: str) -> Outcome:
        """The validator is gone."""
        return Outcome(as_coins(self._paid), certain=False, why=why)

    def after_reset(self, levels: RecyclerLevels, why: str) -> Outcome:
        """It started anew: what its levels say, which is never certain."""
        left = self._left(levels)
        for type_, known in self._paid.items():
            left[type_] = max(left.get(type_, 0), known)
        return Outcome(as_coins(left), certain=False, why=why)

    # --- inside -------------------------------------------------------------------------

    def _baseline(self, reply: Reply) -> Outcome | None:
        """The reading before anything moves. A surprising one has to come twice."""
        levels = _levels(reply)
        if levels is None or levels != self._known:
            self._known = levels or self._known
            self._tries += 1
            if self._tries < ATTEMPTS:
                return None
            return Outcome((), certain=True, why="no_recycler_status", moved=False)
        self._before = levels
        self._enter(BillPhase.COMMAND)
        return None

    def _enter(self, phase: BillPhase) -> None:
        self.phase = phase
        self.wait_s = 0.0
        self._tries = 0

    def _working(self, reply: Reply, now: float) -> Step:
        if self._asked == bd.PAYOUT_VALUE_POLL:
            if reply.answer is Answer.ACK:
                self._enter(BillPhase.STATUS)
                return None
            if reply.answer is Answer.DATA and reply.data:
                self.taken = True
                units = int.from_bytes(reply.data[:2], "big")
                self._polled += units
                if 0 < units <= self._commands[0][1]:
                    self._progress_at = now
        return self._patience(now)

    def _patience(self, now: float) -> Step:
        if self._cancelled:
            return Stuck.OVERDUE if now > self._cancel_at + CANCEL_S else None
        if now > self._progress_at + (TAKE_S if self._waiting else PER_BILL_S):
            self.phase = BillPhase.CANCELLING
        return None

    def _status(self, reply: Reply, now: float) -> Step:
        if reply.answer is Answer.ACK:  # still busy, says the standard
            step = self._patience(now)
            self.phase = self.phase if self.phase is BillPhase.CANCELLING else BillPhase.STATUS
            return step
        if reply.answer is not Answer.DATA:
            # It clears its report once our ACK is out, so a second answer may lack what is lost.
            self._status_lost = True
            self._tries += 1
            if self._tries >= ATTEMPTS:
                self._enter(BillPhase.CLOSING)
            return None
        paid = dict(enumerate(bd.counts_of(reply.data)))
        for type_, count in paid.items():
            self._paid[type_] = self._paid.get(type_, 0) + count
        _, units = self._commands.pop(0)
        whole = self._units(paid) >= units and not self._status_lost and not self._doubt
        go_on = whole and bool(self._commands) and not self._cancelled
        self._enter(BillPhase.COMMAND if go_on else BillPhase.CLOSING)
        return None

    def _closing(self, reply: Reply) -> Step:
        levels = _levels(reply)
        if levels is None:
            self._tries += 1
            return None if self._tries < ATTEMPTS else self._without_levels()
        self.last_levels = levels
        left = self._left(levels)
        odd = left != self._reported() or self._units(left) < self._wanted
        if odd and not self._looked:
            self._looked = True
            self._enter(BillPhase.LOOKING)
            return None
        if left == self._reported() and not self._status_lost and not self._doubt:
            return self._ended(left)
        if not self._vanished(levels):
            return self._ended(left)
        return self._without_levels()

    def _without_levels(self) -> Step:
        reported = self._reported()
        if self._status_lost or self._doubt or self._units(reported) != self._polled:
            return Stuck.UNCLEAR
        return self._ended(reported)

    def _reported(self) -> dict[int, int]:
        return {t: n for t, n in self._paid.items() if n}

    def _left(self, levels: RecyclerLevels) -> dict[int, int]:
        out: dict[int, int] = {}
        if self._before is not None:
            for type_, count in enumerate(self._before.counts):
                gone = count + self._others.get(type_, 0) - levels.counts[type_]
                if gone > 0:
                    out[type_] = gone
        return out

    def _vanished(self, levels: RecyclerLevels) -> bool:
        """A type went out of use meanwhile: its count is forgotten, not paid."""
        before = self._before
        return before is None or any(
            levels.defective(t) and not before.defective(t) for t in range(bd.TYPES)
        )

    def _ended(self, paid: dict[int, int]) -> Outcome:
        missing = self._units(paid) < self._wanted
        why = ("recycler_jam" if self._jammed else "short") if missing else ""
        return Outcome(as_coins(paid), True, why, moved=self.taken or any(paid.values()))

    def _units(self, bills: dict[int, int]) -> int:
        return sum(n * self._credits[t] for t, n in bills.items())


def _levels(reply: Reply) -> RecyclerLevels | None:
    if reply.answer is not Answer.DATA or len(reply.data) < 2:
        return None
    return RecyclerLevels.from_bytes(reply.data)


def _commands(bills: Coins, credits_: Sequence[int], *, by_value: bool) -> list[Command]:
    total = sum(n * credits_[t] for t, n in bills)
    if by_value and total <= MAX_WORD:
        return [(bd.dispense_value(total), total)]
    highest_first = sorted(bills, key=lambda bill: -credits_[bill[0]])
    return [(bd.dispense_bills(t, n), n * credits_[t]) for t, n in highest_first]
