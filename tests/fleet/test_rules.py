"""The rules as a table: a view of the fleet in, alarms out."""

from dataclasses import replace

import pytest

from vendd.fleet.alarms.condition import Severity
from vendd.fleet.alarms.rules import KINDS, Limits, Profile, evaluate
from vendd.fleet.alarms.view import FleetView, MachineView, Matter, SlotRecord
from vendd.fleet.completeness import Completeness, Epoch
from vendd.fleet.reconcile import Difference

NOW = 1_800_000_000_000
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def ago(**units: int) -> int:
    sizes = {"minutes": MIN, "hours": HOUR, "days": DAY}
    return NOW - sum(sizes[name] * count for name, count in units.items())


def machine(name: str = "m-1", **changes: object) -> MachineView:
    view = MachineView(name, ago(minutes=1), heartbeat_s=900, sold_ms=ago(hours=1))
    return replace(view, **changes)  # type: ignore[arg-type]


def proof(**changes: object) -> Completeness:
    epoch = replace(Epoch(1, 1, 50, 50, (), 0, (), 1), **changes)  # type: ignore[arg-type]
    return Completeness("m-1", (epoch,), 0, 0)


BESIDE = machine("m-2", sold_ms=ago(hours=2))
USUAL = SlotRecord("m-2", "A1", 100, 10)
LATE = {"horizon_ms": ago(hours=30)}

# (what is special about the machine, about the fleet, the alarms)
ROWS: list[tuple[dict[str, object], dict[str, object], list[tuple[str, str]]]] = [
    ({}, {}, []),
    # Silent: twice what it promised, and not for our own delay.
    ({"last_ms": ago(minutes=29)}, {}, []),
    ({"last_ms": ago(minutes=31)}, {}, [("silent", "")]),
    ({"last_ms": ago(hours=31)}, LATE, [("backend_behind", ""), ("silent", "")]),
    ({"last_ms": ago(hours=30, minutes=20)}, LATE, [("backend_behind", "")]),
    ({"last_ms": ago(days=9)}, {"horizon_ms": None}, []),
    ({"last_ms": ago(hours=23), "heartbeat_s": None, "sold_ms": None}, {}, []),
    ({"last_ms": ago(hours=25), "heartbeat_s": None, "sold_ms": None}, {}, [("silent", "")]),
    # An announced restart may take longer, not for ever.
    ({"last_ms": ago(minutes=8), "heartbeat_s": 60}, {}, [("silent", "")]),
    ({"last_ms": ago(minutes=8), "heartbeat_s": 60, "announced_ms": ago(minutes=8)}, {}, []),
    (
        {"last_ms": ago(minutes=40), "heartbeat_s": 60, "announced_ms": ago(minutes=40)},
        {},
        [("silent", "")],
    ),
    (
        {"last_ms": ago(minutes=8), "heartbeat_s": 60, "announced_ms": ago(hours=3)},
        {},
        [("silent", "")],
    ),
    # No sale, while others sell.
    ({"sold_ms": ago(hours=25)}, {}, [("no_sale", "")]),
    ({"sold_ms": ago(hours=25)}, {"others": ()}, []),
    ({"sold_ms": ago(hours=25)}, {"sites": {"m-1": frozenset({"m-1", "m-9"})}}, []),
    ({"sold_ms": ago(hours=25)}, {"sites": {"m-1": frozenset({"m-1", "m-2"})}}, [("no_sale", "")]),
    ({"sold_ms": ago(hours=25)}, {"profile": Profile(no_sale_h=72)}, []),
    ({"sold_ms": None}, {}, []),
    # One tender is silent while the other sells.
    ({"cash_ms": ago(hours=49), "card_ms": ago(hours=1)}, {}, [("no_cash_sale", "")]),
    ({"cash_ms": ago(hours=1), "card_ms": ago(hours=49)}, {}, [("no_card_sale", "")]),
    ({"cash_ms": ago(hours=47), "card_ms": ago(hours=1)}, {}, []),
    ({"cash_ms": ago(hours=49), "card_ms": None}, {}, []),
    ({"cash_ms": None, "card_ms": ago(hours=1)}, {}, []),
    ({"cash_ms": ago(days=9), "card_ms": ago(days=9)}, {}, []),
    # Numbers.
    ({"proof": proof(missing=((3, 4),))}, {}, [("seq_gap", "1")]),
    ({"proof": proof(missing=((3, 4),)), "unripe": ((3, 4),)}, {}, []),
    ({"proof": proof(missing=((3, 4), (9, 9))), "unripe": ((9, 9),)}, {}, [("seq_gap", "1")]),
    ({"proof": proof(number=2, went_back_from=80)}, {}, [("seq_back", "2")]),
    ({"proof": replace(proof(), conflicts=1)}, {}, [("seq_conflict", "")]),
    ({"proof": proof(dead=((7, 7),), thinned=12)}, {}, []),
    # What doesn't add up.
    (
        {"differences": (Difference("m-1", 1, "stock A1", 5, 4),)},
        {},
        [("counter_mismatch", "1:stock A1")],
    ),
    ({"differences": (Difference("m-1", 1, "sales_count", 5, 4),), "unripe": ((3, 3),)}, {}, []),
    # What grows old.
    ({"matters": (Matter("claim", "K1", ago(days=6), 50, "EUR"),)}, {}, []),
    (
        {"matters": (Matter("claim", "K1", ago(days=7), 50, "EUR"),)},
        {},
        [("claim_old", f"K1@{ago(days=7)}")],
    ),
    (
        {"matters": (Matter("refund_due", "R1", ago(days=3), 50, "EUR"),)},
        {},
        [("refund_due_old", f"R1@{ago(days=3)}")],
    ),
    (
        {"matters": (Matter("doubtful", "s-1", ago(days=8), 50, "EUR"),)},
        {},
        [("doubtful_old", f"s-1@{ago(days=8)}")],
    ),
    # A slot that fails more often than is usual.
    ({}, {"slots": (SlotRecord("m-1", "A1", 10, 4), USUAL)}, [("slot_fails", "A1")]),
    ({}, {"slots": (SlotRecord("m-1", "A1", 10, 3), USUAL)}, []),
    ({}, {"slots": (SlotRecord("m-1", "A1", 9, 9), USUAL)}, []),
    ({}, {"slots": (SlotRecord("m-1", "A1", 10, 1), SlotRecord("m-2", "A1", 90, 0))}, []),
    ({}, {"slots": (SlotRecord("m-1", "A1", 10, 2),)}, [("slot_fails", "A1")]),
    # Ourselves.
    ({}, {"horizon_ms": ago(minutes=14)}, []),
    ({"last_ms": ago(minutes=16)}, {"horizon_ms": ago(minutes=15)}, [("backend_behind", "")]),
    ({}, {"dead_letters": {"x.dlq": 3}}, [("dead_letters", "x.dlq")]),
    ({}, {"unknown": ("vend.hologram.v1", "vend.tea.v1")}, [("unknown_events", "")]),
]


@pytest.mark.parametrize(("special", "fleet", "expected"), ROWS)
def test_a_rule(
    special: dict[str, object], fleet: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    others = fleet.get("others", (replace(BESIDE, last_ms=NOW),))
    slots: tuple[SlotRecord, ...] = fleet.get("slots", ())  # type: ignore[assignment]
    view = FleetView(
        NOW,
        fleet.get("horizon_ms", NOW),  # type: ignore[arg-type]
        (machine(**special), *others),  # type: ignore[misc]
        fleet.get("dead_letters", {}),  # type: ignore[arg-type]
        slots,
        sum(slot.tried for slot in slots),
        sum(slot.failed for slot in slots),
        fleet.get("unknown", ()),  # type: ignore[arg-type]
    )
    profile = fleet.get("profile")
    limits = Limits(machine={"m-1": profile} if profile else {})  # type: ignore[dict-item]
    found = evaluate(view, limits, fleet.get("sites", {}))  # type: ignore[arg-type]
    assert sorted((each.kind, each.item) for each in found) == sorted(expected)
    assert {each.kind for each in found} <= KINDS
    assert all(each.said and each.severity >= Severity.WARNING for each in found)


def test_every_kind_is_in_the_table() -> None:
    assert {kind for _, _, found in ROWS for kind, _ in found} == KINDS


def test_a_silent_machine_is_not_blamed_for_its_sales_too() -> None:
    quiet = machine(last_ms=ago(days=3), sold_ms=ago(days=3))
    found = evaluate(FleetView(NOW, NOW, (quiet, replace(BESIDE, last_ms=NOW))), Limits(), {})
    assert [each.kind for each in found] == ["silent"]
    assert found[0].said.startswith("silent since 2027-01-")
