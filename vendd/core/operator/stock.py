"""Stock by hand: refilled, removed, counted; slots put on sale and taken off."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from vendd.core.facts import SlotStateChanged, StockReason, VisitTask
from vendd.core.operator.orders import ClearJam, CountStock, Fill, Refill, Remove, SlotSale
from vendd.core.operator.verdicts import Case, Change, Decided, Refused, Why
from vendd.core.planogram import SlotState
from vendd.core.rows import LevelChanged, SlotSet
from vendd.core.snapshot import SlotView

_REMOVED: Final = {
    "expired": StockReason.REMOVED_EXPIRED,
    "damaged": StockReason.REMOVED_DAMAGED,
    "other": StockReason.REMOVED_OTHER,
}
_OFF_BY_FAILURE: Final = (SlotState.JAMMED, SlotState.MOTOR_MISSING)


@dataclass(frozen=True, slots=True)
class _Move:
    view: SlotView
    delta: int

    @property
    def selection(self) -> str:
        return self.view.slot.selection


def refill(order: Refill, case: Case) -> Decided | Refused:
    """Nothing named: every slot to its par level. One slot that can't take it refuses all."""
    fills = order.fills or tuple(Fill(selection) for selection in case.world.slots)
    moves: list[_Move] = []
    for fill in fills:
        view = case.world.slots.get(fill.selection)
        if view is None:
            return no_slot(fill.selection)
        units = max(0, view.slot.par - view.level) if fill.units is None else fill.units
        if units < 0:
            return Refused(Why.INVALID, f"{fill.selection}: {units} is no refill", _REMOVE)
        if view.level + units > view.slot.capacity:
            room = view.slot.capacity - view.level
            return Refused(
                Why.STATE,
                f"{fill.selection} holds {view.level} of {view.slot.capacity}:"
                f" {units} more do not fit",
                f"at most {room}; if the books are wrong, vendctl stock count comes first",
            )
        moves.append(_Move(view, units))
    if (twice := _twice(move.selection for move in moves)) is not None:
        return twice
    tasks = [VisitTask("refill", m.selection, m.delta) for m in moves if m.delta]
    return _moved(moves, StockReason.REFILL, case, tasks)


_REMOVE: Final = "vendctl stock remove takes products out"


def remove(order: Remove, case: Case) -> Decided | Refused:
    view = case.world.slots.get(order.selection)
    if view is None:
        return no_slot(order.selection)
    if order.units < 1:
        return Refused(Why.INVALID, f"{order.units} can't be removed", "name 1 or more")
    if order.units > view.available:
        held = f", {view.reserved} of them sold just now" if view.reserved else ""
        return Refused(
            Why.STATE, f"{order.selection} holds {view.level}{held}: {order.units} can't be removed"
        )
    move = _Move(view, -order.units)
    task = VisitTask("remove", move.selection, order.units)
    return _moved([move], _REMOVED[order.reason], case, [task])


def count(order: CountStock, case: Case) -> Decided | Refused:
    """A counted truth becomes an adjustment; whoever counts says why the books were wrong."""
    if not case.why:
        return Refused(Why.INVALID, "a count needs a reason", "say --why")
    moves: list[_Move] = []
    for selection, level in order.counts:
        view = case.world.slots.get(selection)
        if view is None:
            return no_slot(selection)
        if not 0 <= level <= view.slot.capacity:
            what = f"{selection} can't hold {level}: its capacity is {view.slot.capacity}"
            return Refused(Why.STATE, what, "the capacity is set in the configuration")
        if view.reserved:
            return Refused(Why.STATE, f"{selection} is being sold", "count it when it is done")
        moves.append(_Move(view, level - view.level))
    if (twice := _twice(move.selection for move in moves)) is not None:
        return twice
    return _moved(moves, StockReason.COUNT_CORRECTION, case, [])


def slot_sale(order: SlotSale, case: Case) -> Decided | Refused:
    """Disabled by a person; enabled again only what a person had disabled."""
    view = case.world.slots.get(order.selection)
    if view is None:
        return no_slot(order.selection)
    wanted = SlotState.ON_SALE if order.on else SlotState.DISABLED
    if view.state is wanted:
        return Decided(said=f"{order.selection} is {wanted.replace('_', ' ')} already")
    if view.state in _OFF_BY_FAILURE and order.on:
        what = f"{order.selection} is off because it failed ({view.state})"
        return Refused(Why.STATE, what, f"vendctl slot clear-jam {order.selection}")
    if order.on and view.state is not SlotState.DISABLED:
        what = f"{order.selection} is off for its own good ({view.state.replace('_', ' ')})"
        return Refused(Why.STATE, what, "it comes back when that is over")
    reason = "enabled" if order.on else "disabled"
    return _switched(view, wanted, reason, view.no_drop_streak, case)


def clear_jam(order: ClearJam, case: Case) -> Decided | Refused:
    """A person has looked: on sale again, and its failures are forgotten."""
    view = case.world.slots.get(order.selection)
    if view is None:
        return no_slot(order.selection)
    if view.state not in _OFF_BY_FAILURE and not view.no_drop_streak:
        what = f"{order.selection} is not jammed ({view.state.replace('_', ' ')})"
        return Refused(Why.STATE, what, "vendctl slots shows which are")
    sale = case.state.sale
    if sale is not None and sale.selection == order.selection:
        return Refused(Why.STATE, f"{order.selection} is vending", "wait until it is done")
    kept = view.state if view.state not in _OFF_BY_FAILURE else SlotState.ON_SALE
    decided = _switched(view, kept, "cleared", 0, case)
    task = VisitTask("clear_fault", f"jam {order.selection}")
    return replace(decided, kept=case.kept.with_task(task))


def no_slot(selection: str) -> Refused:
    return Refused(Why.NOT_FOUND, f"there is no slot {selection}", "vendctl slots lists them")


def _switched(view: SlotView, state: SlotState, reason: str, streak: int, case: Case) -> Decided:
    slot = view.slot
    told: Literal["on_sale", "off"] = "on_sale" if state is SlotState.ON_SALE else "off"
    fact = SlotStateChanged(slot.selection, slot.product.id, told, reason, streak, case.person.user)
    changes = [Change(slot.selection, "state", str(view.state), str(state))]
    if streak != view.no_drop_streak:
        changes.append(Change(slot.selection, "no_drop_streak", view.no_drop_streak, streak))
    return Decided(tuple(changes), (SlotSet(slot.selection, state, reason, streak), fact))


def _moved(moves: list[_Move], reason: StockReason, case: Case, tasks: list[VisitTask]) -> Decided:
    """Levels change by these; what they mean for the fleet follows by itself."""
    moves = [move for move in moves if move.delta]
    rows = [LevelChanged(m.selection, m.delta, reason, case.kept.ref) for m in moves]
    changes = [Change(m.selection, "level", m.view.level, m.view.level + m.delta) for m in moves]
    units = sum(move.delta for move in moves)
    slots = "1 slot" if len(moves) == 1 else f"{len(moves)} slots"
    said = f"{slots}, {units:+d} products" if moves else ""
    return Decided(tuple(changes), tuple(rows), kept=case.kept.with_task(*tasks), said=said)


def _twice(selections: Iterable[str]) -> Refused | None:
    seen: set[str] = set()
    for selection in selections:
        if selection in seen:
            return Refused(Why.INVALID, f"{selection} is named twice", "name each slot once")
        seen.add(selection)
    return None
