"""`vendd safe`: what a daemon that died left switched on is off afterwards (L3)."""

import asyncio
from pathlib import Path

import pytest

from hw_sim.cabinet import Cabinet
from hw_sim.header import Header
from hw_sim.pigpiod import PigpioServer
from hw_sim.plan_config import plan_from_config
from tests.config.machines import SNACK, changed, written
from vendd.__main__ import main
from vendd.config import load
from vendd.hardware import safe_lines


def left_on(folder: Path, spoil: tuple[str, str] | None) -> tuple[int, list[int]]:
    """Exit code, and the levels of all lines after every one of them was left on."""

    async def scene() -> tuple[int, list[int]]:
        config = load(written(folder, SNACK))
        cabinet = Cabinet(plan_from_config(config), asyncio.get_running_loop())
        server = PigpioServer(cabinet.header, cabinet.clock, {})
        port = await server.start()
        try:
            pins = [line.pin.number for line in safe_lines(config)]
            for pin in pins:
                cabinet.header.set_output(pin, 1)
            text = changed(SNACK, 'factory = "lgpio"', f'factory = "pigpio"\nport = {port}')
            path = written(folder, changed(text, *spoil) if spoil else text)
            code = await asyncio.to_thread(main, ["safe", "--config", str(path)])
            return code, levels(cabinet.header, pins)
        finally:
            await server.close()

    return asyncio.run(scene())


def levels(header: Header, pins: list[int]) -> list[int]:
    return [header.level(pin) for pin in pins]


@pytest.mark.parametrize(
    "spoil",
    [None, ('cash = "1.50"', "cash = 1.5"), ('rows = ["key_row_1"', 'rows = ["no_such"')],
    ids=["as it was", "price spoiled", "keypad spoiled"],
)
def test_every_motor_line_is_off_afterwards(tmp_path, capsys, spoil):
    code, after = left_on(tmp_path, spoil)
    assert code == 0
    assert after == [0] * 12
    assert "GPIO9 (tray_a): inactive (low)" in capsys.readouterr().err


def test_it_says_so_when_it_can_not_tell_where_the_motors_are(tmp_path, capsys):
    code, after = left_on(tmp_path, ('layout = "matrix"', 'layout = "x"'))
    assert code == 2
    assert after == [1] * 12
    assert "motors.layout" in capsys.readouterr().err


def test_it_says_so_when_the_gpio_chip_can_not_be_reached(tmp_path, capsys):
    text = changed(SNACK, 'factory = "lgpio"', 'factory = "pigpio"\nport = 1')
    assert main(["safe", "--config", str(written(tmp_path, text))]) == 1
    assert "NOT SAFE" in capsys.readouterr().err
