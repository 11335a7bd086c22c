"""The exact-change sign, decided before money goes in and told once per switch."""

from typing import Final

from vendd.core.change import exact_change_needed
from vendd.core.facts import ExactChange, TubeLevel
from vendd.core.sale import offer, sources, tenders
from vendd.core.sale.draft import Draft
from vendd.core.sale.remembered import Remembered
from vendd.core.sale.states import (
    Idle,
    State,
)
from vendd.core.snapshot import Snapshot

_signs: Final = Remembered[bool]()


def watch_exact_change(d: Draft) -> None:
    """Between customers only: the sign never changes under someone's hands."""
    world, policy = d.world, d.policy
    if not isinstance(d.state.phase, Idle) or not sources.ready(world):
        return
    if not offer.prices_for_money(world):  # nothing to say about change while nothing is sold
        return
    needed = _signs.ask(world, world.in_service, lambda: _needed(world))
    if needed == d.state.exact_change:
        return
    d.set(exact_change=needed)
    levels = tuple(
        TubeLevel(
            t.value,
            t.count,
            t.full,
            t.defective,
            0 if t.defective else max(0, t.count - policy.tube_reserve),
        )
        for t in world.tubes
    )
    d.record(ExactChange(needed, "tubes_low" if needed else "tubes_ok", levels, world.now.wall))


def _needed(world: Snapshot) -> bool:
    """Some price and some coin or bill that would be taken leave an overpayment that stays."""
    policy, prices = world.policy, offer.prices_for_money(world)
    coins = world.changer.coins if world.changer.ready else ()
    taken = tenders.accepted_coins(State(), world)
    kinds = [c for c in coins if c.type in taken]
    if exact_change_needed(
        prices,
        kinds,
        sources.stock(world),
        reserve=policy.tube_reserve,
        unreturnable=policy.accept_unreturnable_up_to,
    ):
        return True
    bills = tenders.accepted_bills(State(), world)
    over = {
        bill.value - price
        for bill in world.validator.bills
        if bill.type in bills
        for price in prices
        if price <= bill.value
    }
    return any(sources.unpayable(world, over).values())
