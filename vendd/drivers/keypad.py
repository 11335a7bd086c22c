"""The keypad: a matrix of keys, columns driven, rows sensed.

Idle, all columns are driven and nothing runs; an edge on any row starts scanning, which goes
on while a key is down. The wiring must bear two keys of a row pressed together (a resistor
or a diode in each column line), as columns are pushed and pulled.

Is NOT responsible for what keys mean, nor for the beep.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vendd.core.sale.reports import FaultEnded, FaultStarted, KeyPressed
from vendd.drivers.pins import (
    Input,
    Output,
    OutputLine,
    Pin,
    PinFactory,
    PinTrouble,
    try_each,
)
from vendd.ports import Sink

_STUCK_SCAN_S = 0.25
_RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class KeypadSetup:
    """`keys[row][column]` are the legends, ``""`` where there is no key; `clear` is the legend
    of the clear key. `active_high`: driven columns are high and rows pulled down; else the
    other way round. Milliseconds."""

    rows: tuple[Pin, ...]
    columns: tuple[Pin, ...]
    keys: tuple[tuple[str, ...], ...]
    clear: str = "clear"
    active_high: bool = True
    settle_ms: int = 15  # between two scans that must agree
    column_ms: int = 1  # from driving a column to reading the rows
    stuck_ms: int = 30_000

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.keys}
        if len(self.keys) != len(self.rows) or widths != {len(self.columns)}:
            raise ValueError(
                f"keypad: {len(self.rows)} rows and {len(self.columns)} columns of pins don't "
                f"fit keys of {len(self.keys)} rows with {sorted(widths)} columns"
            )


class Keypad:
    """Reports `KeyPressed` once per press: a key counts when two scans agree that it is down,
    alone, after all keys were up. No repeat while it is held.

    Two or more keys at once (and the ghosts that three of them make) report nothing, and
    nothing more is reported until all are up: fingers that hit two keys buy nothing by
    mistake. A key held at the start is not reported. Down for `stuck_ms`: fault
    ``key_stuck``/``keypad`` until all are up.
    """

    def __init__(
        self,
        setup: KeypadSetup,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self._setup = setup
        self._loop = loop
        self._sink = sink
        self._columns: list[Output] = []
        self._rows: list[Input] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle = False
        self._armed = False  # all keys were up since the last report
        self._found: set[str] = set()
        self._last: frozenset[str] | None = None
        self._down_since: float | None = None
        self._stuck = False
        self._faulty = False
        try:
            for pin in setup.columns:
                self._columns.append(Output(factory, OutputLine(pin, setup.active_high)))
            for pin in setup.rows:
                row = Input(factory, pin, loop, self._edge, active_low=not setup.active_high)
                self._rows.append(row)
        except PinTrouble:
            self.close()
            raise

    def start(self) -> None:
        """Look once at what is down now, then wait for keys."""
        self._scan()

    def close(self) -> None:
        """Release all lines; raises `PinTrouble` when that was tried with every one."""
        self._idle = False
        self._cancel()
        try_each([*(row.close for row in self._rows), *(line.close for line in self._columns)])

    # --- scanning -------------------------------------------------------------

    def _edge(self, active: bool, _at: float) -> None:
        if active and self._idle:
            self._cancel()
            self._scan()

    def _scan(self) -> None:
        self._idle = False
        self._found = set()
        self._select_then_read(0)

    def _select_then_read(self, column: int) -> None:
        try:
            self._drive([column])
        except PinTrouble as error:
            self._fault(error)
        else:
            self._after(self._setup.column_ms / 1000, self._read_rows, column)

    def _read_rows(self, column: int) -> None:
        try:
            down = [index for index, row in enumerate(self._rows) if row.active()]
        except PinTrouble as error:
            self._fault(error)
            return
        self._found.update(self._legends(down, column))
        if column + 1 < len(self._columns):
            self._select_then_read(column + 1)
        else:
            self._scanned(frozenset(self._found))

    def _legends(self, rows: Iterable[int], column: int) -> Iterable[str]:
        return (legend for row in rows if (legend := self._setup.keys[row][column]))

    def _scanned(self, found: frozenset[str]) -> None:
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded("gpio", "keypad"))
        agreed = found == self._last
        self._last = found
        if agreed and not found:
            self._all_up()
            self._rest()
            return
        if agreed:
            self._are_down(found)
        self._after(_STUCK_SCAN_S if self._stuck else self._setup.settle_ms / 1000, self._scan)

    def _rest(self) -> None:
        """Drive all columns, so that any key makes an edge; a key that went down meanwhile
        made none, so look once."""
        self._idle = True
        try:
            self._drive(range(len(self._columns)))
        except PinTrouble as error:
            self._fault(error)
        else:
            self._after(self._setup.column_ms / 1000, self._look_once)

    def _look_once(self) -> None:
        try:
            if any(row.active() for row in self._rows):
                self._scan()
        except PinTrouble as error:
            self._fault(error)

    def _drive(self, columns: Iterable[int]) -> None:
        wanted = set(columns)
        for index, line in enumerate(self._columns):
            if line.on and index not in wanted:
                line.write(False)
        for index, line in enumerate(self._columns):
            if not line.on and index in wanted:
                line.write(True)

    # --- meaning ----------------------------------------------------------------

    def _are_down(self, keys: frozenset[str]) -> None:
        now = self._loop.time()
        if self._down_since is None:
            self._down_since = now
        if self._armed and len(keys) == 1:
            (legend,) = keys
            self._sink.put(KeyPressed("clear" if legend == self._setup.clear else legend))
        self._armed = False
        if not self._stuck and now - self._down_since >= self._setup.stuck_ms / 1000:
            self._stuck = True
            self._sink.put(FaultStarted("key_stuck", "keypad", " ".join(sorted(keys))))

    def _all_up(self) -> None:
        self._armed = True
        self._down_since = None
        if self._stuck:
            self._stuck = False
            self._sink.put(FaultEnded("key_stuck", "keypad"))

    # --- time and trouble ---------------------------------------------------------

    def _after(self, seconds: float, do: Callable[..., None], *args: int) -> None:
        self._timer = self._loop.call_later(seconds, do, *args)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _fault(self, error: PinTrouble) -> None:
        """A keypad whose lines can't be used: said once, tried again every few seconds."""
        self._idle = False
        if not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted("gpio", "keypad", str(error)))
        self._after(_RETRY_S, self._scan)
