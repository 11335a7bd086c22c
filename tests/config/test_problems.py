"""Wrong configurations: which key is named, and what to do about it."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.__main__ import main
from vendd.config import Config, ConfigError, Problem, load, load_with_warnings, salvage
from vendd.config.sections import Sale
from vendd.core.policy import ForceVend, Policy

SNACK = (Path(__file__).parents[2] / "config" / "snack-4x6.toml").read_text()
SMALL = (Path(__file__).parents[2] / "config" / "small-6.toml").read_text()


def written(folder: Path, text: str) -> Path:
    path = folder / "vendd.toml"
    path.write_text(text)
    return path


def changed(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


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


# --- drop-ins ------------------------------------------------------------------------


def drop_in(path: Path, name: str, text: str) -> Path:
    folder = path.with_name(f"{path.name}.d")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_drop_ins_override_keys_and_slots_in_name_order(tmp_path):
    path = written(tmp_path, SNACK)
    drop_in(path, "20.toml", '[machine]\nid = "snack-0020"\n')
    drop_in(
        path, "10.toml", '[machine]\nid = "snack-0010"\n[[slot]]\nselection = "A2"\nlevel = 1\n'
    )
    config = load(path)
    assert config.machine.id == "snack-0020"
    assert config.machine.currency == "EUR"
    assert config.first_levels()["A2"] == 1
    assert config.slots()["A2"].price() == 150
    assert len(config.slot) == 23


def test_an_error_in_a_drop_in_names_that_file(tmp_path):
    path = written(tmp_path, SNACK)
    file = drop_in(path, "prices.toml", '[[slot]]\nselection = "B2"\nprice.cash = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [problem.file for problem in caught.value.problems] == [str(file)]
    assert caught.value.problems[0].key == "slot[B2].price.cash"


def test_a_drop_in_adds_a_product(tmp_path):
    path = written(tmp_path, SNACK)
    drop_in(path, "new.toml", '[[product]]\nid = "mints"\nname = "Mints"\n')
    assert "mints" in load(path).products()


# --- warnings --------------------------------------------------------------------------


def warnings(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    return [str(warning).removeprefix(f"{path}: ") for warning in load_with_warnings(path)[1]]


def test_a_motor_line_that_is_active_at_power_on_is_warned_about(tmp_path):
    text = changed(changed(SMALL, "motor_1 = 9", "motor_1 = 4"), "key_row_1 = 4", "key_row_1 = 9")
    (warning,) = warnings(tmp_path, text)
    assert warning.startswith("warning: motors.lines.m1.drive")
    assert "GPIO4, pulled up until the daemon runs" in warning


def test_unused_and_reserved_pins_are_warned_about(tmp_path):
    found = warnings(tmp_path, changed(SMALL, "[pins]", "[pins]\nspare = 1"))
    assert [w.split(";")[0] for w in found] == [
        "warning: pins.spare = 1: is reserved",
        "warning: pins.spare = 1: is used by no section",
    ]


# --- what comes out --------------------------------------------------------------------


def test_sale_has_exactly_the_policys_fields_and_defaults():
    derived = {"currency", "exponent", "drop_sensor"}
    assert set(Sale.model_fields) == {f.name for f in dataclasses.fields(Policy)} - derived


def test_an_empty_sale_section_is_the_default_policy(tmp_path):
    text = SMALL[: SMALL.index("[sale]")] + SMALL[SMALL.index("# --- what is sold") :]
    assert load(written(tmp_path, text)).policy() == Policy()


def test_policy_takes_the_sections_values(tmp_path):
    text = changed(
        SMALL, "multi_vend = true", 'max_credit = "5.00"\nforce_vend = "bills"\nmulti_vend = true'
    )
    text = changed(text, "[drop_sensor]", "[drop_sensor]\nenabled = false")
    policy = load(written(tmp_path, text)).policy()
    assert policy.max_credit == 500
    assert policy.force_vend is ForceVend.BILLS
    assert policy.multi_vend
    assert not policy.drop_sensor


def test_a_free_slot_needs_no_price(tmp_path):
    text = changed(SMALL, 'price = { cash = "1.00" }', "free = true")
    slot = load(written(tmp_path, text)).slots()["11"]
    assert slot.free
    assert slot.price() == 0


def test_the_hash_changes_with_values_and_not_with_comments(tmp_path):
    first = load(written(tmp_path, SMALL)).hash()
    assert re.fullmatch(r"[0-9a-f]{12}", first)
    assert load(written(tmp_path, SMALL + "\n# another comment\n")).hash() == first
    assert load(written(tmp_path, changed(SMALL, '"1.40"', '"1.45"'))).hash() != first


def test_a_broken_configuration_still_names_the_motor_lines(tmp_path):
    broken = changed(changed(SMALL, "[mdb]", "[mbd]"), 'cash = "1.00"', "cash = 1")
    config = salvage(written(tmp_path, broken))
    assert config is not None
    assert config.pin("motor_1") == 9
    assert salvage(written(tmp_path, "][")) is None


# --- anything at all (L2) --------------------------------------------------------------

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["rows", "keys", "pin", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_toml(value: Any) -> str:
    match value:
        case None:
            return "{}"
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(c):08X}" for c in value) + '"'
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + "}"
        case float() if value in (float("inf"), float("-inf")):
            return str(value)
        case _:
            return repr(value)


@given(data=st.data())
def test_no_value_in_any_place_crashes_the_loader(tmp_path_factory, data):
    tree = tomllib.loads(SNACK)
    name = data.draw(st.sampled_from(sorted(tree)))
    section = tree[name]
    if isinstance(section, list):
        section = section[data.draw(st.integers(0, len(section) - 1))]
    if data.draw(st.booleans()):
        section[data.draw(st.sampled_from(sorted(section)))] = data.draw(VALUES)
    else:
        tree[name] = data.draw(VALUES)
    text = "".join(f"{key} = {as_toml(value)}\n" for key, value in tree.items())
    path = written(tmp_path_factory.mktemp("any"), text)
    config, found = outcome(path)
    if config is None:
        assert found
        assert all(p.what and p.remedy and p.file == str(path) for p in found)
    else:
        config.policy()
        assert len(config.slots()) == len(config.slot)


def outcome(path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        return load(path), ()
    except ConfigError as error:
        return None, error.problems
