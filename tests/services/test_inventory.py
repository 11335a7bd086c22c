"""The inventory service: one alert per crossing, in the records of the change (S3)."""

import pytest

from vendd.core.facts import AlertState, LowStockAlert, SoldOut, StockChanged, StockReason
from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy
from vendd.core.rows import LevelChanged
from vendd.core.snapshot import SlotView, Snapshot
from vendd.services.inventory import facts_of


def world(level: int, threshold: int = 2) -> Snapshot:
    def slot(selection: str) -> Slot:
        product = Product("cola", "Cola")
        return Slot(selection, 1, product, (selection,), 10, 8, threshold, {"cash": 100})

    return Snapshot({"A1": SlotView(slot("A1"), level), "A2": SlotView(slot("A2"), 4)}, Policy())


def change(delta: int) -> LevelChanged:
    return LevelChanged("A1", delta, StockReason.SOLD if delta < 0 else StockReason.REFILL, "s1")


@pytest.mark.parametrize(
    ("before", "delta", "alert", "sold_out"),
    [
        (5, -1, None, None),
        (3, -1, AlertState.RAISED, None),
        (2, -1, None, None),
        (1, -1, None, AlertState.RAISED),
        (3, -3, AlertState.RAISED, AlertState.RAISED),
        (0, 1, None, AlertState.CLEARED),
        (2, 1, AlertState.CLEARED, None),
        (0, 10, AlertState.CLEARED, AlertState.CLEARED),
    ],
)
def test_alerts_come_with_the_crossing_and_only_then(
    before: int, delta: int, alert: AlertState | None, sold_out: AlertState | None
) -> None:
    facts = facts_of([change(delta)], world(before))
    assert [f.state for f in facts if isinstance(f, LowStockAlert)] == ([alert] if alert else [])
    assert [f.state for f in facts if isinstance(f, SoldOut)] == ([sold_out] if sold_out else [])


def test_the_change_says_before_and_after_and_why() -> None:
    (fact,) = facts_of([change(-1)], world(5))
    assert isinstance(fact, StockChanged)
    assert (fact.before, fact.delta, fact.after, fact.reason) == (5, -1, 4, StockReason.SOLD)
    assert fact.ref == "s1"


def test_an_alert_counts_the_product_in_all_its_slots() -> None:
    facts = facts_of([change(-1)], world(3))
    (alert,) = [f for f in facts if isinstance(f, LowStockAlert)]
    assert (alert.level, alert.needed, alert.product_level_machine) == (2, 6, 6)


def test_two_changes_in_one_commit_are_followed_one_by_one() -> None:
    facts = facts_of([change(-1), change(-1)], world(4))
    changes = [(f.before, f.after) for f in facts if isinstance(f, StockChanged)]
    assert changes == [(4, 3), (3, 2)]
    assert sum(isinstance(f, LowStockAlert) for f in facts) == 1
