"""The alarms that only the backend can raise (events.md section 6): pure functions of a view.

They judge by the view's horizon, not by the clock: a consumer that is behind must not take its
own delay for a machine's silence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict

from vendd.fleet.alarms.condition import Condition, Severity
from vendd.fleet.alarms.view import FleetView, MachineView
from vendd.fleet.envelope import shown_time
from vendd.fleet.spans import shown

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
Number = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]


class Profile(BaseModel):
    """What differs on one machine; empty: as the fleet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    no_sale_h: Number | None = None
    no_cash_sale_h: Number | None = None
    no_card_sale_h: Number | None = None


class Limits(BaseModel):
    """When something becomes an alarm. A machine is expected every `next_heartbeat_s` of its own;
    one that never said so within `silent_h`. A slot fails when of at least `slot_sales` sales in
    `slot_days` more than `slot_times` the fleet's share were refunded or doubtful."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silent_heartbeats: Number = 2
    silent_h: Number = 24
    announced_min: Number = 30
    no_sale_h: Number = 24
    no_cash_sale_h: Number = 48
    no_card_sale_h: Number = 48
    claim_days: Number = 7
    refund_days: Number = 3
    doubtful_days: Number = 7
    behind_min: Number = 15
    gap_min: Number = 10
    cash_short: Number = 500
    slot_days: Number = 7
    slot_sales: Number = 10
    slot_times: Number = 3
    machine: dict[str, Profile] = Field(default_factory=dict)

    def hours(self, machine: str, name: str) -> int:
        own = getattr(self.machine.get(machine, _PLAIN), name)
        hours: int = own if own is not None else getattr(self, name)
        return hours


_PLAIN: Final = Profile()
Sites = Mapping[str, frozenset[str]]
"""Machine -> the machines that stand beside it."""


def evaluate(view: FleetView, limits: Limits, sites: Sites) -> list[Condition]:
    """Everything that is wrong now. What isn't in it any more is over."""
    found = [*_behind(view, limits), *_dead_letters(view), *_unknown(view)]
    found += _failing_slots(view, limits)
    silent = {condition.machine: condition for condition in _silent(view, limits)}
    found += silent.values()
    for machine in view.machines:
        if machine.machine not in silent:
            found += _no_sale(view, machine, limits, sites)
        for rule in _RULES:
            found += rule(view, machine, limits)
    return found


def _behind(view: FleetView, limits: Limits) -> Iterator[Condition]:
    if view.horizon_ms is None:
        return
    late_min = (view.now_ms - view.horizon_ms) // 60_000
    if late_min >= limits.behind_min:
        said = f"the inventory consumers are {late_min} minutes behind, or stopped"
        yield Condition("", "backend_behind", "", Severity.CRITICAL, said)


def _dead_letters(view: FleetView) -> Iterator[Condition]:
    for topic, count in sorted(view.dead_letters.items()):
        said = f"dead letters wait on {topic}: {count}"
        yield Condition("", "dead_letters", topic, Severity.WARNING, said)


def _unknown(view: FleetView) -> Iterator[Condition]:
    if view.unknown:
        more = f" and {len(view.unknown) - 5} more" if len(view.unknown) > 5 else ""
        said = (
            f"machines send events that this vendd-fleet does not know, and of which it keeps the"
            f" numbers only: {', '.join(view.unknown[:5])}{more}; is there a newer vendd-fleet?"
        )
        yield Condition("", "unknown_events", "", Severity.WARNING, said)


def _failing_slots(view: FleetView, limits: Limits) -> Iterator[Condition]:
    """Refunds and no-drops per slot, beside what is usual in this fleet."""
    for slot in view.slots:
        # More often than `slot_times` the share of all the other slots, in whole numbers.
        others, of_others = view.failed - slot.failed, view.tried - slot.tried
        usual = slot.failed * of_others <= limits.slot_times * others * slot.tried
        if slot.tried < limits.slot_sales or slot.failed < 2 or (usual and of_others):
            continue
        said = f"slot {slot.slot}: {slot.failed} of {slot.tried} sales failed lately"
        yield Condition(slot.machine, "slot_fails", slot.slot, Severity.WARNING, said)


def _silent(view: FleetView, limits: Limits) -> Iterator[Condition]:
    if view.horizon_ms is None:
        return
    for machine in view.machines:
        if machine.heartbeat_s is None:
            allowed_ms = limits.silent_h * _HOUR_MS
        else:
            allowed_ms = limits.silent_heartbeats * machine.heartbeat_s * 1000
        if machine.announced_ms is not None and machine.last_ms - machine.announced_ms < 60_000:
            allowed_ms = max(allowed_ms, limits.announced_min * 60_000)
        quiet_ms = view.horizon_ms - machine.last_ms
        if quiet_ms > allowed_ms:
            said = f"silent since {shown_time(machine.last_ms)}"
            yield Condition(machine.machine, "silent", "", Severity.CRITICAL, said)


def _no_sale(
    view: FleetView, machine: MachineView, limits: Limits, sites: Sites
) -> Iterator[Condition]:
    """Nothing sold while others at the site sell; one tender silent while the other sells."""
    if view.horizon_ms is None or machine.sold_ms is None:
        return
    name, now = machine.machine, view.horizon_ms
    site = sites.get(name)
    hours = limits.hours(name, "no_sale_h")
    if now - machine.sold_ms > hours * _HOUR_MS:
        if any(
            other.sold_ms is not None and now - other.sold_ms <= hours * _HOUR_MS
            for other in view.machines
            if other is not machine and (site is None or other.machine in site)
        ):
            said = f"no sale since {shown_time(machine.sold_ms)}, while others sell"
            yield Condition(name, "no_sale", "", Severity.WARNING, said)
        return
    tenders = (
        ("cash", machine.cash_ms, machine.card_ms),
        ("card", machine.card_ms, machine.cash_ms),
    )
    for tender, own, other in tenders:
        limit_ms = limits.hours(name, f"no_{tender}_sale_h") * _HOUR_MS
        if own is None or other is None:
            continue  # a machine that never took it, or takes nothing else
        if now - own > limit_ms and now - other <= limit_ms:
            said = f"no {tender} sale since {shown_time(own)}, while it sells otherwise"
            yield Condition(name, f"no_{tender}_sale", "", Severity.WARNING, said)


def _numbers(_view: FleetView, machine: MachineView, _limits: Limits) -> Iterator[Condition]:
    """Gaps, numbers that went back, and numbers that were used twice."""
    if machine.proof is None:
        return
    name = machine.machine
    for epoch in machine.proof.epochs:
        missing = [gap for gap in epoch.missing if gap not in machine.unripe]
        if missing:
            said = f"events are missing: seq {shown(missing)}"
            yield Condition(name, "seq_gap", str(epoch.number), Severity.CRITICAL, said)
        if epoch.went_back_from is not None:
            said = (
                f"its numbers went back from {epoch.went_back_from} to {epoch.first}:"
                " was it restored from an old backup?"
            )
            yield Condition(name, "seq_back", str(epoch.number), Severity.CRITICAL, said)
    if machine.proof.conflicts:
        said = f"{machine.proof.conflicts} numbers were used twice, with different contents"
        yield Condition(name, "seq_conflict", "", Severity.CRITICAL, said)


def _mismatch(_view: FleetView, machine: MachineView, _limits: Limits) -> Iterator[Condition]:
    if machine.unripe:
        return  # what is on its way may be what makes the difference
    for each in machine.differences:
        said = f"{each.what} is {each.projected} by the events, {each.reported} by the machine"
        item = f"{each.epoch}:{each.what}"
        yield Condition(machine.machine, "counter_mismatch", item, Severity.CRITICAL, said)


def _growing_old(view: FleetView, machine: MachineView, limits: Limits) -> Iterator[Condition]:
    days = {
        "claim": limits.claim_days,
        "refund_due": limits.refund_days,
        "doubtful": limits.doubtful_days,
    }
    words = {"claim": "claim", "refund_due": "refund due", "doubtful": "doubtful sale"}
    for matter in machine.matters:
        old_days = (view.now_ms - matter.opened_ms) // _DAY_MS
        if old_days >= days[matter.kind]:
            said = (
                f"{words[matter.kind]} {matter.ref} over {matter.amount} {matter.currency}"
                f" (minor units) is open for {old_days} days"
            )
            kind = f"{matter.kind}_old"
            item = f"{matter.ref}@{matter.opened_ms}"
            yield Condition(machine.machine, kind, item, Severity.WARNING, said)


_RULES: Final[Sequence[Callable[[FleetView, MachineView, Limits], Iterator[Condition]]]] = (
    _numbers,
    _mismatch,
    _growing_old,
)

KINDS: Final = frozenset(
    {
        "backend_behind",
        "claim_old",
        "counter_mismatch",
        "dead_letters",
        "doubtful_old",
        "no_card_sale",
        "no_cash_sale",
        "no_sale",
        "refund_due_old",
        "seq_back",
        "seq_conflict",
        "seq_gap",
        "silent",
        "slot_fails",
        "unknown_events",
    }
)
"""What `evaluate` decides about: an alarm of these that it doesn't find is over."""
