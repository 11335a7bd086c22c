"""Wrong configurations: which key is named, and what to do about it."""

import re
from pathlib import Path

import pytest

from tests.config.machines import SMALL, SNACK, changed, written
from vendd.__main__ import main
from vendd.config import ConfigError, load


def problems(folder: Path, text: str) -> list[str]:
    """What `load` complains of, without the file name."""
    path = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem).removeprefix(f"{path}: ") for problem in caught.value.problems]


# (text to replace in the snack machine, replacement, the problem in full)
ROWS = [
    (
        'language = "en"',
        'langauge = "en"',
        'machine.langauge = "en": is an unknown key; did you mean "language"?',
    ),
    (
        "[door]",
        "[dor]",
        'dor: is an unknown key; did you mean "door"?',
    ),
    (
        'currency = "EUR"',
        'currency = "EUR"\npassword = "hunter2"',
        "machine.password = (not shown): is an unknown key; secrets never stand in a "
        "configuration: hand them over as a systemd credential",
    ),
    (
        'id = "snack-0001"',
        'id = "Snäck 1"',
        r'machine.id = "Sn\xe4ck 1": has not the right form; write lower-case letters, '
        "digits and '-' in ASCII, as in \"demo-0001\"",
    ),
    (
        'currency = "EUR"',
        'currency = "EUX"',
        'machine.currency = "EUX": is no currency; write the ISO 4217 code of a currency '
        'in use, as in "EUR"',
    ),
    (
        "[store]",
        "[store]\nkeep_dyas = 3",
        'store.keep_dyas = 3: is an unknown key; did you mean "keep_days"?',
    ),
    (
        "keep_days = 90",
        'keep_days = "90"',
        'store.keep_days = "90": is not a whole number; write digits without quotes or a point',
    ),
    (
        "enabled = true",
        'enabled = "yes"',
        'kafka.enabled = "yes": is not a switch; write true or false, without quotes',
    ),
    (
        '"kafka.example:9092"',
        '"kafka.example"',
        'kafka.bootstrap = "kafka.example": has not the right form; write host:port, '
        'several with commas, as in "kafka.example:9092"',
    ),
    (
        'factory = "lgpio"',
        'factory = "lgipo"',
        'gpio.factory = "lgipo": is none of the choices; write "lgpio", "rpigpio" or '
        '"pigpio", did you mean "lgpio"?',
    ),
    ("tray_a = 9", "tray_a = 28", "pins.tray_a = 28: is out of range; write at most 27"),
    (
        "tray_a = 9",
        "tray_a = 10",
        "pins.tray_b = 10: is the GPIO of tray_a too; give each name its own GPIO",
    ),
    (
        "tray_a = 9",
        "tray_a = 2",
        "pins.tray_a = 2: is taken by the display; use another GPIO; 2 and 3 are the "
        "display's I2C bus",
    ),
    (
        'A = "tray_a"',
        'A = "trya_a"',
        'motors.rows.A = "trya_a": names a pin that [pins] does not have; did you mean "tray_a"?',
    ),
    (
        'pin = "drop"',
        'pin = "door"',
        'door.pin = "door": is used already by drop_sensor.pin; give each use its own pin',
    ),
    (
        'layout = "matrix"',
        'layout = "grid"',
        'motors.layout = "grid": is none of the choices; write layout = "matrix" or '
        'layout = "direct"',
    ),
    (
        "leave_home_ms = 800",
        "leave_home_ms = 6000",
        "motors.leave_home_ms = 6000: is not shorter than home_ms = 6000; a cam leaves its "
        "notch early in the turn",
    ),
    (
        "home_ms = 6000",
        "home_ms = 20000",
        "motors.home_ms = 20000: is out of range; write at most 15000",
    ),
    (
        'heartbeat = "motor_heartbeat"',
        "",
        "motors.heartbeat: is missing; add it; config/ holds two complete samples",
    ),
    (
        '    ["*", "0", "#", "D"],\n',
        "",
        "keypad.keys = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '...: has 3 rows "
        "of [4] legends; write 4 rows of 4, as rows and columns say",
    ),
    ('clear = "*"', 'clear = "X"', 'keypad.clear = "X": is on no key; name one of the legends'),
    (
        '["7", "8", "9", "C"]',
        '["7", "8", "8", "C"]',
        "has the legend '8' 2 times; give each key its own legend",
    ),
    (
        'bus = "kernel"',
        'bus = "pigpiod"',
        'display.bus = "pigpiod": needs the pigpio daemon of [gpio]; write bus = "kernel"',
    ),
    ("poll_ms = 100", "poll_ms = 500", "mdb.poll_ms = 500: is out of range; write at most 200"),
    (
        "extra_turns = 1",
        "extra_turns = 1.0",
        "sale.extra_turns = 1.0: is not a whole number",
    ),
    (
        "drop_window_ms = 3000",
        "drop_window_ms = 0",
        "sale.drop_window_ms = 0: is out of range; write at least 1",
    ),
    (
        "extra_turns = 1",
        'overpay_up_to = "0,20"\nextra_turns = 1',
        'sale.overpay_up_to = "0,20": is not an amount; write for example "1.50"',
    ),
    (
        'support_line = "0800 555 0100"',
        'support_line = "PLEASE CALL 0800 555"',
        'sale.support_line = "PLEASE CALL 0800 555": has 20 characters; write at most 16',
    ),
    (
        'cash = "1.50"',
        "cash = 1.50",
        "slot[A1].price.cash = 1.5: is not text; write it in quotes",
    ),
    (
        'cash = "1.50"',
        'cash = "1.5"',
        'slot[A1].price.cash = "1.5": has 1 decimals, EUR has 2; write for example "1.50"',
    ),
    (
        'cash = "1.50", card = "1.60"',
        'cash = "0.00"',
        'slot[A1].price.cash = "0.00": 0 is not a price; set a price above 0, or mark the slot',
    ),
    (
        'price = { cash = "1.50", card = "1.60" }',
        "",
        "slot[A1].price: there is no cash price; set one",
    ),
    ('selection = "A2"', 'selection = "A1"', "slot[A1].selection = \"A1\": 'A1' is also that of"),
    ('selection = "A2"', 'selection = "E2"', "needs the key 'E', which keypad.keys has not"),
    ('selection = "A1"', 'selection = "A11"', "has 3 characters; every selection has"),
    ("item_no = 12", "item_no = 11", "slot[A2].item_no = 11: 11 is also that of slot 1 (A1)"),
    (
        'product = "peanuts"',
        'product = "peanut"',
        'slot[A3].product = "peanut": is no product; did you mean "peanuts"?',
    ),
    ('motors = ["A2"]', 'motors = ["A7"]', "slot[A2].motors = ['A7']: 'A7' is not a motor"),
    ('motors = ["A2"]', 'motors = ["A1"]', "slot[A2].motors = ['A1']: 'A1' also turns slot 1"),
    ('["D5", "D6"]', '["D5", "C6"]', "slot[D5].motors = ['D5', 'C6']: can't turn together"),
    ("level = 10", "level = 11", "slot[A1].level = 11: is larger than capacity = 10"),
    ("threshold = 3", "threshold = 11", "slot[A1].threshold = 11: 11 is out of range"),
    ("par = 10", "par = 11", "slot[A1].par = 11: 11 is out of range"),
    ('id = "cola"', 'id = "water"', "give each [[product]] its own id"),
]


@pytest.mark.parametrize(("old", "new", "expected"), ROWS, ids=[row[1].strip() for row in ROWS])
def test_each_error_names_key_value_and_remedy(tmp_path, old, new, expected):
    found = problems(tmp_path, changed(SNACK, old, new))
    assert any(expected in problem for problem in found), found


def test_all_errors_come_at_once_across_sections_and_entries(tmp_path):
    text = SNACK
    for old, new in (
        ('language = "en"', 'language = "xx"'),
        ("tray_a = 9", "tray_a = 99"),
        ("poll_ms = 100", "poll_ms = 1"),
        ('cash = "1.20"', 'cash = "1,20"'),
        ("item_no = 45", "item_no = 0"),
        ('selection = "B1"', 'selection = "b1"'),
    ):
        text = changed(text, old, new)
    found = problems(tmp_path, text)
    keys = [problem.split(" = ")[0] for problem in found]
    assert keys == [
        "machine.language",
        "pins.tray_a",
        "mdb.poll_ms",
        "slot[b1].selection",
        "slot[D5].item_no",
        "slot[A3].price.cash",
    ]


def test_the_command_prints_them_all_and_ends_with_2(tmp_path, capsys):
    path = written(
        tmp_path, changed(changed(SMALL, "motor_1 = 9", "motor_1 = 40"), "[mdb]", "[mbd]")
    )
    assert main(["check", "--config", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[-1] == f"{len(lines) - 1} problems; nothing was started"
    assert all(line.startswith(f"{path}: ") for line in lines[:-1])
    assert any("pins.motor_1 = 40" in line for line in lines)
    assert any(': mbd: is an unknown key; did you mean "mdb"?' in line for line in lines)


def test_the_daemon_starts_nothing_on_errors(tmp_path, capsys):
    assert main(["--config", str(written(tmp_path, "[machine]\n"))]) == 2
    assert "nothing was started" in capsys.readouterr().err


def test_syntax_errors_name_the_line(tmp_path):
    found = problems(tmp_path, "[machine]\nid = demo\n")
    assert len(found) == 1
    assert "is not TOML" in found[0]
    assert "line 2" in found[0]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\xfe", "is not UTF-8 (line 1)"),
        (b"a = 1\n" * 200_000, "is larger than 1 MiB"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
    ],
    ids=["not utf-8", "too large", "too deep"],
)
def test_files_that_are_no_configuration_are_refused(tmp_path, content, what):
    path = tmp_path / "vendd.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(what)):
        load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: does not exist"):
        load(tmp_path / "nowhere.toml")


def test_a_missing_section_is_named(tmp_path):
    text = SMALL[: SMALL.index("[keypad]")] + SMALL[SMALL.index("[display]") :]
    assert "keypad: is missing; add it; config/ holds two complete samples" in problems(
        tmp_path, text
    )
