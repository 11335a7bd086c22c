"""Which libraries the daemon is made of, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCE: Final = Path("vendd")
NOT_THE_DAEMON: Final = ("fleet", "cli")  # processes of their own
BY_NAME: Final = ("gpiozero.pins.pigpio",)  # chosen by a table, not by an import statement


def libraries(source: Path = SOURCE) -> list[tuple[str, list[str]]]:
    """Every import that the daemon's packages make anywhere, as they write it: the module and
    the names taken from it, vendd's own left out."""
    found: dict[str, set[str]] = {name: set() for name in BY_NAME}
    for module, names in _imports(source):
        if module.partition(".")[0] != source.name:
            found.setdefault(module, set()).update(names)
    return [(module, sorted(names)) for module, names in sorted(found.items())]


def _imports(source: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path in sorted(source.rglob("*.py")):
        if path.relative_to(source).parts[0] in NOT_THE_DAEMON:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name, ()) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                yield node.module, tuple(alias.name for alias in node.names)
