"""What is looked at: one picture of the machine each, from one moment."""

import json
from collections.abc import Collection
from typing import Any, Literal

from vendd.api.problems import Response
from vendd.core.operator.sight import JournalLine, OpenFault, Sight
from vendd.core.planogram import SlotState
from vendd.core.snapshot import SlotView


class Money(Response):
    """What a number of minor units means on this machine."""

    currency: str
    exponent: int


class Tender(Response):
    kind: Literal["coin", "bill", "card"]
    usable: bool


class Tube(Response):
    """`full`: it takes no more. `defective`: nothing is paid from it."""

    coin: int
    count: int
    full: bool
    defective: bool


class Fault(Response):
    id: str
    device: str
    code: str
    slot: str | None
    severity: str
    stops: tuple[str, ...]
    since: str
    count: int
    detail: str

    @classmethod
    def of(cls, fault: OpenFault) -> "Fault":
        return cls(
            id=fault.id,
            device=fault.device,
            code=fault.code,
            slot=fault.slot,
            severity=str(fault.severity),
            stops=fault.stops,
            since=fault.since,
            count=fault.count,
            detail=fault.detail,
        )


class StockSummary(Response):
    """Counts of slots; `units`: products in the machine, `needed`: to bring all to par."""

    slots: int
    sellable: int
    sold_out: tuple[str, ...]
    low: tuple[str, ...]
    off: tuple[str, ...]
    units: int
    needed: int


class Visit(Response):
    id: str
    user: str
    role: str
    since: str


class OutboxStatus(Response):
    depth: int
    oldest_age_s: int


class TotalsSince(Response):
    """Since initialisation."""

    sales_count: int
    sales_value: int
    cash_in: int
    cash_out: int


class Status(Response):
    """One screen of the machine. `phase`: what the sale machine is in the middle of."""

    machine: str
    software: str
    config_hash: str
    money: Money
    now: str
    clock_synchronised: bool
    uptime_s: int
    boot_count: int
    in_service: bool
    reasons: tuple[str, ...]
    door: Literal["open", "closed"]
    phase: str
    credit: int
    exact_change_only: bool
    tenders: tuple[Tender, ...]
    tubes: tuple[Tube, ...]
    change_value: int
    stock: StockSummary
    faults: tuple[Fault, ...]
    outbox: OutboxStatus
    totals: TotalsSince
    visit: Visit | None
    books_writable: bool


class Slot(Response):
    slot: str
    item_no: int
    product_id: str
    product: str
    level: int
    reserved: int
    capacity: int
    par: int
    threshold: int
    prices: dict[str, int]
    free: bool
    state: str
    no_drop_streak: int


class Slots(Response):
    money: Money
    slots: tuple[Slot, ...]


class Faults(Response):
    faults: tuple[Fault, ...]


class JournalEntry(Response):
    id: int
    at: str
    boot: int
    seq: int
    uid: int
    user: str
    role: str
    action: str
    target: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]
    outcome: Literal["done", "refused"]

    @classmethod
    def of(cls, line: JournalLine) -> "JournalEntry":
        values = {name: getattr(line, name) for name in cls.model_fields}
        values |= {"before": json.loads(line.before), "after": json.loads(line.after)}
        return cls(**values)


class Journal(Response):
    """Newest first."""

    entries: tuple[JournalEntry, ...]


def money(sight: Sight) -> Money:
    policy = sight.world.policy
    return Money(currency=policy.currency, exponent=policy.exponent)


def slots(sight: Sight) -> Slots:
    views = tuple(_slot(view) for view in sight.world.slots.values())
    return Slots(money=money(sight), slots=views)


def _slot(view: SlotView) -> Slot:
    slot = view.slot
    return Slot(
        slot=slot.selection,
        item_no=slot.item_no,
        product_id=slot.product.id,
        product=slot.product.name,
        level=view.level,
        reserved=view.reserved,
        capacity=slot.capacity,
        par=slot.par,
        threshold=slot.threshold,
        prices=dict(slot.prices),
        free=slot.free,
        state=str(view.state),
        no_drop_streak=view.no_drop_streak,
    )


def faults(sight: Sight) -> Faults:
    return Faults(faults=tuple(Fault.of(fault) for fault in sight.faults))


def status(sight: Sight) -> Status:
    world, state, visit = sight.world, sight.state, sight.kept.visit
    totals = world.totals
    held, change_value = tubes(sight)
    return Status(
        machine=sight.identity.machine,
        software=sight.identity.software,
        config_hash=sight.identity.config_hash,
        money=money(sight),
        now=sight.now,
        clock_synchronised=sight.synchronised,
        uptime_s=sight.uptime_ms // 1000,
        boot_count=sight.identity.boot_count,
        in_service=world.in_service and not state.locked,
        reasons=(*world.out_of_service, *state.locked),
        door="open" if world.door_open else "closed",
        phase=_words(type(state.phase).__name__),
        credit=state.money,
        exact_change_only=state.exact_change,
        tenders=_tenders(sight),
        tubes=held,
        change_value=change_value,
        stock=_stock(world.slots.values()),
        faults=faults(sight).faults,
        outbox=OutboxStatus(depth=sight.outbox.depth, oldest_age_s=sight.outbox.oldest_age_s),
        totals=TotalsSince(
            sales_count=totals.sales_count,
            sales_value=totals.sales_value,
            cash_in=totals.cash_in,
            cash_out=totals.cash_out,
        ),
        visit=None
        if visit is None
        else Visit(id=visit.id, user=visit.user, role=visit.role, since=visit.entered_at),
        books_writable=not sight.failing,
    )


def tubes(sight: Sight) -> tuple[tuple[Tube, ...], int]:
    """The tubes, and what could be paid out of them now."""
    world = sight.world
    reserve = world.policy.tube_reserve
    usable = [t for t in world.tubes if not t.defective and world.changer.ready]
    held = tuple(
        Tube(coin=t.value, count=t.count, full=t.full, defective=t.defective) for t in world.tubes
    )
    return held, sum(t.value * max(0, t.count - reserve) for t in usable)


def _stock(views: Collection[SlotView]) -> StockSummary:
    return StockSummary(
        slots=len(views),
        sellable=sum(v.sellable for v in views),
        sold_out=tuple(v.slot.selection for v in views if v.level == 0),
        low=tuple(v.slot.selection for v in views if 0 < v.level <= v.slot.threshold),
        off=tuple(v.slot.selection for v in views if v.state is not SlotState.ON_SALE),
        units=sum(v.level for v in views),
        needed=sum(max(0, v.slot.par - v.level) for v in views),
    )


def _tenders(sight: Sight) -> tuple[Tender, ...]:
    world = sight.world
    found = []
    if world.changer.fitted:
        found.append(Tender(kind="coin", usable=world.changer.ready))
    if world.validator.fitted:
        ready = world.validator.ready and not world.validator.stacker_full
        found.append(Tender(kind="bill", usable=ready))
    if world.readers:
        found.append(Tender(kind="card", usable=any(r.ready for r in world.readers)))
    return tuple(found)


def _words(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
