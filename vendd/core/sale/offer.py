"""What can be sold now, for which prices, with which change: asked before anything moves (R5)."""

from vendd.core.facts import RefusalReason
from vendd.core.planogram import SlotState
from vendd.core.sale import tariff
from vendd.core.snapshot import Snapshot


def obstacle(world: Snapshot, selection: str) -> tuple[str, RefusalReason] | None:
    """Why this slot is not for sale (text of the catalogue, reason), or None."""
    view = world.slots[selection]
    if view.state is SlotState.BLOCKED_TIME:
        return "not_now", RefusalReason.BLOCKED_TIME
    if view.state is SlotState.HEALTH:
        return "not_available", RefusalReason.HEALTH
    if view.state is not SlotState.ON_SALE:
        return "not_available", RefusalReason.NOT_AVAILABLE
    if view.available <= 0:
        return "sold_out", RefusalReason.SOLD_OUT
    policy = world.policy
    blind = world.drop_sensor_blocked and policy.drop_sensor
    if blind and not policy.home_proves_when_sensor_blocked:
        return "not_available", RefusalReason.NOT_AVAILABLE
    return None


def prices_for_money(world: Snapshot) -> frozenset[int]:
    """The cash prices of everything that money can buy now."""
    return frozenset(
        view.slot.price("cash")
        for selection, view in world.slots.items()
        if not view.slot.free and obstacle(world, selection) is None
    )


def card_prices(world: Snapshot) -> frozenset[int]:
    """The card prices of everything that a card can buy now."""
    return frozenset(
        tariff.for_card(view.slot, world.policy).price
        for selection, view in world.slots.items()
        if not view.slot.free and obstacle(world, selection) is None
    )


def highest_price(world: Snapshot) -> int | None:
    """The highest price money can buy now; None when nothing is for sale for money."""
    return max(prices_for_money(world), default=None)


def something_free(world: Snapshot) -> bool:
    """A free product can be had."""
    return any(v.slot.free and obstacle(world, s) is None for s, v in world.slots.items())
