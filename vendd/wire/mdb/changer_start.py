"""Bringing a coin changer up, and back up: resets, SETUP to TUBE STATUS (NAMA MDB/ICP 4.2, 5.2).

The lower half of `vendd.wire.mdb.changer.ChangerMachine`; not used alone.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import Identity, Malformed, Setup
from vendd.wire.mdb.changer_faults import ChangerFaults
from vendd.wire.mdb.changer_news import CoinKind, Lost, News
from vendd.wire.mdb.changer_poll import PollReader
from vendd.wire.mdb.currency import matches
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.tubes import TubeReader

RESET_EVERY_S: Final = 10.0  # while it does not answer
RESET_GAP_S: Final = 1.0  # between two RESETs at the very least
JUST_RESET_S: Final = 2.0  # from the ACK of RESET to the report of it
TUBES_AFTER_RESET_S: Final = 0.5
OPTIONAL_S: Final = 1.0  # then a step of the initialisation that may be missing is left out
ATTEMPTS: Final = 5
REST_S: Final = 10.0  # before starting all over
RECHECK_S: Final = 60.0  # a changer of the wrong money: perhaps that was one bad answer
STORM_STARTS: Final = 4  # initialisations within STORM_S: it resets itself again and again
STORM_S: Final = 60.0
RESET_LOOP: Final = "changer_reset_loop"

_OPTIONS: Final = cd.ALTERNATIVE_PAYOUT | cd.EXTENDED_DIAGNOSTICS | cd.MANUAL_FILL


class State(Enum):
    """Where the conversation stands. The order is that of an initialisation."""

    RESETTING = "resetting"  # RESET now and every 10 s, POLL in between
    JUST_RESET = "just_reset"  # POLL until it reports the reset
    SETUP = "setup"
    IDENT = "ident"
    FEATURES = "features"
    DIAGNOSTICS = "diagnostics"
    TUBES = "tubes"
    COIN_TYPES = "coin_types"
    POLLING = "polling"
    PAYING = "paying"
    UNUSABLE = "unusable"  # wrong currency or values: POLL only, coins stay off


class PayoutWay(Enum):
    AUTO = "auto"  # by value where the changer offers it
    VALUE = "value"  # 0F 02; falls back to coins where not offered
    COINS = "coins"  # 0D


@dataclass(frozen=True, slots=True)
class ChangerRules:
    """`currency`: ISO 4217 number; `exponent`: decimals of the machine's minor unit."""

    currency: int
    exponent: int
    poll_s: float = 0.1
    payout: PayoutWay = PayoutWay.AUTO
    removal_alarm: bool = True


class Startup:
    """States RESETTING to TUBES, and UNUSABLE; COIN_TYPES and on is the subclass's."""

    def __init__(self, rules: ChangerRules) -> None:
        self._rules = rules
        self.state = State.RESETTING
        self._asked = b""
        self._sent_at = 0.0
        self._told_lost = False
        self._tries = 0
        self._phase_at = 0.0
        self._short = b""
        self._reset_at = 0.0  # when the next RESET is due
        self._last_reset = -inf
        self._reset_floor = 0.0  # no start before that
        self._missing_reports = 0
        self._polled = False  # before the first RESET, which may forget what it has to tell
        self._recheck_at = 0.0
        self._started_at = 0.0
        self._starts: tuple[float, ...] = ()  # the newest STORM_STARTS
        self._setup: Setup | None = None
        self._identity = Identity()
        self._options = 0  # optional features in use
        self._kinds: tuple[CoinKind, ...] = ()
        self._reader = TubeReader(frozenset())
        self.faults = ChangerFaults(removal_alarm=rules.removal_alarm)
        self.poll = PollReader(self.faults)

    def _ask_resetting(self, now: float) -> bytes:
        if not self._polled or now < max(self._reset_at, self._reset_floor):
            self._polled = True
            return cd.POLL
        self._last_reset = now
        self._reset_at = now + RESET_EVERY_S
        return cd.RESET

    def _ask_features(self, now: float) -> bytes:
        return cd.feature_enable(self._options)

    def _tube_types(self) -> frozenset[int]:
        return frozenset(k.type for k in self._kinds if k.to_tube)

    # --- what the upper half does about it --------------------------------------------

    def _contact_lost(self, why: str, news: list[News]) -> None:
        """Nothing can be known any more about what was under way."""
        raise NotImplementedError

    def _started_anew(self, news: list[News]) -> None:
        """The changer forgot everything it was told."""
        raise NotImplementedError

    # --- contact ---------------------------------------------------------------------

    def _lose(self, why: str, now: float, news: list[News]) -> None:
        """It does not answer: tell once, then RESET every 10 s."""
        self._contact_lost(why, news)
        if not self._told_lost:
            self._told_lost = True
            news.append(Lost(why))
        if self.state is not State.RESETTING:
            self.state = State.RESETTING
            self._reset_at = now

    def _hear_resetting(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if self._asked == cd.RESET:
            if reply.valid:
                self._enter(State.JUST_RESET, now)
            return None
        news += self.poll.read(reply, now)
        if self.poll.reset_seen and now >= self._reset_floor:
            return self._start(now, news)
        if reply.valid:
            # It is there and has not started anew: we don't know what it is set to.
            self._reset_at = min(self._reset_at, self._last_reset + RESET_GAP_S)
        return None

    def _hear_just_reset(self, reply: Reply, now: float, news: list[News]) -> float | None:
        news += self.poll.read(reply, now)
        if self.poll.reset_seen:
            self._missing_reports = 0
            return self._start(now, news)
        if now - self._phase_at > JUST_RESET_S:
            # Some changers lose the report; after a second RESET we believe the ACK.
            self._missing_reports += 1
            if self._missing_reports >= 2:
                self._missing_reports = 0
                return self._start(now, news)
            self.state = State.RESETTING
            self._reset_at = now
        return None

    def _rest(self, why: str, now: float, news: list[News]) -> None:
        """It answers, and nothing comes of it: start all over, but not at once."""
        self._lose(why, now, news)
        self.state = State.RESETTING
        self._reset_floor = now + REST_S

    # --- initialisation ------------------------------------------------------------------

    def _enter(self, state: State, now: float) -> float:
        self.state = state
        self._phase_at = now
        self._tries = 0
        self._short = b""
        return 0.0

    def _start(self, now: float, news: list[News]) -> float:
        """JUST RESET was seen: initialise, without another RESET."""
        self._started_anew(news)
        self._started_at = now
        self._starts = (*self._starts, now)[-STORM_STARTS:]
        self._enter(State.SETUP, now)
        if len(self._starts) == STORM_STARTS and now - self._starts[0] < STORM_S:
            news += self.faults.begin(RESET_LOOP)
            return REST_S
        return 0.0

    def _believe(self, data: bytes, whole: int) -> bool:
        """Short answers count when the next one is the same (trailing zeros may be left out)."""
        if len(data) >= whole or data == self._short:
            return True
        self._short = data
        return False

    def _failed(self, now: float) -> bool:
        self._tries += 1
        return self._tries >= ATTEMPTS or now - self._phase_at > OPTIONAL_S

    def _hear_setup(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and self._believe(reply.data, cd.SETUP_LENGTH):
            try:
                self._setup = Setup.from_bytes(reply.data)
            except Malformed:
                pass
            else:
                news += self.faults.restarted(keep=RESET_LOOP)
                return self._judge(self._setup, now, news)
        if reply.answer is not Answer.SILENCE:
            self._tries += 1
            if self._tries >= ATTEMPTS:
                self._rest("setup failed", now, news)
        return None

    def _foreign(self, setup: Setup) -> str:
        """Why this is no changer for this machine's money; empty when it is one."""
        if not matches(self._rules.currency, setup.currency):
            return f"changer says {setup.currency:04X}, machine has {self._rules.currency}"
        try:
            setup.values(self._rules.exponent)
        except Malformed as error:
            return str(error)
        return ""

    def _judge(self, setup: Setup, now: float, news: list[News]) -> float | None:
        self._identity = Identity()
        self._options = 0
        why = self._foreign(setup)
        if why:
            self.poll.priced((0,) * cd.TYPES)
            news += self.faults.begin("currency_mismatch", why)
            self._lose("currency_mismatch", now, news)
            self.state = State.UNUSABLE
            self._recheck_at = now + RECHECK_S
            return None
        news += self.poll.priced(setup.values(self._rules.exponent))
        self._kinds = tuple(
            CoinKind(t, v, bool(setup.routing >> t & 1))
            for t, v in enumerate(self.poll.values)
            if v
        )
        self._reader = TubeReader(self._tube_types())
        return self._enter(State.IDENT, now) if setup.level >= 3 else self._to_tubes(now)

    def _hear_ident(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and self._believe(reply.data, cd.IDENT_LENGTH):
            try:
                self._identity = Identity.from_bytes(reply.data)
            except Malformed:
                return None if not self._failed(now) else self._to_tubes(now)
            self._options = self._identity.options & _OPTIONS
            return self._enter(State.FEATURES, now)
        # A level 3 changer that can't identify itself is used like one of level 2.
        return self._to_tubes(now) if self._failed(now) else None

    def _hear_features(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.valid:
            if self._options & cd.EXTENDED_DIAGNOSTICS:
                return self._enter(State.DIAGNOSTICS, now)
            return self._to_tubes(now)
        if self._failed(now):
            self._options = 0
            return self._to_tubes(now)
        return None

    def _hear_diagnostics(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.valid or self._failed(now):  # never a reason not to start
            news += self.faults.diagnosed(reply.data)
            return self._to_tubes(now)
        return None

    def _to_tubes(self, now: float) -> float:
        self._enter(State.TUBES, now)
        return max(0.0, self._started_at + TUBES_AFTER_RESET_S - self._sent_at)

    def _hear_tubes(self, reply: Reply, now: float, news: list[News]) -> float | None:
        levels = self._reader.take(reply)
        if levels is not None:
            self.poll.levels = levels
            return self._enter(State.COIN_TYPES, now)
        self._stubborn("no tube status", reply, now, news)
        return None

    def _stubborn(self, why: str, reply: Reply, now: float, news: list[News]) -> None:
        """Silence is bounded by the non-response time, other nonsense here."""
        if reply.answer is not Answer.SILENCE:
            self._tries += 1
            if self._tries >= ATTEMPTS:
                self._rest(why, now, news)

    def _ask_unusable(self, now: float) -> bytes:
        return cd.SETUP if now >= self._recheck_at else cd.POLL

    def _hear_unusable(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if self._asked == cd.SETUP:
            self._recheck_at = now + RECHECK_S
            return self._start(now, news) if self._is_ours(reply) else None
        news += self.poll.read(reply, now)
        return self._start(now, news) if self.poll.reset_seen else None

    def _is_ours(self, reply: Reply) -> bool:
        if reply.answer is not Answer.DATA:
            return False
        try:
            return not self._foreign(Setup.from_bytes(reply.data))
        except Malformed:
            return False
