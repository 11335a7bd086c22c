"""The machine's stock and cash as one picture each: what a projection is compared with."""

from collections.abc import Mapping
from typing import Final, Literal

from vendd.core.facts import (
    CashLevel,
    ListPrice,
    RecyclerLevel,
    SlotCondition,
    SlotSnapshot,
    StockSnapshot,
    TubeLevel,
)
from vendd.core.planogram import SlotState
from vendd.core.snapshot import SlotView, Snapshot

_CONDITIONS: Final = {
    SlotState.JAMMED: SlotCondition.JAMMED,
    SlotState.DISABLED: SlotCondition.DISABLED,
    SlotState.HEALTH: SlotCondition.HEALTH,
    SlotState.EXPIRED: SlotCondition.EXPIRED,
    SlotState.BLOCKED_TIME: SlotCondition.DISABLED,
    SlotState.SENSOR_BLOCKED: SlotCondition.DISABLED,
    SlotState.MOTOR_MISSING: SlotCondition.JAMMED,
}


def stock_snapshot(
    world: Snapshot,
    last_sales: Mapping[str, str],
    reason: Literal["nightly", "visit", "request"],
) -> StockSnapshot:
    """All slots as they are. `last_sales`: slot -> time."""
    slots = [_slot(view, last_sales.get(name)) for name, view in world.slots.items()]
    return StockSnapshot(reason, tuple(slots))


def _slot(view: SlotView, last_sale_at: str | None) -> SlotSnapshot:
    slot = view.slot
    return SlotSnapshot(
        slot=slot.selection,
        product_id=slot.product.id,
        level=view.level,
        capacity=slot.capacity,
        par=slot.par,
        prices=tuple(ListPrice(name, price) for name, price in sorted(slot.prices.items())),
        state=_condition(view),
        no_drop_streak=view.no_drop_streak,
        last_sale_at=last_sale_at,
    )


def _condition(view: SlotView) -> SlotCondition:
    if view.state is not SlotState.ON_SALE:
        empty = view.state is SlotState.JAMMED and view.no_drop_streak > 0
        return SlotCondition.SUSPECTED_EMPTY if empty else _CONDITIONS[view.state]
    return SlotCondition.SOLD_OUT if view.level == 0 else SlotCondition.ON_SALE


def cash_level(
    world: Snapshot,
    claims_open: int,
    *,
    exact_change: bool,
    reason: Literal["hourly", "exact_change", "visit", "request"],
) -> CashLevel:
    """The money that can be counted without opening anything."""
    reserve = world.policy.tube_reserve
    tubes = tuple(
        TubeLevel(
            t.value,
            t.count,
            t.full,
            t.defective,
            0 if t.defective or not world.changer.ready else max(0, t.count - reserve),
        )
        for t in world.tubes
    )
    stores = tuple(
        RecyclerLevel(
            s.value,
            s.count,
            s.full,
            s.defective,
            0 if s.defective or not world.validator.ready else s.count,
        )
        for s in world.recycler
    )
    return CashLevel(
        tubes=tubes,
        exact_change_only=exact_change,
        change_value=sum(t.coin * t.dispensable for t in tubes)
        + sum(s.bill * s.dispensable for s in stores),
        claims_open=claims_open,
        reason=reason,
        recycler=stores or None,
        stacker_full=world.validator.stacker_full if world.validator.fitted else None,
    )
