"""Every text fits every display, in every currency, and says the same words on a wider one."""

import re
from dataclasses import replace
from itertools import product

import pytest

from tests.sale.bench import Bench, world_with
from tests.sale.script import given
from vendd.core.facts import Channel, Proof
from vendd.core.sale.outputs import out_of_service, screen
from vendd.core.sale.pieces import (
    Payout,
    Sale,
    Session,
)
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    Notice,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.texts import TEXTS
from vendd.core.snapshot import Snapshot

MOST = {0: 9_999, 2: 9_999, 3: 99_990}
"""The largest amount that must fit, by the currency's decimals: 9999, 99.99, 99.990."""


def _states(amount: int) -> list[State]:
    sale = _sale(amount)
    phases = (
        Idle(),
        Credit(),
        OverpayAsked("A3", amount),
        ChooseAgain(),
        Hold(),
        Owed("4821"),
        ClaimShown("4821", amount),
        SessionOpen(Session(1)),
        WaitingForTap(sale),
        Authorising(sale),
        Stacking(sale),
        Refunding(sale),
        Returning("refund"),
        AgeCheck("A3", 1, "a1"),
        Revaluing(Session(1), "v1", amount),
        Vending(sale),
        Paying(Payout("p1", "change", amount, amount), sale),
        Paying(Payout("p1", "refund", amount, amount)),
    )
    shown = [State(phase, amount) for phase in phases]
    noted = [State(notice=Notice(text, "A3", amount, "4821")) for text in TEXTS]
    return [*shown, *noted, State(exact_change=True), State(entry="A")]


def _sale(price: int) -> Sale:
    return Sale("s1", 1, "c1", "A3", Channel.KEYPAD, price, 0, "", Proof.DROP, price)


def _worlds(exponent: int) -> list[Snapshot]:
    price = MOST[exponent]
    make = {"prices": {"A3": price}, "exponent": exponent, "support_line": "CALL 0800 123456"}
    world = world_with(**make)
    return [
        world,
        replace(world, door_open=True),
        replace(world, out_of_service=("operator",)),
        world_with(level=0, **make),
    ]


@pytest.mark.parametrize("columns", [16, 20])
@pytest.mark.parametrize("exponent", sorted(MOST))
def test_every_text_fits(exponent, columns):
    """Nothing is cut off: each number on the display is a whole one."""
    amount = MOST[exponent]
    whole = str(amount) if not exponent else f"{amount / 10**exponent:.{exponent}f}"
    for state, world in product(_states(amount), _worlds(exponent)):
        lines = screen(state, world, columns)
        assert all(len(line) <= columns for line in lines), lines
        for line in lines:
            assert line.isascii(), line
            assert line == line.upper(), line
            numbers = re.findall(r"\d+\.\d*|(?<![A-Z0-9 ])\d{4,}", line)
            assert set(numbers) <= {whole}, (state, lines)
            assert "REF" not in line.replace("REFUNDED", "") or "4821" in line


@pytest.mark.parametrize("exponent", sorted(MOST))
def test_a_wider_display_says_the_same(exponent):
    for state, world in product(_states(150), _worlds(exponent)):
        narrow, wide = screen(state, world, 16), screen(state, world, 20)
        assert [line.split() for line in narrow] == [line.split() for line in wide]


def test_amounts_stand_at_the_right_edge():
    state = given(Bench(), Credit(), 100).state
    assert screen(state, world_with(), 16) == ("CREDIT      1.00", "MAKE SELECTION")
    assert screen(state, world_with(), 20) == ("CREDIT          1.00", "MAKE SELECTION")


def test_a_shorter_wording_when_the_longer_does_not_fit():
    owed = State(Owed("4821"), 99_990)
    world = world_with(exponent=3)
    assert screen(owed, world, 16) == ("WE OWE 99.990", "SPEND OR REF4821")
    assert screen(owed, world, 20) == ("WE OWE YOU 99.990", "SPEND OR REF4821")


@pytest.mark.parametrize(
    ("exponent", "text"),
    [(0, "CREDIT       150"), (2, "CREDIT      1.50"), (3, "CREDIT     0.150")],
)
def test_decimals_are_those_of_the_currency(exponent, text):
    assert screen(State(Credit(), 150), world_with(exponent=exponent))[0] == text


def test_out_of_service_whatever_the_state():
    world = world_with(support_line="CALL 0800 1234")
    assert out_of_service(world) == ("OUT OF SERVICE", "CALL 0800 1234")


def test_a_message_gives_way_to_the_door():
    bench = Bench()
    bench.state = State(notice=Notice("thanks"))
    assert bench.change(door_open=True).screen == "DOOR OPEN | "
