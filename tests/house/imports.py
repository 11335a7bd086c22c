"""Which module may import which, read from the source and not from what happens to run."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ALL = frozenset({"*"})

# The first folder or module below vendd/ -> those it may import, beside itself.
ALLOWED: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "wire": frozenset(),
    "guard": frozenset(),
    "log": frozenset(),
    "events": frozenset({"core"}),
    "api": frozenset({"core"}),
    "config": frozenset({"core", "wire"}),  # wire: what a device's rules allow
    "ports": frozenset({"core", "events"}),
    "store": frozenset({"ports", "core", "events"}),
    "services": frozenset({"ports", "core", "events", "guard"}),
    "drivers": frozenset({"ports", "wire", "core"}),
    "links": frozenset({"ports", "events", "api", "guard"}),
    "health": frozenset({"ports"}),
    "hardware": frozenset({"config", "drivers"}),
    "cli": frozenset({"api", "config"}),
    "fleet": frozenset({"events"}),
    "daemon": ALL,
    "__main__": ALL,
}

# What pure code may take from outside: nothing that waits, looks at a clock or draws lots.
PURE = frozenset({"core", "wire"})
PURE_LIBRARY = frozenset(
    {
        "__future__",
        "collections",
        "dataclasses",
        "datetime",  # to read and compare times that were handed in; never to ask for one
        "enum",
        "functools",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "types",
        "typing",
    }
)
CLOCKS = frozenset({"now", "today", "utcnow"})

# A library that only one place knows.
ONLY = {
    "sqlite_utils": {"store"},
    "sqlite3": {"store", "fleet"},
    "gpiozero": {"drivers"},
    "RPLCD": {"drivers"},
    "serial": {"drivers"},
    "confluent_kafka": {"links", "fleet"},
    "pydantic": {"config", "api", "fleet"},
    "h11": {"links"},
    "click": {"cli"},
    "psycopg": {"fleet"},
    "apprise": {"fleet"},
}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and the line that does it."""

    module: str
    line: int


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import, those inside functions and conditions and those by name included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                parts = package.split(".")
                origin = ".".join(parts[: len(parts) - node.level + 1])
                module = f"{origin}.{node.module}" if node.module else origin
            else:
                module = node.module or ""
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", node.lineno)
        elif isinstance(node, ast.Attribute) and _asks_the_clock(node):
            yield Import(f"datetime.{node.attr}", node.lineno)
        elif isinstance(node, ast.Call) and _imports_by_name(node.func):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(argument.value, node.lineno)


def violations(root: Path) -> list[str]:
    """Every import below `root`/vendd and `root`/hw_sim that points the wrong way."""
    found: list[str] = []
    for path in sorted([*root.glob("vendd/**/*.py"), *root.glob("hw_sim/**/*.py")]):
        name = path.relative_to(root)
        package = ".".join(name.parent.parts)
        for one in imports(path.read_text(encoding="utf-8"), package):
            reason = _judge(name.parts, one.module)
            if reason:
                found.append(f"{name}:{one.line}: {reason}")
    return found


def _imports_by_name(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _asks_the_clock(node: ast.Attribute) -> bool:
    origin = node.value.attr if isinstance(node.value, ast.Attribute) else None
    name = getattr(node.value, "id", origin)
    return node.attr in CLOCKS and name in {"datetime", "date"}


def _judge(importer: tuple[str, ...], module: str) -> str:
    """Why this import is wrong, empty where it is right."""
    target = module.split(".")
    if importer[0] == "hw_sim":
        if importer[1] == "devices" and target[:2] == ["vendd", "wire"]:
            return f"a device model must not use {module}: a shared bug would cancel out"
        return ""
    place = importer[1].removesuffix(".py")
    if target[0] in {"hw_sim", "tests"}:
        return f"vendd must not import {module}"
    if place == "__init__":
        return "" if target[0] != "vendd" else f"vendd/__init__.py must stay empty of {module}"
    if place not in ALLOWED:
        return f"{place} is not in the table of import directions"
    if target[0] == "vendd":
        return _inside(place, target)
    asks = target[0] == "datetime" and target[1:] and target[1] in CLOCKS
    if place in PURE and (target[0] not in PURE_LIBRARY or asks):
        return f"{place} is pure: {module} is not for it"
    owners = ONLY.get(target[0])
    if owners is not None and place not in owners:
        return f"{target[0]} belongs to {' and '.join(sorted(owners))} alone"
    return ""


def _inside(place: str, target: list[str]) -> str:
    if len(target) == 1 or target[1] in {place, "__version__"}:
        return ""
    allowed = ALLOWED[place]
    if allowed == ALL or target[1] in allowed:
        return ""
    return f"{place} must not import {'.'.join(target)}"


if __name__ == "__main__":
    wrong = violations(Path(__file__).parents[2])
    print("\n".join(wrong) or "import directions: correct")
    sys.exit(bool(wrong))
