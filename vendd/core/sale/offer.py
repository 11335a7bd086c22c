"""What can be sold now, for which prices, with which change: asked before anything moves (R5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from vendd.core.facts import RefusalReason
from vendd.core.planogram import SlotState
from vendd.core.policy import Policy
from vendd.core.sale import tariff
from vendd.core.snapshot import SlotView, Snapshot


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


@dataclass(frozen=True, slots=True)
class _Prices:
    """Of everything that is for sale in `slots`; whole, because it is asked for many times between
    two changes of the slots. Snapshots of one state share their slots."""

    slots: Mapping[str, SlotView]
    policy: Policy
    blocked: bool
    cash: frozenset[int]
    card: frozenset[int]

    def of(self, world: Snapshot) -> bool:
        same = self.slots is world.slots and self.policy is world.policy
        return same and self.blocked == world.drop_sensor_blocked


_latest: list[_Prices] = []


def _prices(world: Snapshot) -> _Prices:
    if _latest and _latest[0].of(world):
        return _latest[0]
    views = [
        view
        for selection, view in world.slots.items()
        if not view.slot.free and obstacle(world, selection) is None
    ]
    prices = _Prices(
        world.slots,
        world.policy,
        world.drop_sensor_blocked,
        frozenset(view.slot.price("cash") for view in views),
        frozenset(tariff.for_card(view.slot, world.policy).price for view in views),
    )
    _latest[:] = [prices]
    return prices


def prices_for_money(world: Snapshot) -> frozenset[int]:
    """The cash prices of everything that money can buy now."""
    return _prices(world).cash


def card_prices(world: Snapshot) -> frozenset[int]:
    """The card prices of everything that a card can buy now."""
    return _prices(world).card


def highest_price(world: Snapshot) -> int | None:
    """The highest price money can buy now; None when nothing is for sale for money."""
    return max(prices_for_money(world), default=None)


def something_free(world: Snapshot) -> bool:
    """A free product can be had."""
    return any(v.slot.free and obstacle(world, s) is None for s, v in world.slots.items())
