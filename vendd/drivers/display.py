"""The customer's display: the port, its thread and what happens when it dies.

The bus is slow (a full redraw takes 80 ms), so a thread does the writing. It takes the newest
frame; frames that came and went meanwhile are skipped. All waiting is done on the loop.
"""

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.drivers.glass import fit
from vendd.drivers.lcd import BusOpener, Panel
from vendd.ports import Sink


@dataclass(frozen=True, slots=True)
class DisplaySetup:
    """16 or 20 columns, 2 or 4 rows. Milliseconds."""

    columns: int = 16
    rows: int = 2
    address: int = 0x27
    retry_ms: int = 5_000  # a dead display is opened anew this often
    probe_ms: int = 5_000  # a quiet one is asked this often whether it is there
    blink_ms: int = 80
    close_ms: int = 1_000  # patience with a bus that hangs at the end


@dataclass(frozen=True, slots=True)
class _Wanted:
    cells: tuple[bytes, ...]
    light: bool = True


class LcdDisplay:
    """Implements `ports.Display`. Reports ``display``/``display`` faults, and nothing else."""

    def __init__(
        self,
        setup: DisplaySetup,
        open_bus: BusOpener,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self.columns = setup.columns
        self.rows = setup.rows
        self._setup = setup
        self._open_bus = open_bus
        self._loop = loop
        self._sink = sink
        self._context = copy_context()
        self._faulty = False
        self._next: asyncio.TimerHandle | None = None
        self._blink_over: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._wanted = _Wanted(fit((), setup.columns, setup.rows))  # replaced, never changed
        self._bell = threading.Condition()  # guards the two below
        self._rung = False
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="display", daemon=True)

    # --- on the loop ----------------------------------------------------------

    def start(self) -> None:
        """Open the display; what was shown before appears when it is there."""
        self._thread.start()
        self._ring()

    def show(self, lines: tuple[str, ...]) -> None:
        self._want(_Wanted(fit(lines, self.columns, self.rows), self._wanted.light))

    def blink(self) -> None:
        if self._blink_over is not None:
            self._blink_over.cancel()
        self._set_light(False)
        self._blink_over = self._loop.call_later(self._setup.blink_ms / 1000, self._set_light, True)

    async def close(self) -> None:
        """Write what is still wanted, then stop; the text stays on the glass."""
        for timer in (self._next, self._blink_over):
            if timer is not None:
                timer.cancel()
        if self._thread.ident is None:
            return
        self._wanted = _Wanted(self._wanted.cells)
        with self._bell:
            self._stopping = self._rung = True
            self._bell.notify()
        try:
            async with asyncio.timeout(self._setup.close_ms / 1000):
                await asyncio.shield(self._ended)
        except TimeoutError:
            return  # the bus hangs; the thread is a daemon and dies with the process

    def _set_light(self, on: bool) -> None:
        self._want(_Wanted(self._wanted.cells, on))

    def _want(self, wanted: _Wanted) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if not self._faulty:  # a dead display is tried again by the clock, not by every frame
            self._ring()

    def _ring(self) -> None:
        with self._bell:
            self._rung = True
            self._bell.notify()

    def _worked(self) -> None:
        if self._faulty:
            self._faulty = False
            self._sink.put(FaultEnded("display", "display"))
        self._ring_after(self._setup.probe_ms)

    def _failed(self, why: str) -> None:
        if not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted("display", "display", why))
        self._ring_after(self._setup.retry_ms)

    def _ring_after(self, ms: int) -> None:
        if self._next is not None:
            self._next.cancel()
        if not self._stopping:
            self._next = self._loop.call_later(ms / 1000, self._ring)

    # --- in the thread ----------------------------------------------------------

    def _work(self) -> None:
        panel: Panel | None = None
        stopping = False
        while not stopping:
            with self._bell:
                self._bell.wait_for(lambda: self._rung)
                self._rung = False
                wanted, stopping = self._wanted, self._stopping
            try:
                panel = self._bring(panel, wanted)
            except OSError as error:
                panel = None
                self._cross(error)
            else:
                self._cross(None)
        if panel is not None:
            panel.close()
        self._tell(self._end)

    def _bring(self, panel: Panel | None, wanted: _Wanted) -> Panel:
        """Bring the display to what is wanted, opening it first if there is none."""
        bus = None if panel is not None else self._open_bus()
        try:
            if bus is not None:
                panel = Panel(bus, self._setup.address, self.columns, self.rows)
            assert panel is not None
            panel.show(wanted.cells)
            panel.light(wanted.light)
        except OSError:
            if panel is not None:
                panel.close()
            elif bus is not None:
                bus.close()
            raise
        return panel

    def _cross(self, error: OSError | None) -> None:
        if error is None:
            self._tell(self._worked)
        else:
            self._tell(self._failed, str(error) or type(error).__name__)

    def _tell(self, what: Callable[..., None], *args: str) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args, context=self._context)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
