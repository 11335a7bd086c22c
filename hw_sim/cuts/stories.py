"""Sales that are cut: who does what and when, by cash, bill and card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hw_sim.devices.card_reader_parts import Card
from hw_sim.spiral import Fate
from hw_sim.virtual import VirtualMachine
from vendd.config import Config, load

SAMPLE: Final = Path(__file__).parents[2] / "config" / "snack-4x6.toml"
SLOT: Final = "A3"
OTHER: Final = "A4"
Do = Callable[[VirtualMachine], object]


@dataclass(frozen=True, slots=True)
class Story:
    """`steps`: seconds since the customer came, and what happens then. `span_s`: it is over, and
    the display idle again. `fate`: of the first product. `doubted`: the machine had one vend
    with an outcome that nobody knows today already. `without`: a part that it does not have.
    """

    name: str
    steps: tuple[tuple[float, Do], ...]
    span_s: float
    fate: Fate = Fate.FALLS
    doubted: bool = False
    without: str = ""
    first_s: float = 0.03


def coin(value: int) -> Do:
    return lambda machine: machine.changer.insert_coin(value)


def bill(value: int) -> Do:
    def offer(machine: VirtualMachine) -> None:
        assert machine.till.bills is not None
        machine.till.bills.insert_bill(value)

    return offer


def tap(machine: VirtualMachine) -> None:
    machine.till.readers[1].tap(Card(7, 5_000))


def lever(machine: VirtualMachine) -> None:
    machine.changer.press_lever()


def keys(at: float, selection: str = SLOT) -> tuple[tuple[float, Do], ...]:
    return tuple((at + 0.3 * n, _key(legend)) for n, legend in enumerate(selection))


def _key(legend: str) -> Do:
    return lambda machine: machine.cabinet.press(legend)


_COINS: Final = ((0.0, coin(100)), (0.8, coin(50)))
BEFORE: Final = (*_COINS, *keys(1.6, OTHER))
"""What somebody bought earlier that day, from another spiral."""

STORIES: Final = (
    Story("coins into tubes, change", (*_COINS, *keys(1.6)), 6.5),
    Story("coin into the box, change", ((0.0, coin(200)), *keys(0.8)), 6.5),
    Story("coins, lever", (*_COINS, (1.6, lever)), 4.0),
    Story("coins, product hangs", (*_COINS, *keys(1.6)), 13.0, Fate.HANGS),
    Story("coins, product hangs again", (*_COINS, *keys(1.6)), 13.0, Fate.HANGS, doubted=True),
    Story("coins, no drop sensor", (*_COINS, *keys(1.6)), 6.5, without="drop_sensor"),
    Story("bill, change", ((0.0, bill(500)), *keys(3.6)), 12.0),
    Story("bill, lever", ((0.0, bill(500)), (3.6, lever)), 6.5),
    Story("card first", ((0.0, tap), *keys(0.8)), 8.0),
    Story("selection first, then card", (*keys(0.0), (1.0, tap)), 8.0),
    Story("card, product hangs", ((0.0, tap), *keys(0.8)), 14.0, Fate.HANGS, first_s=4.0),
)


def config_for(story: Story) -> Config:
    """The snack machine, with or without what the story wants."""
    config = load(SAMPLE)
    changes: dict[str, Any] = {story.without: None} if story.without else {}
    return config.model_copy(update=changes)
