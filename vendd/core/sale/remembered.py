"""Answers about money that stay true while nothing changes: the same questions come back after
every report, and each of them is arithmetic over all tubes and prices."""

from collections.abc import Callable
from typing import Generic, TypeVar

from vendd.core.sale import offer
from vendd.core.snapshot import Snapshot

A = TypeVar("A")


def money_of(world: Snapshot) -> tuple[object, ...]:
    """All that a snapshot says of money devices, what is in them, and prices."""
    return (
        world.changer,
        world.validator,
        world.tubes,
        world.recycler,
        world.policy,
        offer.prices_for_money(world),
    )


class Remembered(Generic[A]):
    """The answers to one question, for the money as it was seen last. `detail`: whatever else the
    answer depends on."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._answers: dict[object, A] = {}

    def ask(self, world: Snapshot, detail: object, find_out: Callable[[], A]) -> A:
        of = money_of(world)
        if of != self._of:
            self._of = of
            self._answers.clear()
        if detail not in self._answers:
            self._answers[detail] = find_out()
        return self._answers[detail]
