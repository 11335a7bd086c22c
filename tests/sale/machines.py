"""Machines that several test modules put on the bench."""

from typing import Any

from tests.sale.bench import Bench, tubes_with, world_with
from tests.sale.worlds import DEAR, validator


def machine(tubes: dict[int, int] | None = None, **more: Any) -> Bench:
    """Coins and bills; the highest price is 2.50, so every bill is held in escrow."""
    world = {"bills": validator(), **more}
    return Bench(world_with(**world) if tubes is None else world_with(tubes_with(tubes), **world))


def dear(tubes: dict[int, int] | None = None, **more: Any) -> Bench:
    """The highest price is 12.00: 5.00 and 10.00 are stacked at once."""
    return machine(tubes, prices=DEAR, **more)
