"""Orders decided: pure tables of what is done, what is refused, and in whose name."""

import json
from dataclasses import replace

import pytest

from vendd.core.facts import Fact, Visit
from vendd.core.operator.decide import decide
from vendd.core.operator.kept import Kept
from vendd.core.operator.orders import EnterService, Inhibit, Knock, LeaveService, Order, Ordered
from vendd.core.operator.people import Person, Role
from vendd.core.operator.verdicts import Decided, Refused, Why, journalled
from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy
from vendd.core.sale.reports import ServiceChanged
from vendd.core.sale.states import State
from vendd.core.snapshot import Moment, SlotView, Snapshot
from vendd.services import memory
from vendd.services.memory import Memory

ANNA = Person(1001, "anna", Role.TECHNICIAN)
OTTO = Person(1002, "otto", Role.OWNER)
NOBODY = Person(1003, "guest", None)
COLA = Product("cola", "Cola")
NO_VISIT, IDLE = Kept(), State()


def slot(name: str, item_no: int = 11) -> Slot:
    return Slot(name, item_no, COLA, (name,), 10, 8, 2, {"cash": 150, "card": 160})


WORLD = Snapshot(
    {"A1": SlotView(slot("A1"), 5), "A2": SlotView(slot("A2", 12), 0)},
    Policy(),
    now=Moment(1_000, "2026-01-31T12:00:00.000Z"),
)


def ordered(order: Order, person: Person = ANNA, why: str = "", **more: object) -> Ordered:
    return Ordered(1, person, order, why, **more)  # type: ignore[arg-type]


def decided(
    order: Order,
    person: Person = ANNA,
    *,
    world: Snapshot = WORLD,
    kept: Kept = NO_VISIT,
    state: State = IDLE,
) -> Decided:
    answer = decide(ordered(order, person), state, world, kept)
    assert isinstance(answer, Decided), answer
    return answer


def refused(
    order: Order,
    person: Person = ANNA,
    *,
    world: Snapshot = WORLD,
    kept: Kept = NO_VISIT,
    state: State = IDLE,
) -> Refused:
    answer = decide(ordered(order, person), state, world, kept)
    assert isinstance(answer, Refused), answer
    return answer


def changed(answer: Decided) -> dict[str, tuple[object, object]]:
    return {f"{c.what}.{c.field}": (c.before, c.after) for c in answer.changes}


def facts(answer: Decided, kind: type[Fact]) -> list[Fact]:
    return [record for record in answer.records if isinstance(record, kind)]


# --- people --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "owner_only", "may"),
    [
        (None, False, False),
        (None, True, False),
        (Role.TECHNICIAN, False, True),
        (Role.TECHNICIAN, True, False),
        (Role.OWNER, False, True),
        (Role.OWNER, True, True),
    ],
)
def test_who_may_what(role: Role | None, owner_only: bool, may: bool) -> None:
    assert Person(1, "x", role).may(owner_only=owner_only) is may


@pytest.mark.parametrize("order", [EnterService(), LeaveService(), Inhibit(on=True)])
def test_nobody_without_a_role_may_anything(order: Order) -> None:
    assert refused(order, NOBODY).why is Why.NOT_ALLOWED


def test_a_knock_is_never_let_in_not_even_by_root() -> None:
    assert refused(Knock("GET /v1/status"), NOBODY).why is Why.NOT_ALLOWED


# --- service -------------------------------------------------------------------------------


def test_a_visit_begins_and_ends() -> None:
    begun = decided(EnterService())
    assert begun.report == ServiceChanged("service", active=True)
    assert begun.kept is not None
    assert begun.kept.visit is not None
    (entered,) = facts(begun, Visit)
    assert isinstance(entered, Visit)
    assert (entered.visit_id, entered.state, entered.operator) == ("v1", "entered", "anna")
    assert entered.sellable_slots_before == 1
    inside = replace(WORLD, out_of_service=("service",))
    ended = decided(LeaveService(), world=inside, kept=begun.kept)
    assert ended.report == ServiceChanged("service", active=False)
    assert ended.kept == Kept(visits=1)
    (left,) = facts(ended, Visit)
    assert isinstance(left, Visit)
    assert (left.state, left.sellable_slots_after) == ("left", 1)


def test_two_people_at_once() -> None:
    kept = decided(EnterService()).kept
    assert kept is not None
    answer = refused(EnterService(), OTTO, kept=kept)
    assert answer.why is Why.STATE
    assert "anna" in answer.what


def test_nobody_can_leave_what_nobody_entered() -> None:
    assert refused(LeaveService()).why is Why.STATE


def test_what_still_stops_the_machine_is_said_on_leaving() -> None:
    kept = decided(EnterService()).kept
    assert kept is not None
    world = replace(WORLD, out_of_service=("keypad", "service"), door_open=True)
    ended = decided(LeaveService(), world=world, kept=kept)
    assert "keypad" in ended.said
    assert "door" in ended.said
    assert changed(ended) == {"machine.in_service": (False, False)}


def test_inhibit_may_be_said_twice() -> None:
    world = replace(WORLD, out_of_service=("inhibited",))
    again = decided(Inhibit(on=True), world=world)
    assert changed(again) == {"machine.inhibited": (True, True)}
    assert decided(Inhibit(on=False), world=world).report == ServiceChanged("inhibited", False)


# --- what stays ------------------------------------------------------------------------------


def test_a_visit_survives_a_restart_and_older_books_have_none() -> None:
    kept = decided(EnterService()).kept
    assert kept is not None
    assert memory.load(memory.dump(Memory(kept=kept))).kept == kept
    older = memory.dump(Memory()).replace(b'"operator":', b'"unknown":')
    assert memory.load(older).kept == Kept()


def test_the_journal_line_says_who_what_why_before_and_after() -> None:
    order = ordered(EnterService(), why="refill, card 4111 1111 1111 1111")
    line = journalled(order, decided(EnterService()).changes)
    assert (line.uid, line.user, line.role) == (1001, "anna", "technician")
    assert (line.action, line.target, line.outcome) == ("service enter", "machine", "done")
    assert json.loads(line.before) == {"machine.in_service": True}
    assert json.loads(line.after) == {"machine.in_service": False}
    assert "4111 1111 1111 1111" not in line.why
