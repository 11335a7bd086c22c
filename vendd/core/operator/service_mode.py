"""Entering and leaving service, and taking a machine off sale."""

from dataclasses import replace
from typing import Final, Literal

from vendd.core.facts import Visit
from vendd.core.operator.kept import OpenVisit
from vendd.core.operator.orders import EnterService, Inhibit, LeaveService
from vendd.core.operator.verdicts import Case, Change, Decided, Refused, Why
from vendd.core.sale.reports import ServiceChanged
from vendd.core.snapshot import Snapshot

SERVICE: Final = "service"
INHIBITED: Final = "inhibited"
"""Reasons to be out of service; kept across restarts until a person takes them back."""


def enter(_: EnterService, case: Case) -> Decided | Refused:
    """One visit at a time: two people who each think they are alone is how fingers get hurt."""
    visit = case.kept.visit
    if visit is not None:
        return Refused(
            Why.STATE,
            f"{visit.user} is in service since {visit.entered_at}",
            "vendctl service leave ends that visit",
        )
    opened = OpenVisit(
        number=case.kept.visits + 1,
        user=case.person.user,
        role=str(case.person.role),
        entered_at=case.world.now.wall,
        faults_before=case.faults,
        sellable_before=_sellable(case.world),
    )
    return Decided(
        changes=(Change("machine", "in_service", case.world.in_service, False),),
        records=(_fact(opened, "entered"),),
        report=ServiceChanged(SERVICE, active=True),
        kept=replace(case.kept, visits=opened.number, visit=opened),
        said=f"visit {opened.id}; customers see OUT OF SERVICE",
    )


def leave(_: LeaveService, case: Case) -> Decided | Refused:
    """Whoever leaves ends the visit, also another's: nobody stays locked out of a machine."""
    visit = case.kept.visit
    if visit is None:
        return Refused(Why.STATE, "nobody is in service", "vendctl service enter begins a visit")
    if case.kept.trial is not None:
        what = f"{case.kept.trial.selection} is being tested"
        return Refused(Why.STATE, what, "wait until its motor stands")
    world = case.world
    others = tuple(reason for reason in world.out_of_service if reason != SERVICE)
    fact = replace(
        _fact(visit, "left"),
        faults_after=case.faults,
        sellable_slots_after=_sellable(world),
    )
    sells = not others and not case.state.locked
    still = "" if sells else f"; still out of service: {', '.join((*others, *case.state.locked))}"
    door = "; the door is open" if world.door_open else ""
    return Decided(
        changes=(Change("machine", "in_service", False, sells and not world.door_open),),
        records=(fact,),
        report=ServiceChanged(SERVICE, active=False),
        kept=replace(case.kept, visit=None),
        said=f"visit {visit.id} is over{still}{door}",
    )


def inhibit(order: Inhibit, case: Case) -> Decided | Refused:
    """Idempotent, so that a script may say it twice."""
    was = INHIBITED in case.world.out_of_service
    return Decided(
        changes=(Change("machine", "inhibited", was, order.on),),
        report=ServiceChanged(INHIBITED, active=order.on),
        said="out of service until vendctl inhibit off" if order.on else "no longer inhibited",
    )


def _fact(visit: OpenVisit, state: Literal["entered", "left"]) -> Visit:
    return Visit(
        visit_id=visit.id,
        state=state,
        operator=visit.user,
        role="owner" if visit.role == "owner" else "technician",
        door_seconds=visit.door_s,
        tasks=visit.tasks,
        faults_before=visit.faults_before,
        sellable_slots_before=visit.sellable_before,
    )


def _sellable(world: Snapshot) -> int:
    return sum(view.sellable for view in world.slots.values())
