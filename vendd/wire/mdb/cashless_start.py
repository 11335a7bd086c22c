"""Bringing a cashless device up, and back up: RESET to READER ENABLE (NAMA MDB/ICP 4.2, 7.2).

The lower half of `vendd.wire.mdb.cashless.CashlessMachine`; not used alone.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_data import ReaderConfig, Units
from vendd.wire.mdb.cashless_faults import ReaderFaults
from vendd.wire.mdb.cashless_news import CashlessNews, Lost, ReaderDescription, ReaderReady
from vendd.wire.mdb.cashless_poll import Mode
from vendd.wire.mdb.changer_data import Identity, Malformed
from vendd.wire.mdb.currency import matches

NON_RESPONSE_S: Final = 5.0  # at least; more when the device says so (Z7)
RESET_EVERY_S: Final = 10.0  # while it does not answer
RESET_GAP_S: Final = 1.0  # between two RESETs at the very least
JUST_RESET_S: Final = 5.0  # from the ACK of RESET to the report of it
IDENTITY_S: Final = 15.0  # then it is used without
ATTEMPTS: Final = 5
REST_S: Final = 10.0  # before starting all over
RECHECK_S: Final = 60.0  # a reader of the wrong money: perhaps that was one bad answer
BROKEN_S: Final = 60.0  # after it called itself not usable
STORM_STARTS: Final = 4  # initialisations within STORM_S: it resets itself again and again
STORM_S: Final = 60.0
RESET_LOOP: Final = "reader_reset_loop"
MISMATCH: Final = "currency_mismatch"
ANY_CURRENCY: Final = 0xFFFF
LEVELS: Final = 3


class State(Enum):
    """Where the conversation stands."""

    HELD = "held"  # POLL only: a vend of an earlier life has to be settled before any RESET
    RESETTING = "resetting"  # RESET now and every 10 s, POLL in between
    JUST_RESET = "just_reset"  # POLL until it reports the reset
    CONFIG = "config"
    PRICES = "prices"
    IDENTITY = "identity"
    OPTIONS = "options"
    WIDE_PRICES = "wide_prices"
    DISABLED = "disabled"
    ENABLED = "enabled"
    SESSION = "session"  # a card is there, nothing selected
    REQUESTED = "requested"  # VEND REQUEST: approved or denied is due
    CANCELLING = "cancelling"  # VEND CANCEL
    APPROVED = "approved"  # the holder pays: VEND SUCCESS or FAILURE is ours to say
    SUCCEEDING = "succeeding"
    FAILING = "failing"  # VEND FAILURE, then POLL to its end
    COMPLETING = "completing"  # SESSION COMPLETE, END SESSION is due
    RECALLING = "recalling"  # READER CANCEL
    REVALUING = "revaluing"
    UNUSABLE = "unusable"  # wrong currency: POLL only


RESTING: Final = frozenset({State.DISABLED, State.ENABLED})
OPERATING: Final = frozenset(
    {State.DISABLED, State.ENABLED, State.SESSION, State.REQUESTED, State.CANCELLING}
    | {State.APPROVED, State.SUCCEEDING, State.FAILING, State.COMPLETING}
    | {State.RECALLING, State.REVALUING}
)
STEPS: Final = (State.PRICES, State.IDENTITY, State.OPTIONS, State.WIDE_PRICES)
STARTING: Final = frozenset({State.CONFIG, *STEPS})


@dataclass(frozen=True, slots=True)
class CashlessRules:
    """`number`: device 1 or 2. `currency`: ISO 4217 number; `exponent`: of the minor unit.

    `level`: the highest we announce. `wide`, `always_idle`: used where offered. `vmc`: our 29
    bytes of REQUEST ID. `age_approved`: the status bits of DRAVS that mean *old enough*; none
    means that ages are never taken as verified. `columns`, `rows`: display lent to the reader.
    """

    currency: int
    exponent: int
    number: int = 1
    level: int = 3
    poll_s: float = 0.1
    wide: bool = True
    always_idle: bool = True
    revalue: bool = False
    age_approved: frozenset[bytes] = frozenset()
    columns: int = 0
    rows: int = 0
    vmc: bytes = b"VND000000000000VENDD       \x01\x00"

    @property
    def options(self) -> int:
        return (cd.WIDE_AMOUNTS if self.wide else 0) | (cd.ALWAYS_IDLE if self.always_idle else 0)


class Startup:
    """States RESETTING to WIDE_PRICES, and UNUSABLE; the rest is the subclasses'."""

    def __init__(self, rules: CashlessRules) -> None:
        self._rules = rules
        self.state = State.RESETTING
        self.faults = ReaderFaults()
        self._due: bytes | None = None  # the command this state has to get through
        self._limit = inf  # seconds this state may take, from its first command on
        self._deadline = inf
        self._tries = 0
        self._pause: float | None = None  # until the next command, None: the poll interval
        self._told_lost = False
        self._reset_at = 0.0  # when the next RESET is due
        self._last_reset = -inf
        self._reset_floor = 0.0  # no RESET before that
        self._missing_reports = 0
        self._starts: tuple[float, ...] = ()  # the newest STORM_STARTS
        self._level = rules.level  # as announced; lower after failures
        self._config = ReaderConfig(1, ANY_CURRENCY, 1, 0, 0, 0)
        self._unknown = True  # it was never set up in this life
        self._identity = Identity()
        self._options = 0
        self._units = Units(1, 0)
        self._mode = Mode(1, False, rules.columns * rules.rows)
        self._wanted = False  # the reader is to be enabled
        self._enabled: bool | None = None  # as it acknowledged
        self._prices: tuple[int, int] | None = None  # highest, lowest, minor units
        self._prices_told: tuple[int, int] | None = None

    @property
    def non_response_s(self) -> float:
        """For how long it may be silent, and the longest it takes to answer."""
        return max(NON_RESPONSE_S, float(self._config.max_response_s))

    # --- what the upper half does about it --------------------------------------------

    def _abandon(self, why: str, news: list[CashlessNews]) -> None:
        """The device forgot, or will: settle what was under way, as far as can be known."""
        raise NotImplementedError

    # --- contact ---------------------------------------------------------------------

    def _enter(self, state: State, due: bytes | None = None, limit: float = inf) -> None:
        self.state = state
        self._due = due
        self._limit = limit
        self._deadline = inf
        self._tries = 0
        if due is not None:
            self._pause = 0.0

    def _reset(self, now: float) -> None:
        """RESET as soon as decency allows."""
        self._enter(State.RESETTING)
        self._reset_at = max(now, self._last_reset + RESET_GAP_S)

    def _lose(self, why: str, now: float, news: list[CashlessNews]) -> None:
        """It can't be used: tell once, then RESET every 10 s."""
        self._abandon(why, news)
        if not self._told_lost:
            self._told_lost = True
            news.append(Lost(why))
        if self.state is not State.RESETTING:
            self._level = self._lower_level() if self.state in STARTING else self._rules.level
            booting = self.state is State.JUST_RESET
            self._enter(State.RESETTING)
            gap = RESET_EVERY_S if booting else RESET_GAP_S
            self._reset_at = max(now, self._last_reset + gap)

    def _lower_level(self) -> int:
        """Some devices fail on a level above their own; after the lowest try the highest."""
        return self._level - 1 if self._level > 1 else self._rules.level

    def _rest(self, why: str, now: float, news: list[CashlessNews], rest_s: float = REST_S) -> None:
        """It answers, and nothing comes of it: start all over, but not at once."""
        self._lose(why, now, news)
        self._reset_floor = now + rest_s

    def _ask_resetting(self, now: float) -> bytes:
        if now < max(self._reset_at, self._reset_floor):
            return cd.POLL
        self._last_reset = now
        self._reset_at = now + RESET_EVERY_S
        return cd.RESET

    def _heard_while_resetting(self, asked: bytes) -> None:
        """A valid answer that was no JUST RESET."""
        if asked == cd.RESET:
            self._enter(State.JUST_RESET, limit=JUST_RESET_S)
        else:
            # It is there and has not started anew: we don't know what it is set to.
            self._reset_at = min(self._reset_at, self._last_reset + RESET_GAP_S)

    def _no_report(self, now: float, news: list[CashlessNews]) -> None:
        """RESET was acknowledged, JUST RESET never came: after the second time believe the ACK."""
        self._missing_reports += 1
        if self._missing_reports >= 2:
            self._start(now, news)
        else:
            self._reset(now)

    # --- initialisation ------------------------------------------------------------------

    def _start(self, now: float, news: list[CashlessNews]) -> None:
        """JUST RESET was seen: initialise, without another RESET."""
        if self.state is State.CONFIG:
            self._enter_config()  # it repeats the report; nothing was lost
            return
        self._abandon("reset", news)
        self._missing_reports = 0
        self._identity = Identity()
        self._options = 0
        self._mode = Mode(1, False, self._mode.cells)
        self._starts = (*self._starts, now)[-STORM_STARTS:]
        news += self.faults.restarted(keep=(RESET_LOOP, MISMATCH))
        storm = len(self._starts) == STORM_STARTS and now - self._starts[0] < STORM_S
        if storm:
            news += self.faults.begin(RESET_LOOP)
            self._level = self._lower_level()
        self._enter_config()
        if storm:
            self._pause = REST_S

    def _enter_config(self) -> None:
        due = cd.setup(self._level, self._rules.columns, self._rules.rows)
        self._enter(State.CONFIG, due, NON_RESPONSE_S)

    def _ask_config_again(self, now: float, news: list[CashlessNews]) -> None:
        tries = self._tries + 1
        if tries >= ATTEMPTS:
            self._rest("setup failed", now, news)
            return
        self._enter_config()
        self._tries = tries

    def _configured(self, config: ReaderConfig, now: float, news: list[CashlessNews]) -> None:
        """Is this a reader for this machine's money?"""
        why = ""
        try:
            self._units = Units.of(config, self._rules.exponent)
        except Malformed as error:
            why = str(error)
        if config.currency != ANY_CURRENCY and not matches(self._rules.currency, config.currency):
            why = f"reader says {config.currency:04X}, machine has {self._rules.currency}"
        if why:
            news += self.faults.begin(MISMATCH, why)
            self._lose(MISMATCH, now, news)
            self._level = self._rules.level  # that is not what was wrong
            self._enter(State.UNUSABLE, limit=RECHECK_S)
            return
        news += self.faults.end((MISMATCH,))
        self._config = config
        self._unknown = False
        level = min(max(config.level, 1), self._level)
        self._mode = Mode(level, False, self._mode.cells)
        self._enter(State.PRICES, self._price_command(), NON_RESPONSE_S)

    def _price_command(self) -> bytes:
        """MAX/MIN PRICES as they are now; unknown ones as the standard has it."""
        self._prices_told = self._prices
        units = self._units
        highest, lowest = units.unknown, 0
        if self._prices is not None:
            highest, lowest = units.ceiling(self._prices[0]), units.floor(self._prices[1])
        if not units.wide:
            return cd.prices(highest, lowest)
        return cd.wide_prices(highest, lowest, self._currency_bcd())

    def _currency_bcd(self) -> int:
        """1978 for the euro."""
        return int(f"1{self._rules.currency:03d}", 16)

    def _identified(self, identity: Identity) -> None:
        self._identity = identity
        self._options = identity.options & self._rules.options if self._mode.level >= LEVELS else 0
        if self._options:
            self._enter(State.OPTIONS, cd.enable_options(self._options), NON_RESPONSE_S)

    def _step_done(self, news: list[CashlessNews], *, taken: bool) -> None:
        """An initialisation step that may be missing was answered, or has to be left out."""
        if self.state is State.PRICES:
            self._enter(State.IDENTITY, cd.request_id(self._rules.vmc), IDENTITY_S)
            return
        if self.state is State.OPTIONS:
            self._options = self._options if taken else 0
            if self._options & cd.WIDE_AMOUNTS:
                self._mode = Mode(self._mode.level, True, self._mode.cells)
                self._units = Units(self._units.scale, self._units.shift, wide=True)
                self._enter(State.WIDE_PRICES, self._price_command(), NON_RESPONSE_S)
                return
        self._finish(news)

    def _finish(self, news: list[CashlessNews]) -> None:
        self._enter(State.DISABLED)
        self._enabled = False  # as every device after a reset
        self._told_lost = False
        self._pause = 0.0
        config = self._config
        news.append(
            ReaderReady(
                ReaderDescription(
                    self._identity,
                    self._mode.level,
                    f"{config.currency:04X}",
                    config.scale,
                    config.decimals,
                    config.max_response_s,
                    config.refunds,
                    config.multivend,
                    config.wants_cash_sales,
                    self.selection_first,
                    self._units.wide,
                )
            )
        )

    @property
    def selection_first(self) -> bool:
        """VEND REQUEST may come straight from ENABLED (always idle)."""
        return bool(self._options & cd.ALWAYS_IDLE)
