"""An order is decided: who may, and what it means for this machine now. Pure.

Refused is refused: nothing half done. What is decided joins one commit with its journal line.
"""

from collections.abc import Callable
from typing import Any, Final

from vendd.core.operator import motor_test, owed, prices, service_mode, stock
from vendd.core.operator.kept import Kept
from vendd.core.operator.orders import (
    ClearJam,
    CloseClaim,
    CountStock,
    EnterService,
    Inhibit,
    LeaveService,
    Order,
    Ordered,
    PutBack,
    Refill,
    Remove,
    ResolveDoubt,
    SetPrice,
    SlotSale,
    TryMotor,
    action_of,
)
from vendd.core.operator.verdicts import Case, Decided, Refused, Why
from vendd.core.sale.states import State
from vendd.core.snapshot import Snapshot

LONGEST_WHY: Final = 200


def decide(ordered: Ordered, state: State, world: Snapshot, kept: Kept) -> Decided | Refused:
    """`world` is what is committed, with the moment of the order in `now`."""
    order, person = ordered.order, ordered.person
    if not person.may(owner_only=order.owner_only):
        return not_allowed(order)
    case = Case(ordered.number, person, ordered.why, ordered.faults, state, world, kept)
    return _DECIDES[type(order)](order, case)


def not_allowed(order: Order) -> Refused:
    who = "an owner" if order.owner_only else "a technician or owner"
    return Refused(
        Why.NOT_ALLOWED,
        f"{action_of(order)} is for {who} of this machine",
        "see the groups of [api] in the configuration",
    )


_DECIDES: Final[dict[type[Order], Callable[[Any, Case], Decided | Refused]]] = {
    EnterService: service_mode.enter,
    LeaveService: service_mode.leave,
    Inhibit: service_mode.inhibit,
    Refill: stock.refill,
    Remove: stock.remove,
    CountStock: stock.count,
    SlotSale: stock.slot_sale,
    ClearJam: stock.clear_jam,
    SetPrice: prices.set_price,
    CloseClaim: owed.close_claim,
    ResolveDoubt: owed.resolve_doubt,
    TryMotor: motor_test.begin,
    PutBack: motor_test.put_back,
}
