"""Stock, slots, prices, claims and doubtful sales: what each order does, and when it is refused."""

from dataclasses import replace

import pytest

from tests.desk.test_orders import ANNA, IDLE, OTTO, WORLD, changed, decided, facts, refused
from vendd.core import ledger
from vendd.core.facts import (
    ClaimClosed,
    Decision,
    Evidence,
    PlanogramChanged,
    SaleDoubtful,
    SaleResolved,
    SlotStateChanged,
    StockReason,
)
from vendd.core.operator import owed, prices
from vendd.core.operator.decide import decide
from vendd.core.operator.kept import Kept, OpenVisit
from vendd.core.operator.orders import (
    ClearJam,
    CloseClaim,
    CountStock,
    Fill,
    Order,
    Ordered,
    Refill,
    Remove,
    ResolveDoubt,
    SetPrice,
    SlotSale,
)
from vendd.core.operator.verdicts import Decided, Refused, Why
from vendd.core.planogram import SlotState
from vendd.core.rows import (
    ClaimSet,
    DoubtSet,
    LevelChanged,
    Posted,
    PricePending,
    PriceSet,
    SlotSet,
)
from vendd.core.sale.reports import Coin
from vendd.core.sale.states import Credit
from vendd.core.snapshot import Changer, Snapshot

VISIT = Kept(4, visit=OpenVisit(4, "anna", "technician", "2026-01-31T11:00:00.000Z", (), 1))
CUSTOMER = replace(IDLE, phase=Credit(), credit=100)


def with_slot(**changes: object) -> Snapshot:
    view = replace(WORLD.slots["A1"], **changes)  # type: ignore[arg-type]
    return replace(WORLD, slots={**WORLD.slots, "A1": view})


def why(order: Order, reason: str, world: Snapshot = WORLD, person: object = ANNA) -> Decided:
    answer = decide(Ordered(1, person, order, reason), IDLE, world, Kept())  # type: ignore[arg-type]
    assert isinstance(answer, Decided), answer
    return answer


# --- stock ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fills", "levels"),
    [
        ((), {"A1.level": (5, 8), "A2.level": (0, 8)}),  # par is 8, capacity 10
        ((Fill("A2"),), {"A2.level": (0, 8)}),
        ((Fill("A1", 5), Fill("A2", 1)), {"A1.level": (5, 10), "A2.level": (0, 1)}),
        ((Fill("A1", 0),), {}),
    ],
)
def test_refill(fills: tuple[Fill, ...], levels: dict[str, tuple[int, int]]) -> None:
    answer = decided(Refill(fills), kept=VISIT)
    assert changed(answer) == levels
    rows = [r for r in answer.records if isinstance(r, LevelChanged)]
    assert {f"{r.selection}.level": r.delta for r in rows} == {
        name: after - before for name, (before, after) in levels.items()
    }
    assert {(r.reason, r.ref) for r in rows} <= {(StockReason.REFILL, "v4")}
    assert answer.kept is not None
    assert answer.kept.visit is not None
    assert [(t.task, t.what) for t in answer.kept.visit.tasks] == [
        ("refill", name.partition(".")[0]) for name in levels
    ]


@pytest.mark.parametrize(
    ("order", "because"),
    [
        (Refill((Fill("A1", 6),)), Why.STATE),  # 11 of 10
        (Refill((Fill("A2", 8), Fill("A1", 6))), Why.STATE),  # nothing half done
        (Refill((Fill("A1", -1),)), Why.INVALID),
        (Refill((Fill("Z9"),)), Why.NOT_FOUND),
        (Refill((Fill("A1"), Fill("A1", 1))), Why.INVALID),
        (Remove("A1", 6, "expired"), Why.STATE),
        (Remove("A1", 0, "expired"), Why.INVALID),
        (Remove("Z9", 1, "expired"), Why.NOT_FOUND),
        (CountStock((("A1", 3),)), Why.INVALID),  # no reason given
        (SlotSale("Z9", on=True), Why.NOT_FOUND),
        (ClearJam("Z9"), Why.NOT_FOUND),
        (ClearJam("A1"), Why.STATE),
        (SetPrice("Z9", "cash", 100), Why.NOT_FOUND),
        (SetPrice("A1", "cash", 0), Why.INVALID),
        (CloseClaim("1234", "written_off"), Why.NOT_ALLOWED),
        (ResolveDoubt(1, "sold"), Why.NOT_ALLOWED),
    ],
)
def test_refusals(order: Order, because: Why) -> None:
    assert refused(order).why is because


def test_products_that_somebody_just_bought_can_t_be_removed_or_counted() -> None:
    world = with_slot(reserved=5)
    assert refused(Remove("A1", 1, "damaged"), world=world).why is Why.STATE
    answer = decide(Ordered(1, ANNA, CountStock((("A1", 5),)), "x"), IDLE, world, Kept())
    assert isinstance(answer, Refused)
    assert answer.why is Why.STATE


def test_removed_and_counted_products_have_their_reasons() -> None:
    (row, *_) = decided(Remove("A1", 2, "expired")).records
    assert row == LevelChanged("A1", -2, StockReason.REMOVED_EXPIRED, None)
    (row, *_) = why(CountStock((("A1", 7), ("A2", 0))), "counted").records
    assert row == LevelChanged("A1", 2, StockReason.COUNT_CORRECTION, None)


# --- slots ---------------------------------------------------------------------------------


def test_a_jam_is_cleared_by_whoever_looked() -> None:
    jammed = with_slot(state=SlotState.JAMMED, no_drop_streak=2)
    answer = decided(ClearJam("A1"), world=jammed)
    assert answer.records[0] == SlotSet("A1", SlotState.ON_SALE, "cleared", 0)
    (fact,) = facts(answer, SlotStateChanged)
    assert isinstance(fact, SlotStateChanged)
    assert (fact.state, fact.by) == ("on_sale", "anna")
    assert refused(SlotSale("A1", on=True), world=jammed).why is Why.STATE


def test_a_disabled_slot_is_enabled_one_that_is_off_for_its_health_is_not() -> None:
    disabled = with_slot(state=SlotState.DISABLED)
    assert decided(SlotSale("A1", on=True), world=disabled).records[0] == SlotSet(
        "A1", SlotState.ON_SALE, "enabled", 0
    )
    assert not decided(SlotSale("A1", on=False), world=disabled).records  # it is already
    warm = with_slot(state=SlotState.HEALTH)
    assert refused(SlotSale("A1", on=True), world=warm).why is Why.STATE


# --- prices --------------------------------------------------------------------------------


def test_a_price_holds_at_once_when_nobody_is_there() -> None:
    answer = decided(SetPrice("A1", "cash", 200))
    assert PriceSet("A1", "cash", 200) in answer.records
    (fact,) = facts(answer, PlanogramChanged)
    assert isinstance(fact, PlanogramChanged)
    assert (fact.old, fact.new, fact.readback) == ("cash 1.50", "cash 2.00", "2.00")
    after = WORLD.after(answer.records)
    assert (after.slots["A1"].slot.price(), after.price_ver) == (200, WORLD.price_ver + 1)


def test_whoever_has_credit_keeps_the_price_they_saw() -> None:
    answer = decided(SetPrice("A1", "cash", 200), state=CUSTOMER)
    (pending,) = answer.records
    assert isinstance(pending, PricePending)
    world = WORLD.after(answer.records)
    assert world.slots["A1"].slot.price() == 150
    assert prices.due(CUSTOMER, world) == ()
    settled = world.after(prices.due(IDLE, world))
    assert settled.slots["A1"].slot.price() == 200
    assert prices.due(IDLE, settled) == ()


def test_the_last_word_waits_not_each_of_them() -> None:
    world = WORLD
    for price in (200, 210):
        world = world.after(
            decided(SetPrice("A1", "cash", price), state=CUSTOMER, world=world).records
        )
    back = decided(SetPrice("A1", "cash", 150), state=CUSTOMER, world=world)
    world = world.after(back.records)
    assert [p.price for p in world.prices_pending] == [150]


def test_a_price_that_no_coins_make_and_a_card_price_that_needs_none() -> None:
    coins = Changer(True, (Coin(0, 5, True), Coin(1, 10, True)))
    world = replace(WORLD, changer=coins)
    assert refused(SetPrice("A1", "cash", 133), world=world).why is Why.INVALID
    assert decided(SetPrice("A1", "card", 133), world=world).records


def test_a_free_slot_has_no_price() -> None:
    free = replace(WORLD.slots["A1"].slot, free=True, prices={})
    assert refused(SetPrice("A1", "cash", 100), world=with_slot(slot=free)).why is Why.STATE


# --- what is owed and unknown --------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "how", "debit", "credit"),
    [
        ("payout_incomplete", "paid_by_hand", ledger.CLAIMS, ledger.CORRECTIONS),
        ("payout_incomplete", "written_off", ledger.CLAIMS, ledger.OVERPAY),
        ("refund_due", "refunded_elsewhere", ledger.REFUNDS_DUE, ledger.CORRECTIONS),
    ],
)
def test_a_claim_is_closed_from_the_account_that_owes(
    reason: str, how: str, debit: str, credit: str
) -> None:
    world = WORLD.after((ClaimSet("4821", 50, reason, "s7"),))
    answer = decided(CloseClaim("4821", how), OTTO, world=world)  # type: ignore[arg-type]
    assert answer.records == (
        Posted(debit, credit, 50, f"claim_{how}", "4821"),
        ClaimSet("4821", 50, reason, "s7", how, "otto"),
        ClaimClosed("4821", 50, how, "otto"),  # type: ignore[arg-type]
    )
    again = world.after(answer.records)
    assert refused(CloseClaim("4821", "written_off"), OTTO, world=again).why is Why.NOT_FOUND


def test_a_doubtful_sale_is_kept_and_decided_once() -> None:
    fact = SaleDoubtful("s7", 150, "coin", "x", "sold", Evidence(left_home=True), power_loss=True)
    (row,), kept = owed.doubts_of((fact,), Kept())
    assert (row.number, row.evidence, kept.doubts) == (1, '{"left_home":true}', 1)
    world = WORLD.after((row,))
    assert refused(ResolveDoubt(1, "sold"), OTTO, world=world).why is Why.INVALID  # no reason
    answer = why(ResolveDoubt(1, "refunded"), "customer called", world, OTTO)
    doubt, resolved = answer.records
    assert isinstance(doubt, DoubtSet)
    assert (doubt.decision, doubt.decided_by) == ("refunded", "otto")
    assert resolved == SaleResolved(
        "s7", Decision.REFUNDED, 150, "otto", "customer called", "doubtful 1"
    )
    assert refused(ResolveDoubt(1, "sold"), OTTO, world=world.after(answer.records)).why is (
        Why.NOT_FOUND
    )
