"""Machines that several test modules put on the bench."""

from typing import Any

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.worlds import DEAR, reader, validator
from vendd.core.snapshot import CardReader


def machine(tubes: dict[int, int] | None = None, **more: Any) -> Bench:
    """Coins and bills; the highest price is 2.50, so every bill is held in escrow."""
    world = {"bills": validator(), **more}
    return Bench(world_with(**world) if tubes is None else world_with(tubes_with(tubes), **world))


def dear(tubes: dict[int, int] | None = None, **more: Any) -> Bench:
    """The highest price is 12.00: 5.00 and 10.00 are stacked at once."""
    return machine(tubes, prices=DEAR, **more)


def carded(*readers: CardReader, **more: Any) -> Bench:
    """Coins, bills and card readers; without any named one where the card comes first."""
    return machine(readers=readers or (reader(),), **more)


def asking(*readers: CardReader, **more: Any) -> Bench:
    """As `carded`, and the reader can be asked before a card is there."""
    return machine(readers=readers or (reader(selection_first=True),), **more)
