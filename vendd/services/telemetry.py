"""What the machine says of itself without being asked: heartbeat, levels, clock, a door left open.

Reports drive it: `Pulse` comes once a minute and brings what only the daemon can read, and every
other report shows the world as it is. What has to outlive a restart is one setting, written with
the commit that changed it.

It is NOT responsible for faults and alerts (`services.notification`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from vendd.core.facts import (
    CashLevel,
    ClaimClosed,
    ClaimOpened,
    ClockSet,
    Door,
    ExactChange,
    Heartbeat,
    MachineTotals,
    OutboxLoad,
    SaleClosed,
    TenderKind,
    TenderUsable,
)
from vendd.core.planogram import SlotState
from vendd.core.rows import Record, SettingSet
from vendd.core.sale.reports import DoorMoved, Report, Started
from vendd.core.sale.states import State
from vendd.core.snapshot import Snapshot
from vendd.services.levels import cash_level, stock_snapshot

SETTING: Final = "telemetry"
HEARTBEAT_S: Final = 900
CASH_LEVEL_S: Final = 3_600
SNAPSHOT_HOUR: Final = "02"  # UTC: after the last customer nearly everywhere this machine stands
DOOR_LEFT_OPEN_S: Final = 600
_CALM_S: Final = 60  # a heartbeat that a change asks for comes this long after the last at least
_NIGHT_MS: Final = 24 * 3_600_000
_CASH: Final = frozenset({TenderKind.COIN, TenderKind.BILL})


@dataclass(frozen=True, slots=True)
class Pulse(Report):
    """A minute went by, or the wall clock was set; what the daemon read of its surroundings.

    None: can't be known here.
    """

    outbox: OutboxLoad
    synchronised: bool
    disk_free: int | None = None
    cpu_temp: float | None = None
    under_voltage: bool | None = None
    signal: int | None = None
    clock_set: ClockSet | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What outlives a restart."""

    last_sale_at: str | None = None
    last_cash_sale_at: str | None = None
    last_card_sale_at: str | None = None
    snapshot_day: str = ""
    last_sales: Mapping[str, str] | None = None  # slot -> when


class Telemetry:
    """`stored`: the setting of the earlier life. `claims_open`: amount owed on open claims.

    `records` belongs into the commit of the report it was asked about.
    """

    def __init__(
        self,
        stored: str | None = None,
        claims_open: Mapping[str, int] | None = None,
        faults_open: Callable[[], list[str]] | None = None,
    ) -> None:
        self._kept = _Kept(**json.loads(stored)) if stored else _Kept()
        self._claims = dict(claims_open or {})
        self._faults_open = faults_open or list[str]
        self._pulse: Pulse | None = None
        self._told: tuple[object, ...] | None = None  # what the last heartbeat said of selling
        self._beat_ms: int | None = None
        self._cash_ms = 0
        self._cash: CashLevel | None = None
        self._night_ms = 0
        self._door_ms: int | None = None
        self._left_open = False

    def records(
        self, report: Report, sale: State, world: Snapshot, committed: Iterable[Record]
    ) -> list[Record]:
        """`sale` and `world` as they are once `committed`, the records of this report, is."""
        committed = tuple(committed)
        out: list[Record] = [*self._kept_of(committed)]
        now_ms = world.now.uptime_ms
        match report:
            case DoorMoved(is_open):
                self._door_ms, self._left_open = (now_ms if is_open else None), False
            case Started() if world.door_open:
                self._door_ms = now_ms
            case Pulse():
                self._pulse = report
                out += [report.clock_set] if report.clock_set is not None else []
                out += self._regular(report, sale, world)
            case _:
                pass
        if any(isinstance(record, ExactChange) for record in committed):
            out += self._cash_told(sale, world, "exact_change")
        if self._pulse is not None and self._beat_due(report, sale, world):
            out.append(self._heartbeat(self._pulse, sale, world))
        return out

    # --- what outlives a restart ------------------------------------------------------------

    def _kept_of(self, committed: tuple[Record, ...]) -> list[Record]:
        kept = self._kept
        for record in committed:
            match record:
                case SaleClosed():
                    kept = _sold(kept, record)
                case ClaimOpened(ref, amount):
                    self._claims[ref] = amount
                case ClaimClosed(ref):
                    self._claims.pop(ref, None)
                case _:
                    pass
        return self._keep(kept)

    def _keep(self, kept: _Kept) -> list[Record]:
        if kept == self._kept:
            return []
        self._kept = kept
        said = {name: value for name in _FIELDS if (value := getattr(kept, name))}
        return [SettingSet(SETTING, json.dumps(said, separators=(",", ":")))]

    # --- what is due by time ----------------------------------------------------------------

    def _regular(self, pulse: Pulse, sale: State, world: Snapshot) -> list[Record]:
        now_ms = world.now.uptime_ms
        out: list[Record] = []
        if self._night(pulse, world):
            out.append(stock_snapshot(world, self._kept.last_sales or {}, "nightly"))
            self._night_ms = now_ms
            out += self._keep(replace(self._kept, snapshot_day=world.now.wall[:10]))
        if now_ms - self._cash_ms >= CASH_LEVEL_S * 1000:
            out += self._cash_told(sale, world, "hourly")
        if self._door_ms is not None and not self._left_open:
            open_s = (now_ms - self._door_ms) // 1000
            if open_s >= DOOR_LEFT_OPEN_S:
                self._left_open = True
                out.append(Door("left_open", sale.credit, sale.sale is not None, open_s))
        return out

    def _night(self, pulse: Pulse, world: Snapshot) -> bool:
        """By the clock where it can be believed, else once in 24 hours."""
        if not pulse.synchronised:
            return world.now.uptime_ms - self._night_ms >= _NIGHT_MS
        day, hour = world.now.wall[:10], world.now.wall[11:13]
        return hour >= SNAPSHOT_HOUR and day != self._kept.snapshot_day

    def _cash_told(
        self, sale: State, world: Snapshot, reason: Literal["hourly", "exact_change"]
    ) -> list[Record]:
        self._cash_ms = world.now.uptime_ms
        owed = sum(self._claims.values())
        level = cash_level(world, owed, exact_change=sale.exact_change, reason=reason)
        same = self._cash is not None and replace(level, reason=self._cash.reason) == self._cash
        self._cash = level
        return [] if same else [level]

    # --- the heartbeat ----------------------------------------------------------------------

    def _beat_due(self, report: Report, sale: State, world: Snapshot) -> bool:
        """By time only with a pulse: no key press pays for a heartbeat."""
        if self._beat_ms is None:
            return True  # with the first pulse
        since_s = (world.now.uptime_ms - self._beat_ms) / 1000
        if since_s >= HEARTBEAT_S and isinstance(report, Pulse):
            return True
        return since_s >= _CALM_S and _selling(sale, world) != self._told

    def _heartbeat(self, pulse: Pulse, sale: State, world: Snapshot) -> Heartbeat:
        self._told = _selling(sale, world)
        self._beat_ms = world.now.uptime_ms
        kept, totals, slots = self._kept, world.totals, world.slots.items()
        return Heartbeat(
            in_service=_in_service(sale, world),
            reasons=(*world.out_of_service, *sale.locked),
            tenders=_tenders(world),
            exact_change_only=sale.exact_change,
            faults_open=tuple(self._faults_open()),
            slots_off=tuple(s for s, view in slots if view.state is not SlotState.ON_SALE),
            sold_out_slots=tuple(s for s, view in slots if view.level == 0),
            door="open" if world.door_open else "closed",
            totals=MachineTotals(
                totals.sales_count, totals.sales_value, totals.cash_in, totals.cash_out
            ),
            outbox=pulse.outbox,
            uptime_s=world.now.uptime_ms // 1000,
            next_heartbeat_s=HEARTBEAT_S,
            last_sale_at=kept.last_sale_at,
            last_cash_sale_at=kept.last_cash_sale_at,
            last_card_sale_at=kept.last_card_sale_at,
            disk_free=pulse.disk_free,
            under_voltage=pulse.under_voltage,
            cpu_temp=pulse.cpu_temp,
            signal=pulse.signal,
        )


_FIELDS: Final = tuple(_Kept.__dataclass_fields__)


def _sold(kept: _Kept, fact: SaleClosed) -> _Kept:
    if not fact.quantity or fact.outcome.value != "sold":
        return kept
    at = fact.closed_at
    kinds = {tender.kind for tender in fact.tenders if tender.applied}
    return replace(
        kept,
        last_sale_at=at,
        last_cash_sale_at=at if kinds & _CASH else kept.last_cash_sale_at,
        last_card_sale_at=at if TenderKind.CARD in kinds else kept.last_card_sale_at,
        last_sales={**(kept.last_sales or {}), fact.slot: at},
    )


def _in_service(sale: State, world: Snapshot) -> bool:
    return world.in_service and not sale.locked


def _selling(sale: State, world: Snapshot) -> tuple[object, ...]:
    """A change of this is worth a heartbeat of its own."""
    return _in_service(sale, world), _tenders(world)


def _tenders(world: Snapshot) -> tuple[TenderUsable, ...]:
    out = []
    if world.changer.fitted:
        out.append(_tender(TenderKind.COIN, world.changer.ready, "changer_lost"))
    if world.validator.fitted:
        full = world.validator.stacker_full
        usable = world.validator.ready and not full
        out.append(_tender(TenderKind.BILL, usable, "stacker_full" if full else "validator_lost"))
    if world.readers:
        ready = any(reader.ready for reader in world.readers)
        out.append(_tender(TenderKind.CARD, ready, "reader_lost"))
    return tuple(out)


def _tender(kind: TenderKind, usable: bool, otherwise: str) -> TenderUsable:
    return TenderUsable(kind, usable, None if usable else otherwise)
