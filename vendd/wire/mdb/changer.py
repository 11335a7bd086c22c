"""The master's side of one coin changer, sans-IO (NAMA MDB/ICP 4.2, sections 5 and 2.4).

Whoever owns the wire asks `next(now)` for a command once `wake_at` has come, and
hands what came back to `answered`. Everything happens on the caller's clock
(seconds, any origin that is not negative).

Is NOT responsible for credit, for which coins are worth taking, for what follows
from a payout that ended short, or for the adapter between us and the bus.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_news import (
    Description,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
    Ready,
    TubeLevel,
    TubesSeen,
)
from vendd.wire.mdb.changer_start import (
    RESET_LOOP,
    STORM_S,
    ChangerRules,
    PayoutWay,
    Startup,
    State,
)
from vendd.wire.mdb.exchange import Reply
from vendd.wire.mdb.pay_by_coins import ByCoins
from vendd.wire.mdb.pay_by_value import ByValue
from vendd.wire.mdb.payout import Coins, Outcome, Payout, Stuck
from vendd.wire.mdb.tubes import TubeReader

NON_RESPONSE_S: Final = 2.0  # of a changer, section 5.1
TUBES_EVERY_S: Final = 60.0
DIAGNOSTICS_EVERY_S: Final = 30.0


class Declined(Exception):
    """The machine can't take this order now; nothing was sent. The text says why."""


class ChangerMachine(Startup):
    """See the module. `wake_at`: when `next` has something; infinite while an answer is due."""

    def __init__(self, rules: ChangerRules) -> None:
        super().__init__(rules)
        self.wake_at = 0.0
        self._silent_since: float | None = None
        self._force_poll = False
        self._wanted: frozenset[int] = frozenset()
        self._mask_wanted = 0
        self._mask: int | None = None  # as the changer acknowledged it
        self._tubes_wanted = False
        self._tubes_at = 0.0
        self._diagnostics_at = inf
        self._reports: tuple[bytes, ...] = ()  # of coins moved by hand, to be fetched
        self._payout: Payout | None = None
        self._told_taken = False
        self._interrupted = ""  # why the payout has to be settled by the tubes

    # --- orders -----------------------------------------------------------------

    def accept(self, types: frozenset[int]) -> None:
        """Exactly these coin types from now on, also after resets."""
        self._wanted = types
        self._set_mask()
        self._hurry()

    def read_tubes(self) -> None:
        """A `TubesSeen` soon, changed or not. Raises `Declined` unless initialised."""
        if self.state not in (State.POLLING, State.PAYING):
            raise Declined(f"changer is {self.state.value}")
        self._tubes_wanted = True
        self._hurry()

    def pay_out(self, payout_id: str, coins: Coins) -> None:
        """Begin a payout: `PayoutRefused`, or `PayoutTaken` and later one `PayoutDone`.

        Raises `Declined` when it can't even be tried.
        """
        if self.state is not State.POLLING or self._payout is not None:
            raise Declined(f"changer is {self.state.value}")
        coins = tuple((t, n) for t, n in coins if n > 0)
        if not coins or any(t not in range(cd.TYPES) or not self.poll.values[t] for t, _ in coins):
            raise Declined("no such coins")
        assert self._setup is not None
        reader = TubeReader(self._tube_types())
        if self._by_value():
            self._payout = ByValue(payout_id, coins, self._setup.credits, reader, self.poll.levels)
        else:
            self._payout = ByCoins(payout_id, coins, reader, self.poll.levels)
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

    def _hurry(self) -> None:
        if self.wake_at != inf and self.state in (State.POLLING, State.PAYING):
            self.wake_at = 0.0

    def _by_value(self) -> bool:
        offered = bool(self._options & cd.ALTERNATIVE_PAYOUT)
        return offered and self._rules.payout is not PayoutWay.COINS

    def _set_mask(self) -> None:
        self._mask_wanted = sum(1 << k.type for k in self._kinds if k.type in self._wanted)

    def _contact_lost(self, why: str, news: list[News]) -> None:
        self._mask = None
        payout, self._payout = self._payout, None
        if payout is None:
            return
        if payout.committed:
            self._tell_done(payout, payout.at_least(self._interrupted or why), news)
        else:
            news.append(PayoutRefused(payout.id, why))

    def _started_anew(self, news: list[News]) -> None:
        if self._payout is not None and self._payout.committed:
            self._interrupted = self._interrupted or "reset"
            self._mask = None
        else:
            self._contact_lost("reset", news)

    # --- the exchange -------------------------------------------------------------

    def next(self, now: float) -> bytes | None:
        """The command to send now (address byte first, no CHK), or None before `wake_at`."""
        if now < self.wake_at:
            return None
        self._asked = _ASK[self.state](self, now)
        self._sent_at = now
        self.wake_at = inf
        return self._asked

    def answered(self, reply: Reply, now: float) -> list[News]:
        """What came back for the last command; call it exactly once per command."""
        news: list[News] = []
        if reply.valid:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._sent_at
        elif now - self._silent_since >= NON_RESPONSE_S:
            self._lose("no answer", now, news)
        pause = _HEAR[self.state](self, reply, now, news)
        self.wake_at = self._sent_at + (self._rules.poll_s if pause is None else pause)
        return news

    # --- operation ---

    def _ask_coin_types(self, now: float) -> bytes:
        self._set_mask()  # the coin types are new
        return cd.coin_type(self._mask_wanted)

    def _ask_question(self, now: float) -> bytes:
        return _QUESTIONS.get(self.state, cd.POLL)

    def _hear_coin_types(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if not reply.valid:
            self._stubborn("coin types refused", reply, now, news)
            return None
        self._mask = int.from_bytes(self._asked[1:3], "big")
        payout, self._payout = self._payout, None
        if payout is not None:
            outcome = payout.after_reset(self.poll.levels, self._interrupted)
            self._tell_done(payout, outcome, news)
        self.state = State.POLLING
        self._told_lost = False
        self.poll.tubes_doubtful = False
        self._tubes_wanted = False
        self._slow_jobs(now)
        assert self._setup is not None
        setup = self._setup
        description = Description(
            self._identity, setup.level, f"{setup.currency:04X}", setup.scale, setup.decimals
        )
        news.append(Ready(description, self._kinds, self._tubes()))
        return None

    def _slow_jobs(self, now: float) -> None:
        self._tubes_at = now + TUBES_EVERY_S
        diagnoses = self._options & cd.EXTENDED_DIAGNOSTICS
        self._diagnostics_at = now + DIAGNOSTICS_EVERY_S if diagnoses else inf

    def _ask_polling(self, now: float) -> bytes:
        if self._force_poll:
            self._force_poll = False
        elif self._mask != self._mask_wanted:
            return cd.coin_type(self._mask_wanted)
        elif self._payout is not None:
            self.state = State.PAYING
            return self._payout.next(now)
        elif self._tubes_wanted or self.poll.tubes_doubtful or now >= self._tubes_at:
            return cd.TUBE_STATUS
        elif self._reports:
            return self._reports[0]
        elif now >= self._diagnostics_at:
            return cd.DIAGNOSTICS
        return cd.POLL

    def _hear_polling(self, reply: Reply, now: float, news: list[News]) -> float | None:
        asked = self._asked[0]
        if asked == 0x0B:
            news += self.poll.read(reply, now)
            if self.poll.reset_seen:
                return self._start(now, news)
            return 0.0 if self._work_waits(reply) else None
        if not reply.valid:
            self._force_poll = True  # whatever it was, it can wait; polling can't
            self._reports = ()  # the diagnostics will ask for them again
            return None
        if asked == 0x0C:
            self._mask = int.from_bytes(self._asked[1:3], "big")
        elif asked == 0x0A:
            self._read_levels(reply, now, news)
        elif self._asked == cd.DIAGNOSTICS:
            self._diagnostics_at = now + DIAGNOSTICS_EVERY_S
            news += self.faults.diagnosed(reply.data)
            if self._options & cd.MANUAL_FILL and cd.has_inventory(reply.data):
                self._reports = (cd.FILL_REPORT, cd.PAYOUT_REPORT)
        else:
            # Fetched so that the changer forgets them; what counts is what the tubes hold now.
            self._reports = self._reports[1:]
            self._tubes_wanted = self._tubes_wanted or not self._reports
        return 0.0

    def _work_waits(self, reply: Reply) -> bool:
        return reply.valid and (self._payout is not None or self._tubes_wanted)

    def _read_levels(self, reply: Reply, now: float, news: list[News]) -> None:
        levels = self._reader.take(reply)
        if levels is None:
            self._force_poll = True
            return
        changed = levels != self.poll.levels
        news += self.poll.tubes_read(levels, self._tube_types())
        if changed or self._tubes_wanted or self.poll.tubes_doubtful:
            news.append(TubesSeen(self._tubes()))
        self._tubes_wanted = self.poll.tubes_doubtful = False
        self._tubes_at = now + TUBES_EVERY_S
        if now - self._started_at > STORM_S:
            news += self.faults.end((RESET_LOOP,))

    def _tubes(self) -> tuple[TubeLevel, ...]:
        levels = self.poll.levels
        return tuple(
            TubeLevel(k.type, k.value, levels.counts[k.type], levels.is_full(k.type),
                      levels.defective(k.type))
            for k in self._kinds
            if k.to_tube
        )  # fmt: skip

    # --- payouts -----------------------------------------------------------------------------

    def _ask_paying(self, now: float) -> bytes:
        if self._mask != self._mask_wanted and not self._force_poll:
            return cd.coin_type(self._mask_wanted)
        self._force_poll = False
        assert self._payout is not None
        return self._payout.next(now)

    def _hear_paying(self, reply: Reply, now: float, news: list[News]) -> float | None:
        payout = self._payout
        assert payout is not None
        if self._asked[0] == 0x0C:
            if reply.valid:
                self._mask = int.from_bytes(self._asked[1:3], "big")
            self._force_poll = not reply.valid
            return payout.wait_s
        if self._asked == cd.POLL:
            news += self.poll.read(reply, now)
            if self.poll.reset_seen:
                self._tell_taken(payout, news)
                return self._start(now, news)
            payout.saw(self.poll.happened)
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

    def _end_payout(self, payout: Payout, outcome: Outcome, news: list[News]) -> None:
        self._payout = None
        self.state = State.POLLING
        if not outcome.moved and not self._told_taken:
            news.append(PayoutRefused(payout.id, outcome.why or "not taken up"))
            return
        if not outcome.why:
            news += self.faults.payout_worked()
        self._tell_done(payout, outcome, news)
        self._tubes_wanted = True

    def _tell_taken(self, payout: Payout, news: list[News]) -> None:
        if not self._told_taken:
            self._told_taken = True
            news.append(PayoutTaken(payout.id))

    def _tell_done(self, payout: Payout, outcome: Outcome, news: list[News]) -> None:
        self._tell_taken(payout, news)
        news.append(PayoutDone(payout.id, outcome.paid, outcome.certain, outcome.why))


_QUESTIONS: Final = {
    State.SETUP: cd.SETUP,
    State.IDENT: cd.IDENT,
    State.DIAGNOSTICS: cd.DIAGNOSTICS,
    State.TUBES: cd.TUBE_STATUS,
}
_Ask = Callable[[ChangerMachine, float], bytes]
_ASK: Final[dict[State, _Ask]] = {
    **dict.fromkeys(State, ChangerMachine._ask_question),
    State.RESETTING: ChangerMachine._ask_resetting,
    State.FEATURES: ChangerMachine._ask_features,
    State.COIN_TYPES: ChangerMachine._ask_coin_types,
    State.POLLING: ChangerMachine._ask_polling,
    State.PAYING: ChangerMachine._ask_paying,
    State.UNUSABLE: ChangerMachine._ask_unusable,
}
_Hear = Callable[[ChangerMachine, Reply, float, list[News]], float | None]
_HEAR: Final[dict[State, _Hear]] = {
    State.RESETTING: ChangerMachine._hear_resetting,
    State.JUST_RESET: ChangerMachine._hear_just_reset,
    State.SETUP: ChangerMachine._hear_setup,
    State.IDENT: ChangerMachine._hear_ident,
    State.FEATURES: ChangerMachine._hear_features,
    State.DIAGNOSTICS: ChangerMachine._hear_diagnostics,
    State.TUBES: ChangerMachine._hear_tubes,
    State.COIN_TYPES: ChangerMachine._hear_coin_types,
    State.POLLING: ChangerMachine._hear_polling,
    State.PAYING: ChangerMachine._hear_paying,
    State.UNUSABLE: ChangerMachine._hear_unusable,
}
