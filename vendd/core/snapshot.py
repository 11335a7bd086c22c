"""What is committed, as the machine may see it: stock, tubes, prices, service, policy, the moment.

Immutable. `Snapshot.after(records)` gives the next one once a commit is durable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from vendd.core.planogram import Slot, SlotState
from vendd.core.policy import Policy
from vendd.core.rows import (
    ClaimSet,
    CountersAdded,
    DoubtSet,
    LevelChanged,
    PricePending,
    PriceSet,
    Record,
    RecyclerSet,
    Released,
    Reserved,
    SlotSet,
    TubeSet,
)
from vendd.core.sale.bill_reports import BillType, RecyclerStore
from vendd.core.sale.reports import Coin, Tube


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot as committed."""

    slot: Slot
    level: int
    reserved: int = 0
    state: SlotState = SlotState.ON_SALE
    no_drop_streak: int = 0

    @property
    def available(self) -> int:
        """Units nobody has spoken for."""
        return self.level - self.reserved

    @property
    def sellable(self) -> bool:
        return self.state is SlotState.ON_SALE and self.available > 0


@dataclass(frozen=True, slots=True)
class Changer:
    """The coin changer (or what stands in for one) as far as decisions need it."""

    ready: bool = False
    coins: tuple[Coin, ...] = ()
    fitted: bool = True


@dataclass(frozen=True, slots=True)
class BillValidator:
    """The bill validator as far as decisions need it. `fitted`: the machine has one."""

    fitted: bool = False
    ready: bool = False
    escrow: bool = False
    bills: tuple[BillType, ...] = ()
    stacker_full: bool = False


@dataclass(frozen=True, slots=True)
class CardReader:
    """A card reader that this machine has, as far as decisions need it."""

    number: int
    ready: bool = False
    serial: str = ""
    max_response_s: int = 5
    can_refund: bool = False
    multi_vend: bool = False
    selection_first: bool = False
    wants_cash_sales: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Since initialisation."""

    sales_count: int = 0
    sales_value: int = 0
    cash_in: int = 0
    cash_out: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """When the report arrived: `uptime_ms` of this boot, `wall` RFC 3339 UTC (E4)."""

    uptime_ms: int = 0
    wall: str = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Snapshot:
    slots: Mapping[str, SlotView]
    policy: Policy
    tubes: tuple[Tube, ...] = ()
    changer: Changer = Changer()
    validator: BillValidator = BillValidator()
    recycler: tuple[RecyclerStore, ...] = ()
    readers: tuple[CardReader, ...] = ()
    out_of_service: tuple[str, ...] = ()
    door_open: bool = False
    drop_sensor_blocked: bool = False
    totals: Totals = Totals()
    now: Moment = field(default_factory=Moment)
    claims: Mapping[str, ClaimSet] = field(default_factory=dict)  # open ones, by reference
    doubts: Mapping[int, DoubtSet] = field(default_factory=dict)  # open ones, by number
    prices_pending: tuple[PricePending, ...] = ()
    price_ver: int = 0

    def reader(self, number: int) -> CardReader:
        """One of the machine's readers; one that it does not have (any more) is never ready."""
        return next((r for r in self.readers if r.number == number), CardReader(number))

    @property
    def in_service(self) -> bool:
        return not self.out_of_service and not self.door_open

    def after(self, records: Iterable[Record]) -> "Snapshot":
        """The snapshot once `records` are committed; facts change nothing here."""
        records = tuple(records)
        slots = dict(self.slots)
        tubes = {t.type: t for t in self.tubes}
        stores = {s.type: s for s in self.recycler}
        totals = self.totals
        for record in records:
            match record:
                case Reserved(_, selection, quantity):
                    view = slots[selection]
                    slots[selection] = replace(view, reserved=view.reserved + quantity)
                case Released(_, selection, quantity):
                    view = slots[selection]
                    slots[selection] = replace(view, reserved=view.reserved - quantity)
                case LevelChanged(selection, delta):
                    view = slots[selection]
                    slots[selection] = replace(view, level=view.level + delta)
                case SlotSet(selection, state, _, streak):
                    slots[selection] = replace(slots[selection], state=state, no_drop_streak=streak)
                case TubeSet(type_, value, count, full, defective):
                    tubes[type_] = Tube(type_, value, count, full, defective)
                case RecyclerSet(type_, value, count, full, defective):
                    stores[type_] = RecyclerStore(type_, value, count, full, defective)
                case PriceSet(selection, name, price):
                    view = slots[selection]
                    slots[selection] = replace(view, slot=view.slot.priced(name, price))
                case CountersAdded(count, value, cash_in, cash_out):
                    totals = Totals(
                        totals.sales_count + count,
                        totals.sales_value + value,
                        totals.cash_in + cash_in,
                        totals.cash_out + cash_out,
                    )
                case _:
                    pass
        return replace(
            self._settled(records),
            slots=slots,
            tubes=tuple(tubes[t] for t in sorted(tubes)),
            recycler=tuple(stores[t] for t in sorted(stores)),
            totals=totals,
        )

    def _settled(self, records: tuple[Record, ...]) -> "Snapshot":
        """What is owed, unknown or waits. Nearly always nothing of it changes."""
        if not any(isinstance(record, _SETTLES) for record in records):
            return self
        claims, doubts = dict(self.claims), dict(self.doubts)
        pending = {(p.selection, p.price_list): p for p in self.prices_pending}
        price_ver = self.price_ver
        for record in records:
            match record:
                case ClaimSet(ref):
                    claims[ref] = record
                case DoubtSet(number):
                    doubts[number] = record
                case PricePending(selection, price_list):
                    pending[selection, price_list] = record
                case PriceSet(selection, price_list):
                    pending.pop((selection, price_list), None)
                    price_ver += 1
                case _:
                    pass
        return replace(
            self,
            claims={ref: claim for ref, claim in claims.items() if claim.closed_how is None},
            doubts={number: doubt for number, doubt in doubts.items() if doubt.decision is None},
            prices_pending=tuple(pending.values()),
            price_ver=price_ver,
        )


_SETTLES: Final = (ClaimSet, DoubtSet, PricePending, PriceSet)
