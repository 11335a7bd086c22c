"""Bringing a bill validator up, and back up: resets, SETUP to STACKER (NAMA MDB/ICP 4.2, 6.2).

The lower half of `vendd.wire.mdb.bill_validator.BillValidatorMachine`; not used alone.
Level 1 is asked for 37 00 only; level 2 for 37 02, and for its recycler when it has
one. Whatever a validator of level 2 does not answer is done without.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import RecyclerLevels, Setup, Stacker
from vendd.wire.mdb.bill_validator_faults import BillFaults
from vendd.wire.mdb.bill_validator_news import BillKind, News, StackerEmptied
from vendd.wire.mdb.bill_validator_path import BillPath
from vendd.wire.mdb.bill_validator_poll import BillPollReader
from vendd.wire.mdb.changer_data import Identity, Malformed
from vendd.wire.mdb.changer_news import Lost
from vendd.wire.mdb.currency import matches
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.stacker import StackerCount

RESET_EVERY_S: Final = 10.0  # while it does not answer
RESET_GAP_S: Final = 1.0  # between two RESETs at the very least
JUST_RESET_S: Final = 5.0  # from the ACK of RESET to the report of it; it may move a bill first
OPTIONAL_S: Final = 1.0  # then a step of the initialisation that may be missing is left out
ATTEMPTS: Final = 5
REST_S: Final = 10.0  # before starting all over
RECHECK_S: Final = 60.0  # a validator of the wrong money: perhaps that was one bad answer
STORM_STARTS: Final = 4  # initialisations within STORM_S: it resets itself again and again
STORM_S: Final = 60.0
RESET_LOOP: Final = "validator_reset_loop"


class State(Enum):
    """Where the conversation stands. The order is that of an initialisation."""

    RESETTING = "resetting"  # RESET now and every 10 s, POLL in between
    JUST_RESET = "just_reset"  # POLL until it reports the reset
    SETUP = "setup"
    SECURITY = "security"
    IDENT_2 = "ident_2"
    IDENT_1 = "ident_1"
    FEATURES = "features"
    RECYCLER_SETUP = "recycler_setup"
    RECYCLER_ENABLE = "recycler_enable"
    RECYCLER_LEVELS = "recycler_levels"
    STACKER = "stacker"
    BILL_TYPES = "bill_types"
    POLLING = "polling"
    PAYING = "paying"
    UNUSABLE = "unusable"  # wrong currency or values: POLL only, bills stay off


@dataclass(frozen=True, slots=True)
class BillRules:
    """`currency`: ISO 4217 number; `exponent`: decimals of the machine's minor unit.

    `security`, `recycle` and `manual` are values in minor units: bills read with high security
    (None leaves it to the validator), bills that the recycler takes and pays (None: all it can),
    and those that people may dispense from it by hand.
    `by_value`: pay with 37 07 (the recycler chooses the bills) instead of 37 06.
    """

    currency: int
    exponent: int
    poll_s: float = 0.1
    security: frozenset[int] | None = None
    recycle: frozenset[int] | None = None
    manual: frozenset[int] = frozenset()
    by_value: bool = False
    removal_alarm: bool = True


class BillStartup:
    """States RESETTING to STACKER, and UNUSABLE; BILL_TYPES and on is the subclass's."""

    def __init__(self, rules: BillRules) -> None:
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
        self._kinds: tuple[BillKind, ...] = ()
        self._recycled = 0  # mask of types that the recycler takes and pays
        self.levels = RecyclerLevels(0, (0,) * bd.TYPES)
        self.stacker = StackerCount()
        self.faults = BillFaults(removal_alarm=rules.removal_alarm)
        self.path = BillPath(self.stacker)
        self.poll = BillPollReader(self.faults, self.path)

    # --- what the upper half does about it --------------------------------------------

    def _contact_lost(self, why: str, news: list[News]) -> None:
        """Nothing can be known any more about what was under way."""
        raise NotImplementedError

    def _started_anew(self, news: list[News]) -> None:
        """The validator forgot everything it was told."""
        raise NotImplementedError

    # --- contact ---------------------------------------------------------------------

    def _ask_resetting(self, now: float) -> bytes:
        if not self._polled or now < max(self._reset_at, self._reset_floor):
            self._polled = True
            return bd.POLL
        self._last_reset = now
        self._reset_at = now + RESET_EVERY_S
        return bd.RESET

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
        if self._asked == bd.RESET:
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
            # Some devices lose the report; after a second RESET we believe the ACK.
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

    def _stubborn(self, why: str, reply: Reply, now: float, news: list[News]) -> None:
        """Silence is bounded by the non-response time, other nonsense here."""
        if reply.answer is not Answer.SILENCE:
            self._tries += 1
            if self._tries >= ATTEMPTS:
                self._rest(why, now, news)

    def _hear_setup(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and self._believe(reply.data, bd.SETUP_LENGTH):
            try:
                self._setup = Setup.from_bytes(reply.data)
            except Malformed:
                pass
            else:
                news += self.faults.restarted(keep=RESET_LOOP)
                return self._judge(self._setup, now, news)
        self._stubborn("setup failed", reply, now, news)
        return None

    def _foreign(self, setup: Setup) -> str:
        """Why this is no validator for this machine's money; empty when it is one."""
        if not matches(self._rules.currency, setup.currency):
            return f"validator says {setup.currency:04X}, machine has {self._rules.currency}"
        try:
            setup.values(self._rules.exponent)
        except Malformed as error:
            return str(error)
        return ""

    def _judge(self, setup: Setup, now: float, news: list[News]) -> float | None:
        self._identity = Identity()
        self._recycled = 0
        why = self._foreign(setup)
        if why:
            self.path.priced((0,) * bd.TYPES, now)
            news += self.faults.begin("currency_mismatch", why)
            self._lose("currency_mismatch", now, news)
            self.state = State.UNUSABLE
            self._recheck_at = now + RECHECK_S
            return None
        news += self.path.priced(setup.values(self._rules.exponent), now)
        self._name_kinds()
        if self._rules.security is not None:
            return self._enter(State.SECURITY, now)
        return self._to_ident(now)

    def _name_kinds(self) -> None:
        self._kinds = tuple(
            BillKind(t, v, bool(self._recycled >> t & 1))
            for t, v in enumerate(self.path.values)
            if v
        )

    def _hear_security(self, reply: Reply, now: float, news: list[News]) -> float | None:
        return self._to_ident(now) if reply.valid or self._failed(now) else None

    def _to_ident(self, now: float) -> float:
        assert self._setup is not None
        return self._enter(State.IDENT_2 if self._setup.level >= 2 else State.IDENT_1, now)

    def _hear_ident(self, reply: Reply, now: float, news: list[News]) -> float | None:
        level_2 = self.state is State.IDENT_2
        whole = bd.IDENT_2_LENGTH if level_2 else bd.IDENT_1_LENGTH
        if (
            reply.answer is Answer.DATA
            and len(reply.data) >= 3
            and self._believe(reply.data, whole)
        ):
            self._identity = Identity.from_bytes(reply.data[:whole])
            return self._enter(State.FEATURES if level_2 else State.STACKER, now)
        if not self._failed(now):
            return None
        # A level 2 validator that can't tell its options is used like one of level 1.
        return self._enter(State.IDENT_1 if level_2 else State.STACKER, now)

    def _wanted_options(self) -> int:
        wanted = self._rules.recycle is None or self._rules.recycle
        return self._identity.options & bd.RECYCLING if wanted else 0

    def _mask(self, values: frozenset[int] | None) -> int:
        """The types that are worth one of these; all of them for None."""
        return sum(
            1 << type_
            for type_, value in enumerate(self.path.values)
            if values is None or value in values
        )

    def _hear_features(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.valid and self._wanted_options():
            return self._enter(State.RECYCLER_SETUP, now)
        return self._enter(State.STACKER, now) if reply.valid or self._failed(now) else None

    def _hear_recycler_setup(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and len(reply.data) >= 2:
            routable = reply.data[0] << 8 | reply.data[1]
            self._recycled = routable & self._mask(self._rules.recycle)
            return self._enter(State.RECYCLER_ENABLE, now)
        return self._enter(State.STACKER, now) if self._failed(now) else None

    def _hear_recycler_enable(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.valid:
            return self._enter(State.RECYCLER_LEVELS, now)
        return self._no_recycler(now) if self._failed(now) else None

    def _hear_recycler_levels(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and len(reply.data) >= 2 and self._believe(reply.data, 34):
            self.levels = RecyclerLevels.from_bytes(reply.data)
            self._name_kinds()
            return self._enter(State.STACKER, now)
        return self._no_recycler(now) if self._failed(now) else None

    def _no_recycler(self, now: float) -> float:
        self._recycled = 0
        return self._enter(State.STACKER, now)

    def _hear_stacker(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if reply.answer is Answer.DATA and len(reply.data) >= 2:
            self.stacker.read(Stacker.from_bytes(reply.data))
            news += self.faults.stacker(full=self.stacker.full)
            if self.stacker.emptied:
                news.append(StackerEmptied(self.stacker.emptied))
        elif not self._failed(now):
            return None
        return self._enter(State.BILL_TYPES, now)

    def _ask_unusable(self, now: float) -> bytes:
        return bd.SETUP if now >= self._recheck_at else bd.POLL

    def _hear_unusable(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if self._asked == bd.SETUP:
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
