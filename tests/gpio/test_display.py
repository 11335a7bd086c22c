"""The display port, against a model of controller and backpack; real thread, no waiting."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from gpio_bench import Reports

from hw_sim.clock import WorldClock
from hw_sim.header import Header
from hw_sim.lcd import Lcd
from hw_sim.pigpiod import PigpioServer
from vendd.core.sale.reports import FaultEnded, FaultStarted, Report
from vendd.drivers import lcd as lcd_module
from vendd.drivers.display import DisplaySetup, LcdDisplay
from vendd.drivers.glass import EURO_GLYPH, fit
from vendd.drivers.lcd import ByteBus, PackageMissing, Panel, kernel_bus, pigpiod_bus

ADDRESS = 0x27
GLYPHS = {bytes(EURO_GLYPH): "€"}


class ModelBus:
    """The model as smbus2 would reach it."""

    def __init__(self, lcd: Lcd) -> None:
        self.lcd = lcd
        self.closed = False

    def write_byte(self, address: int, value: int) -> None:
        assert address == ADDRESS
        self.lcd.write(bytes([value]))

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model needs no settling times."""
    monkeypatch.setattr("RPLCD.common.time.sleep", lambda seconds: None)


# --- the panel ------------------------------------------------------------------


@pytest.mark.parametrize(("columns", "rows"), [(16, 2), (20, 4)])
def test_what_is_shown_stands_on_the_glass(columns: int, rows: int) -> None:
    lcd = Lcd(columns, rows, glyphs=GLYPHS)
    panel = Panel(ModelBus(lcd), ADDRESS, columns, rows)
    lines = tuple(f"row {n} costs 1.5{n} €" for n in range(rows))
    panel.show(fit(lines, columns, rows))
    assert lcd.text() == tuple(line[:columns].ljust(columns) for line in lines)
    panel.show(fit(("short",), columns, rows))
    assert lcd.text() == ("short".ljust(columns), *[" " * columns] * (rows - 1))


@pytest.mark.parametrize(
    ("before", "after", "runs", "cells"),
    [
        ("CREDIT      0.50", "CREDIT      0.50", 0, 0),
        ("CREDIT      0.50", "CREDIT      1.00", 2, 2),
        ("CREDIT      0.50", "CREDIT      0.75", 1, 2),
        ("SELECTION A_", "SELECTION A3", 1, 1),
    ],
)
def test_only_changed_cells_are_written(before: str, after: str, runs: int, cells: int) -> None:
    lcd = Lcd()
    panel = Panel(ModelBus(lcd), ADDRESS, 16, 2)
    panel.show(fit((before, "same"), 16, 2))
    written = lcd.writes
    panel.show(fit((after, "same"), 16, 2))
    assert lcd.text()[0].rstrip() == after
    assert lcd.writes - written == 8 * (runs + cells)


def test_opening_again_recovers_a_display_that_lost_power() -> None:
    lcd = Lcd()
    panel = Panel(ModelBus(lcd), ADDRESS, 16, 2)
    panel.show(fit(("one", "two"), 16, 2))
    lcd.cut_power()
    again = Panel(ModelBus(lcd), ADDRESS, 16, 2)
    again.show(fit(("one", "two"), 16, 2))
    assert [row.rstrip() for row in lcd.text()] == ["one", "two"]


@pytest.mark.parametrize("torn_after", [1, 2, 3, 4, 5, 6, 7])
def test_opening_again_recovers_from_half_a_nibble(torn_after: int) -> None:
    lcd = Lcd()
    bus = ModelBus(lcd)
    Panel(bus, ADDRESS, 16, 2)
    for value in (0x41, 0x45, 0x41, 0x11, 0x15, 0x11, 0x15, 0x11)[:torn_after]:
        bus.write_byte(ADDRESS, value)
    panel = Panel(bus, ADDRESS, 16, 2)
    panel.show(fit(("one", "two"), 16, 2))
    assert [row.rstrip() for row in lcd.text()] == ["one", "two"]


# --- the port and its thread ------------------------------------------------------


class Awaited(Reports):
    """A sink that can be waited on, without polling."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._came = asyncio.Event()

    def put(self, report: Report) -> None:
        super().put(report)
        self._came.set()

    async def until(self, count: int) -> list[Report]:
        async with asyncio.timeout(10):
            while len(self.all) < count:
                self._came.clear()
                await self._came.wait()
        return self.all


def run(story: Callable[..., Coroutine[Any, Any, None]], setup: DisplaySetup) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        lcd = Lcd(setup.columns, setup.rows, glyphs=GLYPHS)
        buses: list[ModelBus] = []

        def open_bus() -> ByteBus:
            buses.append(ModelBus(lcd))
            return buses[-1]

        sink = Awaited(loop)
        display = LcdDisplay(setup, open_bus, loop, sink)
        display.start()
        try:
            await story(display, lcd, sink)
        finally:
            await display.close()
        assert all(bus.closed for bus in buses)

    asyncio.run(main())


def test_the_newest_frame_is_on_the_glass_at_the_end() -> None:
    async def story(display: LcdDisplay, lcd: Lcd, sink: Awaited) -> None:
        for n in range(200):
            display.show((f"frame {n}", "x" * 40))
        await display.close()
        assert lcd.text() == ("frame 199       ", "x" * 16)
        assert sink.all == []

    run(story, DisplaySetup())


def test_a_dead_display_is_said_once_and_redrawn_when_it_is_back() -> None:
    async def story(display: LcdDisplay, lcd: Lcd, sink: Awaited) -> None:
        lcd.plugged = False
        display.show(("lost",))
        (fault,) = await sink.until(1)
        assert isinstance(fault, FaultStarted)
        assert (fault.code, fault.device, fault.detail) == ("display", "display", "no acknowledge")
        for n in range(50):
            display.show((f"unseen {n}",))
            display.blink()
        display.show(("back", "again"))
        lcd.cut_power()
        lcd.plugged = True
        assert (await sink.until(2))[1:] == [FaultEnded("display", "display")]
        await display.close()
        assert [row.rstrip() for row in lcd.text()] == ["back", "again"]
        assert lcd.backlight

    run(story, DisplaySetup(retry_ms=20))


def test_frames_for_a_dead_display_wait_for_the_clock() -> None:
    async def story(display: LcdDisplay, lcd: Lcd, sink: Awaited) -> None:
        lcd.plugged = False
        display.show(("lost",))
        await sink.until(1)
        display.show(("later",))
        display.blink()
        assert not display._rung

    run(story, DisplaySetup())


def test_a_quiet_display_that_dies_is_noticed() -> None:
    async def story(display: LcdDisplay, lcd: Lcd, sink: Awaited) -> None:
        lcd.plugged = False
        assert isinstance((await sink.until(1))[0], FaultStarted)

    run(story, DisplaySetup(probe_ms=10))


def test_a_blink_goes_dark_and_comes_back() -> None:
    async def story(display: LcdDisplay, lcd: Lcd, sink: Awaited) -> None:
        lights: list[bool] = []
        dark = asyncio.Event()
        bright = asyncio.Event()
        loop = asyncio.get_running_loop()
        write = lcd.write

        def watched(data: bytes) -> None:
            write(data)
            if not lights or lights[-1] != lcd.backlight:
                lights.append(lcd.backlight)
                told = bright if lcd.backlight else dark
                loop.call_soon_threadsafe(told.set)

        lcd.write = watched  # type: ignore[method-assign]
        display.blink()
        async with asyncio.timeout(10):
            await dark.wait()
            bright.clear()
            await bright.wait()
        display.show(("text",))
        await display.close()
        assert lights[-2:] == [False, True]

    run(story, DisplaySetup())


def test_close_before_start() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await LcdDisplay(DisplaySetup(), lambda: ModelBus(Lcd()), loop, Reports(loop)).close()

    asyncio.run(main())


# --- buses ---------------------------------------------------------------------------


async def says(lcd: Lcd, text: str) -> None:
    """Wait until the first row reads so. The server writes on this loop."""
    written = asyncio.Event()
    write = lcd.write

    def watched(data: bytes) -> None:
        write(data)
        written.set()

    lcd.write = watched  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        while lcd.text()[0].rstrip() != text:
            written.clear()
            await written.wait()
    lcd.write = write  # type: ignore[method-assign]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_through_a_pigpio_daemon_that_goes_and_comes() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = WorldClock(loop)
        lcd = Lcd(glyphs=GLYPHS)
        server = PigpioServer(Header(clock), clock, {ADDRESS: lcd})
        port = await server.start()
        sink = Awaited(loop)
        setup = DisplaySetup(retry_ms=20)
        display = LcdDisplay(setup, pigpiod_bus("127.0.0.1", port), loop, sink)
        display.start()
        display.show(("1.50 €",))
        await says(lcd, "1.50 €")
        await server.close()
        display.show(("nobody hears",))
        (fault,) = await sink.until(1)
        assert isinstance(fault, FaultStarted)
        assert f"127.0.0.1:{port}" in fault.detail
        again = PigpioServer(Header(clock), clock, {ADDRESS: lcd})
        await again.start(port=port)
        display.show(("back",))
        assert (await sink.until(2))[1:] == [FaultEnded("display", "display")]
        await says(lcd, "back")
        await display.close()
        await again.close()

    asyncio.run(main())


def test_a_display_that_is_not_on_the_daemons_bus() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = WorldClock(loop)
        server = PigpioServer(Header(clock), clock, {})
        port = await server.start()
        sink = Awaited(loop)
        display = LcdDisplay(DisplaySetup(), pigpiod_bus("127.0.0.1", port), loop, sink)
        display.start()
        (fault,) = await sink.until(1)
        assert isinstance(fault, FaultStarted)
        assert "0x27" in fault.detail
        await display.close()
        await server.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("opener", "package", "extra"),
    [(kernel_bus, "smbus2", "pi"), (lambda: pigpiod_bus("x", 1), "pigpio", "sim")],
)
def test_a_missing_package_is_named_with_its_extra(
    opener: Callable[[], object], package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> object:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(lcd_module.importlib, "import_module", gone)
    with pytest.raises(PackageMissing, match=rf"{package}.*vendd\[{extra}\]"):
        opener()


def test_a_kernel_bus_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="i2c"):
        kernel_bus(250)()
