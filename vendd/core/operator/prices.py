"""Prices at the machine. Whoever stands there keeps the price they saw (R4): while a customer is
there a new one waits, durable, until nobody has credit, a session or a sale.
"""

from math import gcd
from typing import Final

from vendd.core.facts import PlanogramChanged, VisitTask
from vendd.core.money import format_amount
from vendd.core.operator.orders import SetPrice
from vendd.core.operator.stock import no_slot
from vendd.core.operator.verdicts import Case, Change, Decided, Refused, Why
from vendd.core.planogram import check_planogram
from vendd.core.rows import PricePending, PriceSet, Record, SettingSet
from vendd.core.sale.states import ClaimShown, Idle, State
from vendd.core.snapshot import Snapshot

VERSION: Final = "price_ver"
"""The setting that numbers the price lists between two starts."""


def set_price(order: SetPrice, case: Case) -> Decided | Refused:
    view = case.world.slots.get(order.selection)
    if view is None:
        return no_slot(order.selection)
    slot, world = view.slot, case.world
    if slot.free:
        return Refused(
            Why.STATE, f"{slot.selection} is free", "take `free` out of the configuration"
        )
    unpayable = _wrong(order, case)
    if unpayable is not None:
        return unpayable
    before = slot.prices.get(order.price_list)
    change = Change(slot.selection, f"price.{order.price_list}", before, order.price)
    asked = PricePending(
        slot.selection, order.price_list, order.price, world.now.wall, case.why, case.person.user
    )
    kept = case.kept.with_task(VisitTask("price", slot.selection))
    if before == order.price and not _waits(order, world):
        return Decided(said="that is the price already")
    if quiet(case.state):
        return Decided((change,), applied(asked, world), kept=kept)
    said = "a customer is there: it holds as soon as nobody has credit"
    return Decided((change,), (asked,), kept=kept, said=said)


def quiet(state: State) -> bool:
    """Nobody has seen a price that they could still pay."""
    return isinstance(state.phase, Idle | ClaimShown) and not state.money


def due(state: State, world: Snapshot) -> tuple[Record, ...]:
    """What waited, when it may hold now."""
    if not world.prices_pending or not quiet(state):
        return ()
    records: list[Record] = []
    for asked in world.prices_pending:
        records += applied(asked, world.after(records))
    return tuple(records)


def applied(asked: PricePending, world: Snapshot) -> tuple[Record, ...]:
    """The price holds from this commit on; the list of prices has another number."""
    slot, exponent = world.slots[asked.selection].slot, world.policy.exponent
    old = slot.prices.get(asked.price_list)
    new = format_amount(asked.price, exponent)
    fact = PlanogramChanged(
        slot=slot.selection,
        field="price",
        old=f"{asked.price_list} {'-' if old is None else format_amount(old, exponent)}",
        new=f"{asked.price_list} {new}",
        effective_at=asked.asked_at,
        applied_at=world.now.wall,
        source="cli",
        reason=asked.why,
        readback=new,
    )
    row = PriceSet(asked.selection, asked.price_list, asked.price)
    version = world.after((row,)).price_ver
    return (row, SettingSet(VERSION, str(version)), fact)


def _waits(order: SetPrice, world: Snapshot) -> bool:
    key = (order.selection, order.price_list)
    return any((p.selection, p.price_list) == key for p in world.prices_pending)


def _wrong(order: SetPrice, case: Case) -> Refused | None:
    """As the configuration's own check; only the cash list has to be made of coins."""
    slot = case.world.slots[order.selection].slot
    if order.price <= 0:
        what = f"{format_amount(order.price, case.world.policy.exponent)} is not a price"
        return Refused(Why.INVALID, what, "above 0; a free slot is marked so in the configuration")
    values = [coin.value for coin in case.world.changer.coins if coin.value]
    if order.price_list != "cash" or not values:
        return None
    priced = slot.priced(order.price_list, order.price)
    for problem in check_planogram([priced], motors=slot.motors, accepts_scale=gcd(*values)):
        return Refused(Why.INVALID, f"{slot.selection}: {problem.what}", problem.remedy)
    return None
