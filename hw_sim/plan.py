"""What is wired where, in BCM numbers: the cabinet is built from this and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputPlan:
    """A sensor or switch on one input."""

    pin: int
    active_low: bool = False


@dataclass(frozen=True, slots=True)
class MotorPlan:
    """A spiral motor. Current needs every line in `lines` on (one: its own drive line; two: row
    and column) and the supply. `home` is the sense input; motors may share it: then only
    motors whose lines are all on are seen there."""

    name: str
    lines: tuple[int, ...]
    home: int


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """A spiral with its motors, turning together, and what was put into it at first."""

    selection: str
    motors: tuple[str, ...]
    product: str
    level: int


@dataclass(frozen=True, slots=True)
class KeypadPlan:
    """`keys[row][column]` are the legends, "" where no key is."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    keys: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class DisplayPlan:
    columns: int = 16
    rows: int = 2
    address: int = 0x27


@dataclass(frozen=True, slots=True)
class CabinetPlan:
    """A whole machine. `heartbeat` None: the motor supply has no one-shot and is always on."""

    motors: tuple[MotorPlan, ...]
    slots: tuple[SlotPlan, ...]
    keypad: KeypadPlan
    heartbeat: int | None
    drop: InputPlan | None = None
    door: InputPlan | None = None
    buzzer: int | None = None
    lines_active_high: bool = True
    home_active_low: bool = False
    display: DisplayPlan = DisplayPlan()


def sample_plan() -> CabinetPlan:
    """A 2 x 3 matrix machine with one coupled slot (B2 = B2+B3), for tests of the world itself."""
    rows = {"A": 4, "B": 17}
    columns = (10, 9, 11)
    motors = tuple(
        MotorPlan(f"{row}{n}", (pin, column), 22)
        for row, pin in rows.items()
        for n, column in enumerate(columns, 1)
    )
    return CabinetPlan(
        motors=motors,
        slots=(
            SlotPlan("A1", ("A1",), "cola", 5),
            SlotPlan("A2", ("A2",), "water", 5),
            SlotPlan("A3", ("A3",), "chips", 0),
            SlotPlan("B1", ("B1",), "nuts", 5),
            SlotPlan("B2", ("B2", "B3"), "sandwich", 5),
        ),
        keypad=KeypadPlan(
            rows=(5, 6, 13, 19),
            columns=(12, 16, 20),
            keys=(("A", "1", "2"), ("B", "3", "4"), ("C", "5", "6"), ("clear", "0", "#")),
        ),
        heartbeat=23,
        drop=InputPlan(24, active_low=True),
        door=InputPlan(25),
        buzzer=27,
    )
