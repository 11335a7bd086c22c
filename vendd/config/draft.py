"""What of a configuration is valid by itself, for the checks across sections."""

from dataclasses import dataclass, field
from typing import Any

from vendd.config.payment import BillValidator, CardReader, CcTalk, Changer, Mdb, Pulse
from vendd.config.problems import Problem, shown
from vendd.config.reading import Path_, Tree
from vendd.config.sections import (
    Buzzer,
    Dex,
    DirectMotors,
    Display,
    Door,
    DropSensor,
    Gpio,
    Keypad,
    Machine,
    MatrixMotors,
    ProductEntry,
    Sale,
    SlotEntry,
)


@dataclass(slots=True)
class Draft:
    """None: that section is missing or wrong, and already complained about."""

    tree: Tree
    machine: Machine | None = None
    gpio: Gpio | None = None
    pins: dict[str, int] = field(default_factory=dict)
    pins_named: set[str] = field(default_factory=set)
    motors: MatrixMotors | DirectMotors | None = None
    drop_sensor: DropSensor | None = None
    door: Door | None = None
    keypad: Keypad | None = None
    buzzer: Buzzer | None = None
    display: Display | None = None
    mdb: Mdb | None = None
    changer: Changer | None = None
    bill_validator: BillValidator | None = None
    cctalk: CcTalk | None = None
    dex: Dex | None = None
    sale: Sale | None = None
    products: list[tuple[int, ProductEntry]] = field(default_factory=list)
    slots: list[tuple[int, SlotEntry]] = field(default_factory=list)
    card_readers: list[tuple[int, CardReader]] = field(default_factory=list)
    pulses: list[tuple[int, Pulse]] = field(default_factory=list)

    def put(self, name: str, value: Any) -> None:
        """A section that is valid; those that no check needs are dropped."""
        if name in self.__slots__:
            setattr(self, name, value)

    def put_entry(self, name: str, place: int, entry: Any) -> None:
        getattr(self, f"{name}s").append((place, entry))

    def stands(self, section: str) -> bool:
        """It is in a file, right or wrong."""
        return section in self.tree.values

    def problem(self, path: Path_, what: str, remedy: str, *, warning: bool = False) -> Problem:
        """A problem with what stands at `path`."""
        value = self.tree.at(path)
        stands = "" if value is None or isinstance(value, dict) else shown(value, str(path[-1]))
        return Problem(self.tree.origin(path), self.tree.name(path), stands, what, remedy, warning)
