"""Change from real tube counts: tables for the rules, properties against brute force."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.core.change import (
    Plan,
    acceptable_coins,
    can_pay,
    exact_change_needed,
    largest_payable,
    plan_payout,
)
from vendd.core.sale.reports import Coin, Tube

EURO = (5, 10, 20, 50, 100, 200)


def tubes(counts: dict[int, int]) -> tuple[Tube, ...]:
    """Tubes numbered in the order given: value -> count."""
    return tuple(Tube(n, value, count) for n, (value, count) in enumerate(counts.items()))


def worth(plan: Iterable[tuple[int, int]], stock: Iterable[Tube]) -> int:
    values = {tube.type: tube.value for tube in stock}
    return sum(values[type_] * count for type_, count in plan)


def best_by_brute_force(stock: tuple[Tube, ...], amount: int) -> Plan | None:
    """Every combination: fewest coins, then the larger coins, then the highest type."""
    usable = sorted(
        (tube for tube in stock if not tube.defective),
        key=lambda tube: (tube.value, tube.type),
        reverse=True,
    )
    fitting = [
        counts
        for counts in product(*(range(tube.count + 1) for tube in usable))
        if sum(n * tube.value for n, tube in zip(counts, usable, strict=True)) == amount
    ]
    if not fitting:
        return None
    best = min(fitting, key=lambda counts: (sum(counts), [-n for n in counts]))
    return tuple((tube.type, n) for tube, n in zip(usable, best, strict=True) if n)


# --- plan_payout --------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "stock", "plan"),
    [
        (0, {5: 3}, ()),
        (0, {}, ()),
        (85, dict.fromkeys(EURO, 9), ((3, 1), (2, 1), (1, 1), (0, 1))),
        (400, {100: 9, 200: 1}, ((1, 1), (0, 2))),
        # 60 from 50+10 is not there: greedy stops at 50, three twenties pay it
        (60, {20: 3, 50: 1}, ((0, 3),)),
        (80, {10: 9, 20: 9, 50: 1}, ((2, 1), (1, 1), (0, 1))),
        (80, {10: 3, 20: 0, 50: 1}, ((2, 1), (0, 3))),
        # 50+10 and 30+30 are equally few: the larger coin wins
        (60, {10: 9, 30: 2, 50: 1}, ((2, 1), (0, 1))),
        # sets that aren't canonical: the larger coin first would need more coins
        (30, {1: 9, 10: 9, 25: 1}, ((1, 3),)),
        (63, {1: 99, 21: 9, 25: 9}, ((1, 3),)),
        (63, {1: 99, 21: 2, 25: 9}, ((2, 2), (0, 13))),
        (120, {10: 9, 40: 3, 90: 1}, ((1, 3),)),
        # three coins are 25, twice the amount and one: no wrong carry
        (12, {2: 6, 5: 1, 9: 1, 11: 1}, ((0, 6),)),
        # amounts no coin divides
        (7, {5: 9, 10: 9}, None),
        (30, {20: 9, 50: 9}, None),
        (-5, {5: 9}, None),
        # more than there is, however absurd
        (50, {10: 4}, None),
        (10**15, {5: 255}, None),
        # no decimals, large units
        (4_650, {50: 9, 100: 9, 200: 9, 500: 9, 1000: 9}, ((4, 4), (3, 1), (1, 1), (0, 1))),
    ],
)
def test_plans(amount: int, stock: dict[int, int], plan: Plan | None) -> None:
    assert plan_payout(amount, tubes(stock)) == plan
    assert can_pay(amount, tubes(stock)) is (plan is not None)


def test_the_reserve_stays_in_each_tube() -> None:
    stock = tubes({10: 4, 50: 2})
    assert plan_payout(60, stock, reserve=1) == ((1, 1), (0, 1))
    assert plan_payout(60, stock, reserve=2) is None
    assert plan_payout(20, stock, reserve=2) == ((0, 2),)
    assert not can_pay(30, stock, reserve=2)
    assert largest_payable(200, stock, reserve=3) == (10, ((0, 1),))
    assert largest_payable(200, stock, reserve=9) == (0, ())


def test_a_defective_tube_pays_nothing() -> None:
    stock = (Tube(0, 10, 9), Tube(1, 50, 9, defective=True))
    assert plan_payout(50, stock) == ((0, 5),)
    assert plan_payout(100, stock) is None
    assert not can_pay(100, stock)


def test_a_full_tube_pays() -> None:
    assert plan_payout(50, (Tube(1, 50, 70, full=True),)) == ((1, 1),)


def test_of_equal_values_the_highest_type_goes_first() -> None:
    stock = (Tube(1, 50, 2), Tube(4, 50, 1), Tube(2, 20, 5), Tube(9, 50, 0))
    assert plan_payout(150, stock) == ((4, 1), (1, 2))
    assert plan_payout(120, stock) == ((4, 1), (1, 1), (2, 1))
    assert plan_payout(50, stock) == ((4, 1),)


def test_the_order_of_the_tubes_does_not_matter() -> None:
    stock = (Tube(1, 50, 2), Tube(4, 50, 1), Tube(2, 20, 5), Tube(0, 10, 3))
    assert plan_payout(170, stock) == plan_payout(170, tuple(reversed(stock)))


@pytest.mark.parametrize(
    ("amount", "payable", "plan"),
    [
        (130, 130, ((1, 1), (0, 4))),
        (60, 60, ((0, 3),)),
        (30, 20, ((0, 1),)),
        (55, 50, ((1, 1),)),
        (19, 0, ()),
        (0, 0, ()),
        (-10, 0, ()),
        (10**15, 150, ((1, 1), (0, 5))),
    ],
)
def test_largest_payable(amount: int, payable: int, plan: Plan) -> None:
    assert largest_payable(amount, tubes({20: 5, 50: 1})) == (payable, plan)


@st.composite
def small_stocks(draw: st.DrawFn) -> tuple[Tube, ...]:
    """Up to four tubes with few coins of values that need not be canonical."""
    values = draw(st.lists(st.sampled_from((1, 2, 3, 4, 5, 7, 10, 12)), min_size=1, max_size=4))
    unit = draw(st.sampled_from((1, 5, 50)))
    return tuple(
        Tube(
            type_,
            value * unit,
            draw(st.integers(0, 5)),
            defective=draw(st.sampled_from((0, 0, 0, 1))) == 1,
        )
        for type_, value in enumerate(values)
    )


@given(small_stocks(), st.data())
def test_plans_are_those_of_brute_force(stock: tuple[Tube, ...], data: st.DataObject) -> None:
    total = sum(tube.value * tube.count for tube in stock)
    amount = data.draw(st.integers(0, total + 5))
    best = best_by_brute_force(stock, amount)
    assert plan_payout(amount, stock) == best
    assert can_pay(amount, stock) is (best is not None)


def fewest_by_tabulation(stock: tuple[Tube, ...], amount: int) -> int | None:
    """Coin by coin, the fewest coins for each amount: slow and plain."""
    fewest: dict[int, int] = {0: 0}
    for tube in stock:
        for _ in range(tube.count):
            for have, coins in list(fewest.items()):
                more = have + tube.value
                if more <= amount and fewest.get(more, coins + 2) > coins + 1:
                    fewest[more] = coins + 1
    return fewest.get(amount)


@given(
    st.dictionaries(
        st.sampled_from((1, 3, 4, 5, 7, 9, 11, 20, 21, 25, 30)), st.integers(0, 12), max_size=5
    ),
    st.integers(0, 200),
)
def test_no_payment_has_fewer_coins(counts: dict[int, int], amount: int) -> None:
    stock = tubes(counts)
    plan = plan_payout(amount, stock)
    coins = None if plan is None else sum(n for _, n in plan)
    assert coins == fewest_by_tabulation(stock, amount)


@given(small_stocks(), st.integers(0, 300))
def test_nothing_between_the_largest_payable_and_the_amount(
    stock: tuple[Tube, ...], amount: int
) -> None:
    payable, plan = largest_payable(amount, stock)
    assert 0 <= payable <= amount
    assert worth(plan, stock) == payable
    assert not any(can_pay(more, stock) for more in range(payable + 1, amount + 1))


@st.composite
def machine_stocks(draw: st.DrawFn) -> tuple[Tube, ...]:
    """As in a machine: up to 16 types, counts up to the 255 a changer can report."""
    unit = draw(st.sampled_from((1, 5, 50)))
    values = draw(st.lists(st.integers(1, 200), min_size=1, max_size=16))
    return tuple(
        Tube(type_, value * unit, draw(st.integers(0, 255))) for type_, value in enumerate(values)
    )


@given(machine_stocks(), st.integers(0, 5000), st.integers(0, 20))
def test_a_plan_sums_exactly_and_takes_what_is_there(
    stock: tuple[Tube, ...], amount: int, reserve: int
) -> None:
    plan = plan_payout(amount, stock, reserve)
    if plan is None:
        return
    assert worth(plan, stock) == amount
    assert len({type_ for type_, _ in plan}) == len(plan)
    counts = {tube.type: tube.count for tube in stock}
    assert all(0 < n <= counts[type_] - reserve for type_, n in plan)


# --- acceptable_coins (R2, M3) ----------------------------------------------------

EURO_COINS = tuple(Coin(n, value, to_tube=True) for n, value in enumerate(EURO))
EMPTY = tubes(dict.fromkeys(EURO, 0))
ALL = frozenset(range(6))


def test_with_empty_tubes_each_coin_that_stays_in_a_tube_is_taken() -> None:
    assert acceptable_coins(0, EURO_COINS, EMPTY, maximum=300) == ALL


def test_a_coin_for_the_box_is_taken_only_if_the_tubes_can_return_it() -> None:
    coins = (*EURO_COINS[:5], Coin(5, 200, to_tube=False))
    assert acceptable_coins(0, coins, EMPTY, maximum=300) == ALL - {5}
    with_change = tubes({5: 0, 10: 0, 20: 0, 50: 2, 100: 1, 200: 0})
    assert acceptable_coins(0, coins, with_change, maximum=300) == ALL
    assert 5 not in acceptable_coins(100, coins, with_change, maximum=300)


@pytest.mark.parametrize("broken", [{"full": True}, {"defective": True}])
def test_a_coin_does_not_count_when_its_tube_cannot_take_or_pay_it(broken: dict[str, bool]) -> None:
    stock = tuple(replace(tube, **broken) if tube.value == 200 else tube for tube in EMPTY)
    assert acceptable_coins(0, EURO_COINS, stock, maximum=300) == ALL - {5}


def test_a_coin_without_a_tube_does_not_count() -> None:
    assert acceptable_coins(0, EURO_COINS, EMPTY[:5], maximum=300) == ALL - {5}


def test_credit_that_reached_the_maximum_closes_the_slot() -> None:
    stock = tubes(dict.fromkeys(EURO, 20))
    assert acceptable_coins(295, EURO_COINS, stock, maximum=300) == ALL
    assert acceptable_coins(300, EURO_COINS, stock, maximum=300) == frozenset()
    assert acceptable_coins(305, EURO_COINS, stock, maximum=300) == frozenset()


def test_what_cannot_be_returned_may_be_as_much_as_the_owner_says() -> None:
    coins = (Coin(0, 50, to_tube=False), Coin(1, 100, to_tube=False))
    stock = tubes({50: 0, 100: 0, 20: 2})
    assert acceptable_coins(0, coins, stock, maximum=300) == frozenset()
    assert acceptable_coins(0, coins, stock, maximum=300, unreturnable=9) == frozenset()
    assert acceptable_coins(0, coins, stock, maximum=300, unreturnable=10) == {0}
    assert acceptable_coins(0, coins, stock, maximum=300, unreturnable=60) == {0, 1}


def test_credit_that_the_tubes_cannot_return_now_may_become_returnable() -> None:
    # 30 of credit whose 10s were dispensed by hand: a 20 more makes 50, which is there.
    coins = (Coin(0, 20, to_tube=False), Coin(1, 50, to_tube=False))
    assert acceptable_coins(30, coins, tubes({20: 0, 50: 1}), maximum=300) == {0}


def test_a_coin_below_the_reserve_does_not_help() -> None:
    coin = (Coin(0, 50, to_tube=True),)
    assert acceptable_coins(0, coin, tubes({50: 2}), maximum=300, reserve=3) == frozenset()
    assert acceptable_coins(0, coin, tubes({50: 3}), maximum=300, reserve=3) == {0}


def test_tokens_and_unused_types_are_never_acceptable() -> None:
    assert acceptable_coins(0, (Coin(0, 0, to_tube=False),), EMPTY, maximum=300) == frozenset()
    assert acceptable_coins(0, (), EMPTY, maximum=300) == frozenset()


def test_an_absurd_credit_costs_nothing() -> None:
    stock = tubes(dict.fromkeys(EURO, 20))
    assert acceptable_coins(10**15, EURO_COINS, stock, maximum=10**16) == frozenset()


def after_taking(coin: Coin, stock: tuple[Tube, ...]) -> tuple[Tube, ...]:
    """The tubes once this coin is in, as the changer would count them."""
    return tuple(
        replace(tube, count=tube.count + 1)
        if tube.type == coin.type and coin.to_tube and not tube.full and not tube.defective
        else tube
        for tube in stock
    )


@given(
    small_stocks(),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(0, 60),
    st.integers(0, 3),
    st.integers(0, 10),
)
def test_exactly_the_returnable_coins_are_acceptable(
    stock: tuple[Tube, ...], routes: list[bool], credit: int, reserve: int, unreturnable: int
) -> None:
    coins = tuple(Coin(t.type, t.value, to_tube) for t, to_tube in zip(stock, routes, strict=False))
    accepted = acceptable_coins(
        credit, coins, stock, maximum=10_000, reserve=reserve, unreturnable=unreturnable
    )
    for coin in coins:
        wanted = credit + coin.value
        returned, _ = largest_payable(wanted, after_taking(coin, stock), reserve)
        assert (coin.type in accepted) is (wanted - returned <= unreturnable)


# --- exact_change_needed ----------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "stock", "sign"),
    [
        ([150], dict.fromkeys(EURO, 9), False),
        ([150], dict.fromkeys(EURO, 0), True),  # 2.00 leaves 0.50
        ([150], {5: 0, 10: 0, 20: 0, 50: 1, 100: 0, 200: 0}, True),  # 8 x 0.20 leave 0.10
        ([150], {5: 0, 10: 1, 20: 0, 50: 1, 100: 0, 200: 0}, False),
        ([150], {5: 0, 10: 2, 20: 1, 50: 0, 100: 0, 200: 0}, True),  # 0.50 from 0.40
        ([150], {5: 0, 10: 1, 20: 2, 50: 0, 100: 0, 200: 0}, False),
        ([200], dict.fromkeys(EURO, 0), False),  # each coin divides the price
        ([200, 150], dict.fromkeys(EURO, 0), True),
        ([150], {5: 0, 10: 0, 20: 0, 50: 0, 100: 9, 200: 9}, True),  # only big coins left
        ([0], dict.fromkeys(EURO, 0), False),
        ([], dict.fromkeys(EURO, 0), False),
        ([151], dict.fromkeys(EURO, 99), True),  # no coin pays the odd cent
    ],
)
def test_exact_change_sign(prices: list[int], stock: dict[int, int], sign: bool) -> None:
    assert exact_change_needed(prices, EURO_COINS, tubes(stock)) is sign


def test_the_sign_ignores_coins_that_are_not_taken() -> None:
    # The 2.00 goes to the box and could not be returned: it is off, so nobody overpays with it.
    coins = (Coin(3, 50, to_tube=True), Coin(4, 100, to_tube=True), Coin(5, 200, to_tube=False))
    assert not exact_change_needed([150], (coins[0], coins[2]), EMPTY)
    assert exact_change_needed([150], coins, EMPTY)
    assert not exact_change_needed([150], (coins[2],), EMPTY)
    assert not exact_change_needed([150], (), EMPTY)
    assert exact_change_needed([150], (coins[2],), EMPTY, unreturnable=200)


def test_the_sign_respects_the_reserve() -> None:
    coins = (Coin(0, 50, to_tube=True), Coin(1, 200, to_tube=True))
    stock = tubes({50: 2, 200: 2})
    assert not exact_change_needed([150], coins, stock, reserve=1)
    assert exact_change_needed([150], coins, stock, reserve=2)
    # Coins are taken even so, for a refund may use the reserve: the sign must not go off.
    assert exact_change_needed([150], coins, tubes({50: 0, 200: 0}), reserve=2)


@given(small_stocks(), st.lists(st.integers(0, 60), max_size=4), st.booleans())
def test_without_the_sign_one_kind_of_coin_never_overpays_unpayably(
    stock: tuple[Tube, ...], prices: list[int], to_tube: bool
) -> None:
    coins = tuple(Coin(tube.type, tube.value, to_tube) for tube in stock)
    accepted = acceptable_coins(0, coins, stock, maximum=1)
    stuck = False
    for price, coin in product(prices, coins):
        if price == 0 or coin.type not in accepted:
            continue
        inserted, then = 0, stock
        while inserted < price:
            inserted, then = inserted + coin.value, after_taking(coin, then)
        stuck = stuck or not can_pay(inserted - price, then)
    assert exact_change_needed(prices, coins, stock) is stuck
