"""Each habit ends as it should, told by the customer's own hands; and what they read and pay."""

import asyncio
import random
from collections.abc import Callable

import pytest

from hw_sim import shopper
from hw_sim.habits import BILL_WEIGHTS, CARD_WEIGHTS, WEIGHTS, Habit, coins_for, exact
from hw_sim.loop import run_virtual
from hw_sim.machines import PLAIN
from hw_sim.opening import SAMPLE, in_virtual_time
from hw_sim.shop import Shop
from hw_sim.signs import Sign, credit, missing, reference, sign, words
from hw_sim.trouble import SHARES
from hw_sim.visit import Visit

COINS = (5, 10, 20, 50, 100, 200)


def visit(
    habit: Habit,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trouble: str = "",
    seed: int = 5,
    machine: str = PLAIN,
) -> tuple[Visit, tuple[str, ...]]:
    """One customer with this habit and this bad luck, and what the auditor has to say."""
    monkeypatch.setattr(shopper, "some_habit", lambda _chance, **_fitted: habit)

    async def run() -> tuple[Visit, tuple[str, ...]]:
        async with in_virtual_time(SAMPLE, seed, 1, machine=machine) as front:
            shop = Shop(front, seed, patient=True, say=lambda _line: None)
            shop.trouble._shares = {trouble: 1.0}
            front.cabinet.slot("A1").queue.clear()  # somebody has to find an empty one
            await shop.open()
            await asyncio.sleep(DEVICES_S)
            served = await shop.serve(1)
            day = await shop.close()
            return served, day.verdict.violations

    return run_virtual(run())


DEVICES_S = 5.0  # until all payment devices are up
BUYERS = (
    Habit.EXACT,
    Habit.OVERPAYS,
    Habit.SMALL_COINS,
    Habit.ADDS,
    Habit.LEVER_LATE,
    Habit.PRICE_FIRST,
    Habit.SLOW,
)
LEAVERS = (Habit.LEVER, Habit.CLEAR_KEY, Habit.WALKS_AWAY, Habit.LOOKS, Habit.INVALID)


@pytest.mark.parametrize("habit", BUYERS)
def test_a_buyer_gets_the_product_for_its_price(
    habit: Habit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, violations = visit(habit, monkeypatch)
    assert violations == ()
    assert seen.products == [seen.wants]
    assert seen.balance == seen.price > 0
    assert sign(seen.said) is Sign.THANKS
    assert (sum(seen.inserted) > seen.price) is (habit is Habit.OVERPAYS)


@pytest.mark.parametrize("habit", LEAVERS)
def test_who_leaves_without_buying_has_all_their_money(
    habit: Habit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, violations = visit(habit, monkeypatch)
    assert violations == ()
    assert seen.products == []
    assert seen.balance == 0
    assert bool(seen.inserted) is (habit not in (Habit.LOOKS, Habit.INVALID))
    assert seen.ended - seen.began < 10 or habit is Habit.WALKS_AWAY
    assert (seen.ended - seen.began > 300) is (habit is Habit.WALKS_AWAY)


@pytest.mark.parametrize("trouble", [t for t in SHARES if t not in ("bills", "cards")])
@pytest.mark.parametrize("seed", [1, 2])
def test_bad_luck_costs_nobody_anything(
    trouble: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, violations = visit(Habit.OVERPAYS, monkeypatch, trouble=trouble, seed=seed)
    assert violations == ()
    assert seen.finished
    if trouble == "rejected":
        assert seen.rejected == [seen.inserted[0]]
    if trouble in ("hangs", "rejected"):
        assert seen.products == [seen.wants]
    if trouble in ("jam", "stall", "empty"):
        assert seen.wants not in seen.products


BY_BILL = (Habit.BILL, Habit.LARGE_BILL, Habit.BILL_AND_COINS, Habit.BILL_PULLED)
BY_CARD = (
    Habit.TAP_FIRST,
    Habit.TAP_LATER,
    Habit.TWO_CARDS,
    Habit.COIN_FOR_CARD,
    Habit.MIXED,
    Habit.CARD_LATE_LEVER,
)
NOT_BY_CARD = (Habit.CARD_CANCELS, Habit.CARD_LEVER, Habit.CARD_WALKS_AWAY)
MAYBE = (Habit.CARD_DECLINED, Habit.CARD_REMOVED)


@pytest.mark.parametrize("machine", ["full", "cctalk"])
@pytest.mark.parametrize("habit", [*BY_BILL, *BY_CARD])
def test_bills_and_cards_buy(habit: Habit, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, violations = visit(habit, monkeypatch, machine=machine)
    assert violations == ()
    assert seen.finished
    if machine != "cctalk":  # its hoppers are empty yet: some money is of no use there
        assert seen.products == [seen.wants] or habit is Habit.CARD_LATE_LEVER
        assert bool(seen.cards) is (habit in BY_CARD and habit is not Habit.COIN_FOR_CARD)
    if habit is Habit.BILL and machine != "cctalk":
        assert (seen.inserted, len(seen.returned) > 2) == ([500], True)


@pytest.mark.parametrize("machine", ["full", "one-tender"])
@pytest.mark.parametrize("habit", [*NOT_BY_CARD, *MAYBE, Habit.BILL_LEVER])
def test_who_does_not_buy_with_bill_or_card_pays_nothing(
    habit: Habit, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, violations = visit(habit, monkeypatch, machine=machine)
    assert violations == ()
    assert seen.finished
    if habit not in MAYBE:
        assert seen.products == []
    if habit is Habit.BILL_LEVER:
        assert seen.bills == seen.bills_back  # the same bill, not its change
    assert seen.ended - seen.began < (40 if habit is not Habit.CARD_WALKS_AWAY else 100)


@pytest.mark.parametrize(
    ("habit", "trouble"),
    [
        (Habit.BILL, "bills"),
        (Habit.BILL, "pulled"),
        (Habit.TAP_FIRST, "cards"),
        (Habit.TAP_LATER, "pulled"),
        (Habit.TAP_LATER, "empty"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bad_luck_with_bills_and_cards(
    habit: Habit, trouble: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, violations = visit(habit, monkeypatch, trouble=trouble, seed=seed, machine="full")
    assert violations == ()
    assert seen.finished


def test_every_habit_is_somebodys() -> None:
    everybody = {*WEIGHTS, *BILL_WEIGHTS, *CARD_WEIGHTS}
    assert everybody == set(Habit)
    assert {*BILL_WEIGHTS} == {*BY_BILL, Habit.BILL_LEVER}
    assert {*CARD_WEIGHTS} == {*BY_CARD, *NOT_BY_CARD, *MAYBE}
    assert set(WEIGHTS) == {*BUYERS, *LEAVERS, Habit.SOLD_OUT}


def test_who_keys_an_empty_slot_is_refused_then_chooses_or_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, violations = visit(Habit.SOLD_OUT, monkeypatch)
    # The books don't know that A1 was emptied: its spiral turns, nothing drops, money is back.
    assert violations == ()
    assert seen.wants == "A1"
    assert "A1" not in seen.products


@pytest.mark.parametrize("habit", [Habit.EXACT, Habit.SMALL_COINS])
@pytest.mark.parametrize("amount", [5, 95, 110, 165, 320])
def test_coins_make_the_amount(habit: Habit, amount: int) -> None:
    for seed in range(50):
        coins = coins_for(amount, habit, COINS, random.Random(seed))
        assert sum(coins) == amount
        assert set(coins) <= set(COINS)


def test_coins_that_are_too_much_or_too_little() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        assert 110 < sum(coins_for(110, Habit.OVERPAYS, COINS, chance)) <= 200
        assert 0 < sum(coins_for(110, Habit.ADDS, COINS, chance)) < 110
    assert exact(12, COINS, random.Random(1)) == [10]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("MAKE A SELECTION|COINS", Sign.IDLE),
        ("MAKE A SELECTION|USE EXACT CHANGE", Sign.IDLE),
        ("CREDIT      1.00|MAKE SELECTION", Sign.CREDIT),
        ("SELECTION A_|", Sign.BUSY),
        ("A3          1.50|INSERT MONEY", Sign.PRICE),
        ("A3          1.50|PLEASE ADD 0.50", Sign.ADD),
        ("A3 SOLD OUT|CHOOSE ANOTHER", Sign.REFUSED),
        ("SOLD OUT|0800", Sign.OUT),
        ("D9 INVALID|", Sign.REFUSED),
        ("NO CHANGE FOR A3|EXACT OR RETURN", Sign.NO_CHANGE),
        ("KEEPS 0.20|PRESS A3 AGAIN", Sign.KEEPS),
        ("VENDING A3|PLEASE WAIT", Sign.BUSY),
        ("THANK YOU|CHANGE 0.50", Sign.THANKS),
        ("NOT DELIVERED|CHOOSE OR RETURN", Sign.FAILED),
        ("WE OWE YOU 0.50|SPEND OR REF4821", Sign.OWED),
        ("WE OWE YOU 0.50|REF 4821", Sign.CLAIM),
        ("WE OWE 100.00|REF 4821", Sign.CLAIM),
        ("DOOR OPEN|", Sign.OUT),
        ("CARD READY|MAKE SELECTION", Sign.CARD),
        ("CARD        7.20|MAKE SELECTION", Sign.CARD),
        ("A3          1.50|TAP CARD OR COIN", Sign.TAP),
        ("A3          1.50|TAP CARD", Sign.TAP),
        ("A3 CASH     1.50|A3 CARD     1.60", Sign.TAP),
        ("AUTHORISING|PLEASE WAIT", Sign.BUSY),
        ("CHECKING BILL|", Sign.BUSY),
        ("BILL RETURNED|CHOOSE AGAIN", Sign.REFUSED),
        ("CARD DECLINED|OTHER PAYMENT?", Sign.DECLINED),
        ("NOT DELIVERED|CARD REFUNDED", Sign.REFUNDED),
        ("NOT DELIVERED|REF 4821", Sign.DUE),
        ("HELLO|", Sign.OTHER),
    ],
)
def test_signs(text: str, meaning: Sign) -> None:
    assert sign(text) is meaning


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (credit, "CREDIT      1.05|MAKE SELECTION", 105),
        (credit, "CREDIT       150|MAKE SELECTION", 150),
        (credit, "WE OWE YOU 0.50|SPEND OR REF4821", 50),
        (credit, "WE OWE YOU 0.50|REF 4821", 0),
        (credit, "MAKE A SELECTION|COINS", 0),
        (credit, "VENDING A3|PLEASE WAIT", None),
        (missing, "A3          1.50|PLEASE ADD 0.50", 50),
        (missing, "A3          1.50|INSERT MONEY", None),
        (reference, "WE OWE YOU 0.50|REF 4821", "4821"),
        (reference, "WE OWE YOU 0.50|SPEND OR REF4821", "4821"),
        (reference, "THANK YOU|", None),
        (words, "A3          1.50|INSERT MONEY", "A3 1.50 / INSERT MONEY"),
    ],
)
def test_what_is_read(read: Callable[[str], object], text: str, found: object) -> None:
    assert read(text) == found
