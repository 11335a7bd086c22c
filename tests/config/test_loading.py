"""What comes out of a configuration: drop-ins, warnings, the core's own values."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.machines import SMALL, SNACK, changed, written
from vendd.config import Config, ConfigError, Problem, load, load_with_warnings, salvage
from vendd.config.sections import Sale
from vendd.core.policy import ForceVend, Policy

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
    derived = {"currency", "exponent", "drop_sensor", "door_switch"}
    assert set(Sale.model_fields) == {f.name for f in dataclasses.fields(Policy)} - derived


def test_an_empty_sale_section_is_the_default_policy(tmp_path):
    text = SMALL[: SMALL.index("[sale]")] + SMALL[SMALL.index("# --- what is sold") :]
    assert load(written(tmp_path, text)).policy() == Policy()


def test_policy_takes_the_sections_values(tmp_path):
    text = changed(
        SMALL, "multi_vend = true", 'max_credit = "5.00"\nforce_vend = "bills"\nmulti_vend = true'
    )
    text = changed(text, "[drop_sensor]", "[drop_sensor]\nenabled = false")
    text = re.sub(r"\[door\]\n(.+\n)+", "", text)
    policy = load(written(tmp_path, text)).policy()
    assert policy.max_credit == 500
    assert policy.force_vend is ForceVend.BILLS
    assert policy.multi_vend
    assert not policy.drop_sensor
    assert not policy.door_switch


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


@settings(deadline=None)  # a loaded machine is slow, not wrong
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
