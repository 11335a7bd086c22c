"""The inventory service: what a change of stock means for the fleet.

Decides what to record beside a level change: the change itself, one low-stock
alert per crossing, sold out or back. All of it joins the commit of the change
(S3), so there is nothing to guard and nothing to miss.
"""

from collections.abc import Iterable

from vendd.core.facts import AlertState, Fact, LowStockAlert, SoldOut, StockChanged
from vendd.core.planogram import SlotState
from vendd.core.rows import LevelChanged, Record
from vendd.core.snapshot import Snapshot


def facts_of(records: Iterable[Record], before: Snapshot) -> list[Fact]:
    """Facts for every level change among `records`, which will be applied to `before` in order."""
    facts: list[Fact] = []
    world = before
    for record in records:
        if isinstance(record, LevelChanged):
            following = world.after((record,))
            facts.extend(_facts(record, world, following))
            world = following
        else:
            world = world.after((record,))
    return facts


def _facts(change: LevelChanged, before: Snapshot, after: Snapshot) -> Iterable[Fact]:
    slot = after.slots[change.selection].slot
    was, now = before.slots[change.selection].level, after.slots[change.selection].level
    yield StockChanged(
        slot=slot.selection,
        product_id=slot.product.id,
        before=was,
        delta=change.delta,
        after=now,
        capacity=slot.capacity,
        par=slot.par,
        threshold=slot.threshold,
        reason=change.reason,
        ref=change.ref,
    )
    if (was <= slot.threshold) != (now <= slot.threshold):
        yield LowStockAlert(
            state=AlertState.RAISED if now <= slot.threshold else AlertState.CLEARED,
            slot=slot.selection,
            product_id=slot.product.id,
            level=now,
            threshold=slot.threshold,
            par=slot.par,
            needed=max(0, slot.par - now),
            product_level_machine=sum(
                v.level for v in after.slots.values() if v.slot.product.id == slot.product.id
            ),
        )
    if (was == 0) != (now == 0):
        yield _sold_out(
            change.selection, after, AlertState.RAISED if now == 0 else AlertState.CLEARED
        )


def _sold_out(selection: str, world: Snapshot, state: AlertState) -> SoldOut:
    product = world.slots[selection].slot.product.id
    views = world.slots.values()
    return SoldOut(
        state=state,
        slot=selection,
        product_id=product,
        kind="counted",
        slots_left_for_product=sum(
            v.level > 0 and v.state is SlotState.ON_SALE and v.slot.product.id == product
            for v in views
        ),
        machine_sold_out_share=round(sum(v.level == 0 for v in views) / len(world.slots), 3),
    )
