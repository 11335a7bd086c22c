"""The two machines in config/ are complete, and their comments tell the truth."""

import re
from pathlib import Path

import pytest

from vendd.__main__ import main
from vendd.config import load, load_with_warnings
from vendd.config.wiring import HEADER
from vendd.hardware import motor_layout, safe_lines

CONFIG = Path(__file__).parents[2] / "config"
SAMPLES = sorted(CONFIG.glob("*.toml"))
WIRE = re.compile(r"# ([a-z][a-z0-9_]*) +(\d+) +(\d+)  X\d\.\d+ ")


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def sample(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_a_matrix_machine_and_a_small_one():
    assert [path.name for path in SAMPLES] == ["small-6.toml", "snack-4x6.toml"]
    assert sorted(load(path).motors.layout for path in SAMPLES) == ["direct", "matrix"]


def test_vendd_check_accepts_it_without_a_word_of_warning(sample, capsys):
    assert main(["check", "--config", str(sample)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in load(sample).pins:
        assert re.search(rf"^  {name} ", out, re.MULTILINE)


def test_the_wiring_table_says_what_the_pins_section_says(sample):
    table = {name: (int(bcm), int(pin)) for name, bcm, pin in WIRE.findall(sample.read_text())}
    assert table == {name: (bcm, HEADER[bcm]) for name, bcm in load(sample).pins.items()}


def test_motor_lines_stand_on_gpios_that_are_inactive_before_the_daemon_runs(sample):
    assert not load_with_warnings(sample)[1]
    assert all(line.pin.number in range(9, 28) for line in safe_lines(load(sample)))


def test_every_motor_turns_for_exactly_one_slot(sample):
    config = load(sample)
    used = [motor for slot in config.slots().values() for motor in slot.motors]
    assert sorted(used) == sorted(motor_layout(config).names())


def test_prices_can_be_paid_in_five_cent_steps(sample):
    prices = [price for slot in load(sample).slots().values() for price in slot.prices.values()]
    assert prices
    assert all(price % 5 == 0 for price in prices)


def test_safe_lines_are_all_motor_lines_the_heartbeat_and_the_buzzer():
    config = load(CONFIG / "snack-4x6.toml")
    named = [line.pin.name for line in safe_lines(config)]
    rows = [f"tray_{row}" for row in "abcd"]
    columns = [f"col_{number}" for number in range(1, 7)]
    assert named == ["motor_heartbeat", *rows, *columns, "buzzer"]
