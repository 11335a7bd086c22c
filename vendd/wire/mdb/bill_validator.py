"""The master's side of one bill validator, sans-IO (NAMA MDB/ICP 4.2, section 6).

Whoever owns the wire asks `next(now)` for a command once `wake_at` has come, and
hands what came back to `answered`. Everything happens on the caller's clock
(seconds, any origin that is not negative).

Is NOT responsible for credit rules, for which bills are worth taking, for deciding
about a bill in escrow, or for the adapter between us and the bus.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_payout import BillPayout
from vendd.wire.mdb.bill_validator_news import (
    BillsReady,
    News,
    Phase,
)
from vendd.wire.mdb.bill_validator_start import BillRules, State
from vendd.wire.mdb.bill_validator_stores import BillStores
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import Description, PayoutDone, PayoutRefused, PayoutTaken
from vendd.wire.mdb.exchange import Reply
from vendd.wire.mdb.payout import Coins, Outcome, Stuck

NON_RESPONSE_S: Final = 5.0  # of a bill validator, section 6.1
MASK_AGAIN_S: Final = 5.0  # "disabled" though bills were enabled: tell it again


class BillValidatorMachine(BillStores):
    """See the module. `wake_at`: when `next` has something; infinite while an answer is due."""

    def __init__(self, rules: BillRules) -> None:
        super().__init__(rules)
        self.wake_at = 0.0
        self._now = 0.0
        self._silent_since: float | None = None
        self._force_poll = False
        self._wanted: frozenset[int] = frozenset()
        self._hold: frozenset[int] | None = None
        self._masks_wanted = (0, 0)  # enabled, held in escrow
        self._masks: tuple[int, int] | None = None  # as the validator acknowledged them
        self._masks_at = 0.0
        self._payout: BillPayout | None = None
        self._told_taken = False
        self._interrupted = ""  # why the payout has to be settled by the levels

    # --- orders -----------------------------------------------------------------

    def accept(self, types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        """Exactly these bill types from now on, also after resets. `hold`: those of them that
        stop in escrow, None for all; without effect on a validator that has no escrow."""
        self._wanted, self._hold = types, hold
        self._set_masks()
        self._hurry()

    def stack(self, bill: int) -> None:
        """Take the bill in escrow. `Stacked`, `Returned`, `Unclear` or another `InEscrow`
        follows. Raises `Declined` when this bill is not waiting in escrow."""
        self._order(bill, Phase.STACKING)

    def give_back(self, bill: int) -> None:
        """Return the bill in escrow; otherwise as `stack`."""
        self._order(bill, Phase.RETURNING)

    def read_stores(self) -> None:
        """A `StackerSeen` and, with a recycler, a `RecyclerSeen` soon, changed or not."""
        if self.state not in (State.POLLING, State.PAYING):
            raise Declined(f"bill validator is {self.state.value}")
        self._stacker_wanted = True
        self._recycler_wanted = bool(self._recycled)
        self._hurry()

    def pay_out(self, payout_id: str, bills: Coins) -> None:
        """Begin a payout of (type, count): `PayoutRefused`, or `PayoutTaken` and later one
        `PayoutDone`. Raises `Declined` when it can't even be tried."""
        if self.state is not State.POLLING or self._payout is not None:
            raise Declined(f"bill validator is {self.state.value}")
        if self.path.occupied or bd.BILL_WAITING in self.poll.statuses:
            raise Declined("a bill is in the way")
        bills = tuple((t, n) for t, n in bills if n > 0)
        known = all(t in range(bd.TYPES) and self._recycled >> t & 1 for t, _ in bills)
        if not bills or not known or any(not self.path.values[t] for t, _ in bills):
            raise Declined("no such bills")
        assert self._setup is not None
        self._payout = BillPayout(
            payout_id, bills, self._setup.credits, self.levels, by_value=self._rules.by_value
        )
        self._told_taken = False
        self._interrupted = ""
        self._hurry()

    def withdraw(self, payout_id: str) -> bool:
        """Forget a payout of which no command was sent yet. False: it goes its way."""
        payout = self._payout
        if payout is None or payout.id != payout_id or payout.committed:
            return False
        self._payout = None
        if self.state is State.PAYING:
            self.state = State.POLLING
        return True

    def _order(self, bill: int, phase: Phase) -> None:
        held = self.path.held
        if held is None or held.bill != bill or held.phase is not Phase.ESCROW:
            raise Declined("no such bill in escrow")
        self.path.order(phase, self._now)
        self._hurry()

    def _hurry(self) -> None:
        if self.wake_at != inf and self.state in (State.POLLING, State.PAYING):
            self.wake_at = 0.0

    def _set_masks(self) -> None:
        enabled = sum(1 << k.type for k in self._kinds if k.type in self._wanted)
        hold = self._wanted if self._hold is None else self._hold
        held = enabled & sum(1 << k.type for k in self._kinds if k.type in hold)
        escrow = self._setup is not None and self._setup.escrow
        self._masks_wanted = (enabled, held if escrow else 0)

    def _contact_lost(self, why: str, news: list[News]) -> None:
        news += self.path.interrupted(why)
        self._drop_masks()
        payout, self._payout = self._payout, None
        if payout is None:
            return
        if payout.committed:
            self._tell_done(payout, payout.at_least(self._interrupted or why), news)
        else:
            news.append(PayoutRefused(payout.id, why))

    def _started_anew(self, news: list[News]) -> None:
        self._drop_masks()
        if self._payout is not None and self._payout.committed:
            self._interrupted = self._interrupted or "reset"
        elif self._payout is not None:
            news.append(PayoutRefused(self._payout.id, "reset"))
            self._payout = None

    def _drop_masks(self) -> None:
        self._masks = None
        self.poll.enabled = False

    # --- the exchange -------------------------------------------------------------

    def next(self, now: float) -> bytes | None:
        """The command to send now (address byte first, no CHK), or None before `wake_at`."""
        if now < self.wake_at:
            return None
        self._now = now
        self._asked = _ASK[self.state](self, now)
        self._sent_at = now
        self.wake_at = inf
        return self._asked

    def answered(self, reply: Reply, now: float) -> list[News]:
        """What came back for the last command; call it exactly once per command."""
        news: list[News] = []
        self._now = now
        if reply.valid:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._sent_at
        elif now - self._silent_since >= NON_RESPONSE_S:
            self._lose("no answer", now, news)
        pause = _HEAR[self.state](self, reply, now, news)
        news += self.path.expired(now)
        self.wake_at = self._sent_at + (self._rules.poll_s if pause is None else pause)
        return news

    def _ask_question(self, now: float) -> bytes:
        return _QUESTIONS.get(self.state, bd.POLL)

    def _ask_setting(self, now: float) -> bytes:
        if self.state is State.SECURITY:
            return bd.security(self._mask(self._rules.security))
        if self.state is State.FEATURES:
            return bd.feature_enable(self._wanted_options())
        if self.state is State.RECYCLER_ENABLE:
            return bd.recycler_enable(*map(self._mask, (self._rules.manual, self._rules.recycle)))
        self._set_masks()  # the bill types are new
        return bd.bill_type(*self._masks_wanted)

    def _hear_bill_types(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if not reply.valid:
            self._stubborn("bill types refused", reply, now, news)
            return None
        self._masks_taken(now)
        payout, self._payout = self._payout, None
        if payout is not None:
            outcome = payout.after_reset(self.levels, self._interrupted)
            self._tell_done(payout, outcome, news)
        self.state = State.POLLING
        self._told_lost = False
        self.poll.unheard = self._recycler_wanted = False
        self._stacker_told(now)
        self.path.ready(now)
        assert self._setup is not None
        it = self._setup
        description = Description(
            self._identity, it.level, f"{it.currency:04X}", it.scale, it.decimals
        )
        stacker = self._stacker_seen()
        news.append(BillsReady(description, self._kinds, it.escrow, stacker, self._levels()))
        return None

    # --- operation ----------------------------------------------------------------------

    def _ask_polling(self, now: float) -> bytes:
        if self._force_poll:
            self._force_poll = False
            return bd.POLL
        order = self.path.due(now)
        if order is not None:
            return order
        if self._masks != self._masks_wanted and self.path.held is None:
            # Not while one is inside: validators return a bill in escrow that gets disabled.
            return bd.bill_type(*self._masks_wanted)
        if self._payout is not None:
            self.state = State.PAYING
            return self._payout.next(now)
        doubt = self.poll.stacker_doubtful or self.path.overdue(now)
        if self._stacker_wanted or doubt or now >= self._stacker_at:
            return bd.STACKER
        if self._recycler_wanted:
            return bd.DISPENSER_STATUS
        if self.poll.unheard and not self.path.occupied:
            self.poll.unheard = False
            if self._setup is not None and self._setup.escrow:
                # A bill in escrow that nobody knows of goes back; without one nothing happens.
                return bd.RETURN_BILL
        return bd.POLL

    def _hear_polling(self, reply: Reply, now: float, news: list[News]) -> float | None:
        asked = self._asked
        if asked == bd.POLL:
            return self._hear_poll(reply, now, news)
        self._force_poll = not reply.valid or asked[0] == 0x35
        if asked[0] == 0x36:
            return self._hear_stores(reply, now, news)
        if asked == bd.DISPENSER_STATUS:
            self._read_levels(reply, news)
        elif asked[0] == 0x34 and reply.valid:
            self._masks_taken(now)
        elif asked[0] == 0x35 and reply.valid:
            self.path.order_heard()
        return 0.0 if reply.valid else None

    def _hear_poll(self, reply: Reply, now: float, news: list[News]) -> float | None:
        news += self.poll.read(reply, now)
        if self.poll.reset_seen:
            return self._start(now, news)
        self._see_to_masks(now)
        return 0.0 if reply.valid and (self._payout or self._stacker_wanted) else None

    def _see_to_masks(self, now: float) -> None:
        """It says "disabled" though bills are on, and nothing moves: it may have forgotten."""
        off = bd.DISABLED in self.poll.statuses and self.poll.enabled
        if off and not self.path.occupied and now - self._masks_at >= MASK_AGAIN_S:
            self._masks = None

    def _masks_taken(self, now: float) -> None:
        enabled, held = (int.from_bytes(self._asked[at : at + 2], "big") for at in (1, 3))
        self._masks, self._masks_at = (enabled, held), now
        self.poll.enabled = enabled != 0

    # --- payouts -----------------------------------------------------------------------------

    def _ask_paying(self, now: float) -> bytes:
        if self._masks != self._masks_wanted and not self._force_poll:
            return bd.bill_type(*self._masks_wanted)
        self._force_poll = False
        assert self._payout is not None
        return self._payout.next(now)

    def _hear_paying(self, reply: Reply, now: float, news: list[News]) -> float | None:
        payout = self._payout
        assert payout is not None
        if self._asked[0] == 0x34:
            if reply.valid:
                self._masks_taken(now)
            self._force_poll = not reply.valid
            return payout.wait_s
        if self._asked == bd.POLL:
            news += self.poll.read(reply, now)
            if self.poll.reset_seen:
                self._tell_taken(payout, news)
                return self._start(now, news)
            if reply.valid:
                payout.saw(self.poll.happened, self.poll.statuses, now)
        step = payout.answered(reply, now)
        if payout.taken:
            self._tell_taken(payout, news)
        if isinstance(step, Outcome):
            self._end_payout(payout, step, news)
            return 0.0
        if isinstance(step, Stuck):
            self._interrupted = step.value
            self.state = State.RESETTING
            self._reset_at = now
        return payout.wait_s

    def _end_payout(self, payout: BillPayout, outcome: Outcome, news: list[News]) -> None:
        self._payout = None
        self.state = State.POLLING
        self.levels = payout.last_levels or self.levels
        if not outcome.moved and not self._told_taken:
            news.append(PayoutRefused(payout.id, outcome.why or "not taken up"))
            return
        if not outcome.why:
            news += self.faults.payout_worked()
        self._tell_done(payout, outcome, news)
        self._recycler_wanted = True

    def _tell_taken(self, payout: BillPayout, news: list[News]) -> None:
        if not self._told_taken:
            self._told_taken = True
            news.append(PayoutTaken(payout.id))

    def _tell_done(self, payout: BillPayout, outcome: Outcome, news: list[News]) -> None:
        self._tell_taken(payout, news)
        news.append(PayoutDone(payout.id, outcome.paid, outcome.certain, outcome.why))


_QUESTIONS: Final = {
    State.SETUP: bd.SETUP,
    State.IDENT_1: bd.IDENT_1,
    State.IDENT_2: bd.IDENT_2,
    State.RECYCLER_SETUP: bd.RECYCLER_SETUP,
    State.RECYCLER_LEVELS: bd.DISPENSER_STATUS,
    State.STACKER: bd.STACKER,
}
_SETTINGS: Final = (State.SECURITY, State.FEATURES, State.RECYCLER_ENABLE, State.BILL_TYPES)
_Ask = Callable[[BillValidatorMachine, float], bytes]
_ASK: Final[dict[State, _Ask]] = {
    **dict.fromkeys(State, BillValidatorMachine._ask_question),
    **dict.fromkeys(_SETTINGS, BillValidatorMachine._ask_setting),
    State.RESETTING: BillValidatorMachine._ask_resetting,
    State.POLLING: BillValidatorMachine._ask_polling,
    State.PAYING: BillValidatorMachine._ask_paying,
    State.UNUSABLE: BillValidatorMachine._ask_unusable,
}
_Hear = Callable[[BillValidatorMachine, Reply, float, list[News]], float | None]
_HEAR: Final[dict[State, _Hear]] = {
    State.RESETTING: BillValidatorMachine._hear_resetting,
    State.JUST_RESET: BillValidatorMachine._hear_just_reset,
    State.SETUP: BillValidatorMachine._hear_setup,
    State.SECURITY: BillValidatorMachine._hear_security,
    State.IDENT_2: BillValidatorMachine._hear_ident,
    State.IDENT_1: BillValidatorMachine._hear_ident,
    State.FEATURES: BillValidatorMachine._hear_features,
    State.RECYCLER_SETUP: BillValidatorMachine._hear_recycler_setup,
    State.RECYCLER_ENABLE: BillValidatorMachine._hear_recycler_enable,
    State.RECYCLER_LEVELS: BillValidatorMachine._hear_recycler_levels,
    State.STACKER: BillValidatorMachine._hear_stacker,
    State.BILL_TYPES: BillValidatorMachine._hear_bill_types,
    State.POLLING: BillValidatorMachine._hear_polling,
    State.PAYING: BillValidatorMachine._hear_paying,
    State.UNUSABLE: BillValidatorMachine._hear_unusable,
}
