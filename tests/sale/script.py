"""A table is a script: one line per report, and what it must lead to.

``play(bench, (report, *expected), ...)``. What is expected says by its kind what it is compared
with: text the screen, a number the credit, a set the coins taken, ``takes(...)`` bills and cards, a
phase class the phase, an act or a record (or its class, or ``like(...)``, or ``no(...)``) what the
report caused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.sale.bench import COINS, TYPE_OF, Bench
from vendd.core.facts import Fact
from vendd.core.rows import Row
from vendd.core.sale.acts import Act, PayOut, TurnMotor
from vendd.core.sale.pieces import (
    Customer,
)
from vendd.core.sale.reports import (
    CoinAccepted,
    CoinPath,
    DropSeen,
    KeyPressed,
    LeftHome,
    LeverPressed,
    PayoutEnded,
    Report,
    TurnEnded,
    TurnResult,
)
from vendd.core.sale.states import (
    Numbers,
    Phase,
    State,
)

Deed = Report | Callable[[Bench], object]


@dataclass(frozen=True)
class Like:
    """A record or act of this class with these field values."""

    kind: type
    fields: dict[str, Any]

    def found_in(self, things: tuple[Any, ...]) -> bool:
        return any(
            isinstance(t, self.kind) and all(getattr(t, n) == v for n, v in self.fields.items())
            for t in things
        )


@dataclass(frozen=True)
class No:
    """Nothing of this class was caused."""

    kind: type


@dataclass(frozen=True)
class Takes:
    """Bills and card readers that are on; None: whatever."""

    bills: frozenset[int] | None
    cards: frozenset[int] | None


def takes(*, bills: set[int] | None = None, cards: set[int] | None = None) -> Takes:
    """`bills` by value, `cards` by the readers' numbers."""
    return Takes(
        None if bills is None else frozenset(bills), None if cards is None else frozenset(cards)
    )


def like(kind: type, /, **fields: Any) -> Like:
    return Like(kind, fields)


def no(kind: type) -> No:
    return No(kind)


def play(bench: Bench, *lines: tuple[Any, ...]) -> Bench:
    """Play the script; every line's expectations are checked right after its report."""
    for n, (deed, *expected) in enumerate(lines, 1):
        if isinstance(deed, Report):
            bench.report(deed)
        else:
            deed(bench)
        for what in expected:
            _check(bench, what, f"line {n}: {deed}")
    return bench


def _check(bench: Bench, what: Any, where: str) -> None:
    caused = bench.records + bench.acts
    seen = f"{where}\n  phase {bench.state.phase}\n  screen {bench.screen}\n  caused {caused}"
    match what:
        case str():
            assert bench.screen == what, seen
        case bool():
            raise AssertionError("a truth value says nothing here")
        case int():
            assert bench.state.credit == what, seen
        case set() | frozenset():
            assert bench.coins == what, f"{bench.coins} {seen}"
        case Takes(bills, cards):
            assert bills is None or bench.bills == bills, f"bills {bench.bills} {seen}"
            assert cards is None or bench.cards == cards, f"cards {bench.cards} {seen}"
        case Like():
            assert what.found_in(caused), f"{what} {seen}"
        case No(kind):
            assert not any(isinstance(c, kind) for c in caused), seen
        case type() if issubclass(what, Fact | Row | Act):
            assert any(isinstance(c, what) for c in caused), f"{what} {seen}"
        case type():
            assert type(bench.state.phase) is what, seen
        case _:
            assert what in caused, f"{what} {seen}"


# --- deeds ----------------------------------------------------------------------------------


def coin(value: int) -> CoinAccepted:
    """A coin falls where its kind goes."""
    kind = next(c for c in COINS if c.value == value)
    path = CoinPath.TUBE if kind.to_tube else CoinPath.BOX
    return CoinAccepted(kind.type, value, path, 1)


def key(legend: str) -> KeyPressed:
    return KeyPressed(legend)


def keyed(selection: str) -> Deed:
    """Both keys; what they caused adds up."""
    return several(*(KeyPressed(legend) for legend in selection))


def several(*deeds: Deed) -> Deed:
    """One after the other; what they caused adds up."""

    def do(bench: Bench) -> None:
        records, acts = (), ()
        for deed in deeds:
            if isinstance(deed, Report):
                bench.report(deed)
            else:
                deed(bench)
            records, acts = records + bench.records, acts + bench.acts
        bench.records, bench.acts = records, acts

    return do


CLEAR = KeyPressed("clear")
LEVER = LeverPressed()
DROP = DropSeen()


def wait(ms: int) -> Deed:
    return lambda bench: bench.wait(ms)


def now(bench: Bench) -> None:
    """Nothing more: a look at what the last report caused."""


def left_home(bench: Bench) -> None:
    bench.report(LeftHome(bench.turn.attempt_id))


def turned(result: TurnResult = TurnResult.HOME) -> Deed:
    """The newest turn is over."""
    home = result in (TurnResult.HOME, TurnResult.NEVER_LEFT)
    return lambda b: b.report(TurnEnded(b.turn.attempt_id, result, home, 2_500))


def paid(*, certain: bool = True, **coins: int) -> Deed:
    """The newest payout is over; without coins it paid all it was asked for.

    ``paid(c50=1)`` is one coin of 50.
    """

    def end(bench: Bench) -> None:
        payout = bench.payout
        left = tuple((TYPE_OF[int(name[1:])], n) for name, n in coins.items())
        bench.report(PayoutEnded(payout.payout_id, left if coins else payout.coins, certain))

    return end


def nothing_paid(bench: Bench) -> None:
    bench.report(PayoutEnded(bench.payout.payout_id, (), certain=True, why="jam"))


def start(**changes: Any) -> Deed:
    """Something about the world is different from now on."""
    return lambda bench: bench.change(**changes)


TURN, PAYOUT = TurnMotor, PayOut


def given(bench: Bench, phase: Phase, credit: int = 0, **state: Any) -> Bench:
    """The bench in that phase, with a customer if there is credit."""
    customer = Customer("c1", inserted=credit) if credit else None
    numbers = Numbers(session=2 if credit else 1)
    machine = State(phase, credit, customer, numbers)
    return Bench(bench.world, State(**{**_as_dict(machine), **state}))


def _as_dict(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__dataclass_fields__}


def delivered(selection: str) -> tuple[tuple[Any, ...], ...]:
    """Script of a vend that goes well, up to the motor's stop."""
    return ((keyed(selection), TURN), (left_home,), (DROP,), (turned(),))


def failed(bench: Bench) -> None:
    """The newest vend: one turn and one extra turn, and nothing falls."""
    for _ in range(2):
        left_home(bench)
        turned()(bench)
        bench.wait(3_000)
