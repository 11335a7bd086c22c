"""How spiral motors hang on GPIO lines: each on its own pins, or in a row/column matrix.

Matrix: rows are high-side switches, columns low-side; a motor gets current while its row and
its column are on and the supply enable is alive. One shared sense line is active while the cam
of a *selected* motor stands on its home switch (diode-OR). It runs on the logic supply.

Is NOT responsible for time: when to switch on, off or read is the motor driver's business.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from vendd.drivers.pins import Input, Output, OutputLine, Pin, PinFactory, PinTrouble, try_each

HomeEdge = Callable[[str | None, bool, float], None]
"""(motor, at home, loop time). Motor None: the line is shared, whichever motor is powered."""


@dataclass(frozen=True, slots=True)
class DirectMotor:
    """One motor's own lines."""

    drive: Pin
    home: Pin


@dataclass(frozen=True, slots=True)
class DirectLayout:
    """Every motor has a drive line and a home line."""

    motors: Mapping[str, DirectMotor]
    heartbeat: Pin | None = None
    active_high: bool = True
    home_active_low: bool = False

    def names(self) -> frozenset[str]:
        return frozenset(self.motors)

    def together(self, motors: Sequence[str]) -> bool:
        """Whether exactly these can be powered at once."""
        return _all_known(motors, self.names())

    def drive_lines(self) -> tuple[OutputLine, ...]:
        return tuple(OutputLine(m.drive, self.active_high) for m in self.motors.values())


@dataclass(frozen=True, slots=True)
class MatrixLayout:
    """Row name -> row line; motors are called row name + column number from 1 (``A1``)."""

    rows: Mapping[str, Pin]
    columns: tuple[Pin, ...]
    home: Pin
    heartbeat: Pin | None = None
    active_high: bool = True
    home_active_low: bool = False

    def names(self) -> frozenset[str]:
        return frozenset(self.places())

    def places(self) -> dict[str, tuple[str, int]]:
        """Motor -> (row name, column index from 0)."""
        return {
            f"{row}{column + 1}": (row, column)
            for row in self.rows
            for column in range(len(self.columns))
        }

    def together(self, motors: Sequence[str]) -> bool:
        """Whether exactly these can be powered at once: all in one row, or all in one column.
        A1 with B2 would power A2 and B1 too."""
        if not _all_known(motors, self.names()):
            return False
        places = self.places()
        rows = {places[motor][0] for motor in motors}
        columns = {places[motor][1] for motor in motors}
        return len(rows) == 1 or len(columns) == 1

    def drive_lines(self) -> tuple[OutputLine, ...]:
        return tuple(
            OutputLine(pin, self.active_high) for pin in (*self.rows.values(), *self.columns)
        )


MotorLayout = DirectLayout | MatrixLayout


def _all_known(motors: Sequence[str], names: frozenset[str]) -> bool:
    return 0 < len(set(motors)) == len(motors) and names.issuperset(motors)


class MotorLines(Protocol):
    """The open lines of a layout. Everything may raise `PinTrouble`."""

    def power(self, motors: Sequence[str]) -> None:
        """These motors get current and no other."""

    def off(self) -> None:
        """All lines inactive; every line is tried before trouble is raised."""

    def at_home(self, motor: str) -> bool:
        """The home switch. In a matrix this selects the motor alone for the time of one read
        (well below a millisecond: nothing moves) and restores what was powered."""

    def told_by_edges(self, motors: Sequence[str]) -> bool:
        """Whether edges say which of these motors moved; else `at_home` has to be sampled."""

    def close(self) -> None:
        """Off, then released."""


def open_lines(
    layout: MotorLayout, factory: PinFactory, loop: asyncio.AbstractEventLoop, edge: HomeEdge
) -> MotorLines:
    """Open all lines of the layout, off. Raises `PinTrouble` with none of them left open."""
    if isinstance(layout, MatrixLayout):
        return MatrixLines(layout, factory, loop, edge)
    return DirectLines(layout, factory, loop, edge)


class DirectLines:
    """One drive line and one home line per motor."""

    def __init__(
        self,
        layout: DirectLayout,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        edge: HomeEdge,
    ) -> None:
        self._drives: dict[str, Output] = {}
        self._homes: dict[str, Input] = {}
        with _closing_on_trouble(self):
            for name, motor in layout.motors.items():
                line = OutputLine(motor.drive, layout.active_high)
                self._drives[name] = Output(factory, line)
            for name, motor in layout.motors.items():
                self._homes[name] = Input(
                    factory,
                    motor.home,
                    loop,
                    lambda active, at, name=name: edge(name, active, at),  # type: ignore[misc]
                    active_low=layout.home_active_low,
                )

    def power(self, motors: Sequence[str]) -> None:
        _switch([(drive, name in motors) for name, drive in self._drives.items()])

    def off(self) -> None:
        _all_off([*self._drives.values()])

    def at_home(self, motor: str) -> bool:
        return self._homes[motor].active()

    def told_by_edges(self, motors: Sequence[str]) -> bool:
        return True

    def close(self) -> None:
        _close([*self._drives.values()], [*self._homes.values()])


class MatrixLines:
    """Row and column lines with one shared home sense line."""

    def __init__(
        self,
        layout: MatrixLayout,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        edge: HomeEdge,
    ) -> None:
        self._places = layout.places()
        self._powered: tuple[str, ...] = ()
        self._rows: dict[str, Output] = {}
        self._columns: list[Output] = []
        self._home: Input | None = None
        with _closing_on_trouble(self):
            for name, pin in layout.rows.items():
                self._rows[name] = Output(factory, OutputLine(pin, layout.active_high))
            for pin in layout.columns:
                self._columns.append(Output(factory, OutputLine(pin, layout.active_high)))
            self._home = Input(
                factory,
                layout.home,
                loop,
                lambda active, at: edge(None, active, at),
                active_low=layout.home_active_low,
            )

    def power(self, motors: Sequence[str]) -> None:
        self._select(motors)
        self._powered = tuple(motors)

    def off(self) -> None:
        self._powered = ()
        _all_off(self._lines())

    def at_home(self, motor: str) -> bool:
        assert self._home is not None
        if self._powered == (motor,):
            return self._home.active()
        try:
            self._select((motor,))
            return self._home.active()
        finally:
            self._select(self._powered)

    def told_by_edges(self, motors: Sequence[str]) -> bool:
        return len(motors) == 1

    def close(self) -> None:
        _close(self._lines(), [self._home] if self._home is not None else [])

    def _lines(self) -> list[Output]:
        return [*self._rows.values(), *self._columns]

    def _select(self, motors: Sequence[str]) -> None:
        rows = {self._places[motor][0] for motor in motors}
        columns = {self._places[motor][1] for motor in motors}
        _switch(
            [
                *((line, name in rows) for name, line in self._rows.items()),
                *((line, index in columns) for index, line in enumerate(self._columns)),
            ]
        )


def _switch(wanted: Sequence[tuple[Output, bool]]) -> None:
    """Break before make, so that no third motor is on in between."""
    for line, on in wanted:
        if line.on and not on:
            line.write(False)
    for line, on in wanted:
        if on and not line.on:
            line.write(True)


def _all_off(outputs: Sequence[Output]) -> None:
    try_each([partial(line.write, False) for line in outputs])


def _close(outputs: Sequence[Output], inputs: Sequence[Input]) -> None:
    try_each([*(line.close for line in outputs), *(line.close for line in inputs)])


@contextmanager
def _closing_on_trouble(lines: MotorLines) -> Iterator[None]:
    try:
        yield
    except PinTrouble:
        lines.close()
        raise
