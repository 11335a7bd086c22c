"""`load`: files in, one checked `Config` or every problem at once out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from vendd.config import checks, wiring, wording
from vendd.config.draft import Draft
from vendd.config.model import Config
from vendd.config.problems import ConfigError, Problem, shown
from vendd.config.reading import IDENTITY, Path_, Tree, read
from vendd.config.sections import DirectMotors, MatrixMotors

_MOTORS: Final[Mapping[str, type[Any]]] = {"matrix": MatrixMotors, "direct": DirectMotors}
_SALVAGED: Final = ("gpio", "pins", "motors", "buzzer")


def load(path: Path | str) -> Config:
    """The configuration of `path` and ``<path>.d/*.toml``. Raises `ConfigError` with every
    problem of every file; reads files only, touches no device."""
    return load_with_warnings(path)[0]


def load_with_warnings(path: Path | str) -> tuple[Config, tuple[Problem, ...]]:
    """As `load`, with what is legal but rarely meant."""
    tree, problems = read(Path(path))
    if problems:
        raise ConfigError(problems)
    draft, problems = _draft(tree)
    found = [*problems, *checks.run(draft)]
    errors = [problem for problem in found if not problem.warning]
    if errors:
        raise ConfigError(errors)
    return Config.model_validate(tree.values), tuple(p for p in found if p.warning)


def salvage(path: Path | str) -> Config | None:
    """What a configuration that `load` refuses still says of the motor lines: a `Config` with
    only gpio, pins, motors, buzzer and pulse acceptors. For switching lines off, whatever was
    mistyped since the daemon started. None when that can't be read either."""
    draft, _ = _draft(read(Path(path))[0])
    if draft.gpio is None or draft.motors is None:
        return None
    needed = [pin for path, pin in wiring.pin_uses(draft) if path[0] in ("motors", "buzzer")]
    if not draft.pins.keys() >= set(needed):
        return None
    values: dict[str, Any] = {name: getattr(draft, name) for name in _SALVAGED}
    values["pulse"] = tuple(pulse for _, pulse in draft.pulses if pulse.enable in draft.pins)
    return Config.model_construct(**values)


def _draft(tree: Tree) -> tuple[Draft, list[Problem]]:
    """Validates each section, and each product and slot, on its own: one wrong key must not
    hide what is wrong elsewhere."""
    problems: list[Problem] = []
    draft = Draft(tree)
    for name in tree.values.keys() - Config.model_fields.keys():
        what, remedy = wording.unknown(name, list(Config.model_fields))
        value = "" if isinstance(tree.values[name], dict) else shown(tree.values[name], name)
        problems.append(Problem(tree.origin((name,)), name, value, what, remedy))
    for name, field in Config.model_fields.items():
        if name not in tree.values:
            if field.is_required():
                remedy = "add it; config/ holds two complete samples"
                problems.append(Problem(tree.main, name, "", "is missing", remedy))
            else:
                draft.put(name, field.default)
        elif name in IDENTITY:
            _entries(tree, draft, name, problems)
        else:
            _section(tree, draft, name, problems)
    return draft, problems


def _section(tree: Tree, draft: Draft, name: str, problems: list[Problem]) -> None:
    raw = tree.values[name]
    model: Any = Config.model_fields[name].annotation
    if name == "motors":
        layout = raw.get("layout") if isinstance(raw, dict) else None
        if not isinstance(layout, str) or layout not in _MOTORS:
            stands = "" if layout is None else shown(layout)
            what = "is missing" if layout is None else "is none of the choices"
            remedy = 'write layout = "matrix" or layout = "direct"'
            key: Path_ = ("motors", "layout")
            problems.append(Problem(tree.origin(key), tree.name(key), stands, what, remedy))
            return
        model = _MOTORS[layout]
    elif name == "pins":
        _pins(tree, draft, problems)
        return
    value = _validated(tree, model, (name,), raw, problems)
    if value is not None:
        draft.put(name, value)


def _pins(tree: Tree, draft: Draft, problems: list[Problem]) -> None:
    """Every pin by itself: those that are right are needed to check the other sections."""
    raw = tree.values["pins"]
    model: Any = Config.model_fields["pins"].annotation
    pins: dict[str, int] = {}
    named = raw if isinstance(raw, dict) else None
    if named is None:
        _validated(tree, model, ("pins",), raw, problems)
        return
    for name, number in named.items():
        value = _validated(tree, model, ("pins",), {name: number}, problems)
        pins.update(value or {})
        draft.pins_named.add(name)
    draft.put("pins", pins)


def _entries(tree: Tree, draft: Draft, name: str, problems: list[Problem]) -> None:
    raw = tree.values[name]
    if not isinstance(raw, list) or not raw:
        remedy = f"write at least one [[{name}]]"
        problems.append(
            Problem(tree.origin((name,)), name, shown(raw), "is not a list of entries", remedy)
        )
        return
    model: Any = Config.model_fields[name].annotation.__args__[0]  # type: ignore[union-attr]
    for place, entry in enumerate(raw):
        value = _validated(tree, model, (name, place), entry, problems)
        if value is not None:
            draft.put_entry(name, place, value)


def _validated(tree: Tree, model: Any, path: Path_, raw: object, problems: list[Problem]) -> Any:
    """The value, or None after its problems were noted."""
    try:
        return TypeAdapter(model).validate_python(raw)
    except ValidationError as error:
        problems.extend(wording.problem(tree, model, path, detail) for detail in error.errors())
        return None
