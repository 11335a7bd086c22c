"""The exact-change sign, decided before money goes in and told once per switch."""

from vendd.core.change import exact_change_needed
from vendd.core.facts import ExactChange, TubeLevel
from vendd.core.sale import offer
from vendd.core.sale.draft import Draft
from vendd.core.sale.states import Idle


def watch_exact_change(d: Draft) -> None:
    """Between customers only: the sign never changes under someone's hands."""
    world, policy = d.world, d.policy
    if not isinstance(d.state.phase, Idle) or not world.changer.ready:
        return
    prices = offer.prices_for_money(world)
    if not prices:  # nothing to say about change while nothing is sold for money
        return
    needed = exact_change_needed(
        prices,
        world.changer.coins,
        world.tubes,
        reserve=policy.tube_reserve,
        unreturnable=policy.accept_unreturnable_up_to,
    )
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
    d.record(ExactChange(needed, "tubes_low" if needed else "tubes_ok", levels))
