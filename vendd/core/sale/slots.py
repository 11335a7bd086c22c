"""Slots that fail: counted, and taken off sale."""

from vendd.core.facts import Reason, SlotStateChanged
from vendd.core.planogram import SlotState
from vendd.core.rows import SlotSet
from vendd.core.sale.draft import Draft


def slot_failed(d: Draft, selection: str, reason: Reason, *, off: bool = False) -> None:
    """Count a failure of the slot; off sale when the policy's number is reached, or `off`."""
    view = d.world.slots[selection]
    streak = view.no_drop_streak + 1
    off = off or streak >= d.policy.failures_to_slot_off
    on_sale = view.state is SlotState.ON_SALE
    state = SlotState.JAMMED if off and on_sale else view.state
    d.record(SlotSet(selection, state, reason.value, streak))
    if off and on_sale:
        product = view.slot.product.id
        d.record(SlotStateChanged(selection, product, "off", reason.value, streak, "system"))
