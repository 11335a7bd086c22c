"""What the machine says of itself unasked: when, how often, and what is in it."""

from dataclasses import replace
from typing import Any

import pytest

from vendd.core import facts
from vendd.core.facts import Fact, OutboxLoad
from vendd.core.planogram import Product, Slot, SlotState
from vendd.core.policy import Policy
from vendd.core.rows import SettingSet
from vendd.core.sale.reports import DoorMoved, KeyPressed, Report, Started, Tube
from vendd.core.sale.states import State
from vendd.core.snapshot import Changer, Moment, SlotView, Snapshot
from vendd.services.telemetry import HEARTBEAT_S, SETTING, Pulse, Telemetry

LOAD = OutboxLoad(3, 7, 1_000)
COLA = Product("cola", "Cola")


def slot(name: str) -> Slot:
    return Slot(name, 11, COLA, (name,), 10, 10, 2, {"cash": 150, "card": 160})


WORLD = Snapshot(
    slots={
        "A1": SlotView(slot("A1"), 5),
        "A2": SlotView(slot("A2"), 0),
        "A3": SlotView(slot("A3"), 3, state=SlotState.JAMMED, no_drop_streak=2),
    },
    policy=Policy(tube_reserve=2),
    tubes=(Tube(1, 50, 10), Tube(2, 100, 5, defective=True)),
    changer=Changer(ready=True),
)


class Machine:
    """A telemetry service, its world, its clock."""

    def __init__(self, telemetry: Telemetry | None = None) -> None:
        self.telemetry = telemetry or Telemetry()
        self.world, self.sale = WORLD, State()
        self.minute = 0
        self.start = "2026-01-31T12:{:02d}:00.000Z"
        self.settings: dict[str, str] = {}

    def report(self, report: Report, *committed: Any, **moment: Any) -> list[Fact]:
        wall = moment.get("wall", "2026-01-31T01:00:00.000Z")
        now = Moment(self.minute * 60_000, wall)
        world = replace(self.world, now=now)
        records = self.telemetry.records(report, self.sale, world, committed)
        self.settings |= {r.name: r.value for r in records if isinstance(r, SettingSet)}
        return [r for r in records if isinstance(r, Fact)]

    def pulse(self, **moment: Any) -> list[Fact]:
        self.minute += 1
        return self.report(Pulse(LOAD, moment.pop("synchronised", True), 1 << 30), **moment)

    def of(self, kind: type[Fact], minutes: int, **moment: Any) -> list[int]:
        """The minutes at which such a fact came."""
        return [
            self.minute
            for _ in range(minutes)
            if any(isinstance(f, kind) for f in self.pulse(**moment))
        ]


def test_a_heartbeat_with_the_first_pulse_and_then_every_quarter_of_an_hour() -> None:
    assert Machine().of(facts.Heartbeat, 60) == [1, 16, 31, 46]


def test_a_change_of_service_or_tenders_has_a_heartbeat_of_its_own_but_no_storm_has() -> None:
    machine = Machine()
    machine.pulse()
    machine.minute = 3
    machine.world = replace(machine.world, out_of_service=("operator",))
    (beat,) = machine.report(KeyPressed("A"))
    assert isinstance(beat, facts.Heartbeat)
    assert (beat.in_service, beat.reasons) == (False, ("operator",))
    machine.world = replace(machine.world, out_of_service=())
    assert machine.report(KeyPressed("A")) == []  # within the same minute
    assert [type(f) for f in machine.pulse()] == [facts.Heartbeat]
    machine.minute += 2
    machine.world = replace(machine.world, changer=Changer(ready=False))
    (beat,) = machine.report(KeyPressed("A"))
    assert isinstance(beat, facts.Heartbeat)
    (coins,) = beat.tenders
    assert (coins.kind, coins.usable, coins.reason) == ("coin", False, "changer_lost")


def test_no_key_press_pays_for_a_regular_heartbeat() -> None:
    machine = Machine()
    machine.pulse()
    machine.minute += HEARTBEAT_S // 60 + 1
    assert machine.report(KeyPressed("A")) == []


def test_what_a_heartbeat_says() -> None:
    machine = Machine(Telemetry(None, {}, lambda: ["coin_jam:changer"]))
    machine.sale = State(exact_change=True, locked=("anti_jackpot",))
    (beat,) = (f for f in machine.pulse() if isinstance(f, facts.Heartbeat))
    assert not beat.in_service
    assert beat.reasons == ("anti_jackpot",)
    assert beat.exact_change_only
    assert beat.faults_open == ("coin_jam:changer",)
    assert (beat.slots_off, beat.sold_out_slots) == (("A3",), ("A2",))
    assert (beat.outbox, beat.disk_free, beat.uptime_s) == (LOAD, 1 << 30, 60)
    assert beat.last_sale_at is None


def test_the_last_sales_by_tender_outlive_a_restart() -> None:
    machine = Machine()
    machine.report(KeyPressed("A"), sold("A1", facts.TenderKind.COIN, "2026-01-31T10:00:00Z"))
    machine.report(KeyPressed("A"), sold("A2", facts.TenderKind.CARD, "2026-01-31T11:00:00Z"))
    refunded = replace(
        sold("A3", facts.TenderKind.COIN, "2026-01-31T12:00:00Z"), outcome=facts.Outcome.REFUNDED
    )
    machine.report(KeyPressed("A"), refunded)
    again = Machine(Telemetry(machine.settings[SETTING]))
    (beat,) = (f for f in again.pulse() if isinstance(f, facts.Heartbeat))
    assert beat.last_cash_sale_at == "2026-01-31T10:00:00Z"
    assert beat.last_card_sale_at == beat.last_sale_at == "2026-01-31T11:00:00Z"


def sold(name: str, kind: facts.TenderKind, at: str) -> facts.SaleClosed:
    values: dict[str, Any] = dict.fromkeys(facts.SaleClosed.__dataclass_fields__, 0)
    tender = facts.Tender(kind, "cash", "CA", applied=150)
    return facts.SaleClosed(
        **values
        | {
            "slot": name,
            "quantity": 1,
            "outcome": facts.Outcome.SOLD,
            "tenders": (tender,),
            "closed_at": at,
        }
    )


def test_a_stock_snapshot_every_night_once() -> None:
    machine = Machine()
    assert machine.of(facts.StockSnapshot, 5, wall="2026-01-31T01:59:00.000Z") == []
    assert machine.of(facts.StockSnapshot, 60, wall="2026-01-31T02:00:00.000Z") == [6]
    again = Machine(Telemetry(machine.settings[SETTING]))
    assert again.of(facts.StockSnapshot, 9, wall="2026-01-31T14:00:00.000Z") == []
    (snapshot,) = (
        f
        for f in again.pulse(wall="2026-02-01T02:00:30.000Z")
        if isinstance(f, facts.StockSnapshot)
    )
    conditions = {s.slot: (s.state, s.level) for s in snapshot.slots}
    assert conditions == {
        "A1": ("on_sale", 5),
        "A2": ("sold_out", 0),
        "A3": ("suspected_empty", 3),
    }
    assert [(p.price_list, p.price) for p in snapshot.slots[0].prices] == [
        ("card", 160),
        ("cash", 150),
    ]


def test_without_a_clock_to_believe_a_night_is_24_hours_of_running() -> None:
    machine = Machine()
    wall = "1970-01-01T05:00:00.000Z"
    assert machine.of(facts.StockSnapshot, 3_000, wall=wall, synchronised=False) == [1_440, 2_880]


def test_the_cash_level_hourly_when_it_changed_and_with_the_exact_change_sign() -> None:
    machine = Machine(Telemetry(None, {"K-1": 70}))
    assert machine.of(facts.CashLevel, 180) == [60]
    machine.world = replace(machine.world, tubes=(Tube(1, 50, 9),))
    levels = [f for f in machine.report(KeyPressed("A")) if isinstance(f, facts.CashLevel)]
    assert levels == []  # not before the hour is over
    assert machine.of(facts.CashLevel, 120) == [240]
    machine.sale = State(exact_change=True)
    sign = facts.ExactChange(state=True, reason="tubes_low", tubes=())
    closing = facts.ClaimClosed("K-1", 70, "paid_by_hand", "t-7")
    (level,) = machine.report(KeyPressed("A"), sign, closing)
    assert isinstance(level, facts.CashLevel)
    assert (level.reason, level.claims_open, level.exact_change_only) == ("exact_change", 0, True)
    assert level.change_value == 50 * (9 - 2)
    assert (level.recycler, level.stacker_full) == (None, None)


@pytest.mark.parametrize("open_at_start", [False, True])
def test_a_door_left_open_is_told_once(open_at_start: bool) -> None:
    machine = Machine()
    machine.sale = State(credit=50)
    if open_at_start:
        machine.world = replace(machine.world, door_open=True)
        machine.report(Started("planned"))
    else:
        machine.report(DoorMoved(open=True))
    assert machine.of(facts.Door, 60) == [10]
    machine.report(DoorMoved(open=False))
    assert machine.of(facts.Door, 60) == []
    machine.report(DoorMoved(open=True))
    assert machine.of(facts.Door, 60) == [130]


def test_a_clock_that_was_set_is_an_event() -> None:
    jump = facts.ClockSet(86_400_000, "jump", 17)
    assert jump in Machine().report(Pulse(LOAD, synchronised=True, clock_set=jump))
