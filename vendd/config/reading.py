"""Reads the main file and its drop-ins into one tree that remembers where each key came from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vendd.config.problems import Problem

MAX_BYTES: Final = 1_048_576
"""Largest file that is read: a configuration of a full machine is below 50 KiB."""

IDENTITY: Final = {"slot": "selection", "product": "id", "card_reader": "number", "pulse": "pin"}
"""Lists whose entries have a name: a drop-in adds entries, or changes keys of an earlier one."""

Path_ = tuple[str | int, ...]


@dataclass(slots=True)
class Tree:
    """The merged keys, and the file of each path (the longest known beginning counts)."""

    main: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path_, str] = field(default_factory=dict)

    def origin(self, path: Path_) -> str:
        """The file that set `path`, or the table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.main

    def name(self, path: Path_) -> str:
        """A path as people write it: ``slot[A3].price.cash``, list entries by their name."""
        text = ""
        for depth, part in enumerate(path):
            if isinstance(part, int):
                text += f"[{self._entry(path[:depth], part)}]"
            else:
                text += f".{part}" if text else part
        return text

    def at(self, path: Path_) -> object:
        """The value that stands at `path`; None where nothing does."""
        value: Any = self.values
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _entry(self, path: Path_, index: int) -> str:
        identity = IDENTITY.get(str(path[0])) if len(path) == 1 else None
        entry = self.at((*path, index)) if identity else None
        return _identity(entry, str(path[0])) or str(index + 1)


def read(path: Path) -> tuple[Tree, list[Problem]]:
    """The file, then ``<file>.d/*.toml`` in name order over it: later keys win."""
    tree = Tree(str(path))
    problems: list[Problem] = []
    drop_ins = path.parent / f"{path.name}.d"
    for file in [path, *sorted(drop_ins.glob("*.toml"))]:
        values = _parse(file, problems)
        if values is not None:
            _overlay(tree, tree.values, values, str(file), ())
    return tree, problems


def _parse(file: Path, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            problems.append(_unreadable(file, "is larger than 1 MiB", "is it the right file?"))
            return None
        return tomllib.loads(content.decode())
    except FileNotFoundError:
        remedy = "name an existing file with --config; samples are in config/"
        problems.append(_unreadable(file, "does not exist", remedy))
    except OSError as error:
        problems.append(
            _unreadable(file, f"can't be read ({error.strerror})", "check its permissions")
        )
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(
            _unreadable(file, f"is not UTF-8 (line {line})", "save it with UTF-8 encoding")
        )
    except tomllib.TOMLDecodeError as error:
        remedy = "text needs quotes, and a key may stand only once per table"
        problems.append(_unreadable(file, f"is not TOML: {error}", remedy))
    except RecursionError:
        problems.append(_unreadable(file, "is nested too deeply", "is it the right file?"))
    return None


def _unreadable(file: Path, what: str, remedy: str) -> Problem:
    return Problem(str(file), "", "", what, remedy)


def _overlay(
    tree: Tree, into: dict[str, Any], more: Mapping[str, Any], file: str, path: Path_
) -> None:
    for key, value in more.items():
        here = (*path, key)
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _overlay(tree, old, value, file, here)
        elif not path and key in IDENTITY and isinstance(value, list):
            into[key] = _join(tree, old if isinstance(old, list) else [], value, file, key)
        else:
            into[key] = value
            tree.origins[here] = file


def _join(tree: Tree, old: list[Any], more: list[Any], file: str, key: str) -> list[Any]:
    """`more` over `old` by the entries' names. A name twice in one file stays twice: an error."""
    places = {_identity(entry, key): place for place, entry in enumerate(old)}
    joined = list(old)
    for entry in more:
        name = _identity(entry, key)
        if name and name in places:
            _overlay(tree, old[places[name]], entry, file, (key, places[name]))
        else:
            tree.origins[key, len(joined)] = file
            joined.append(entry)
    return joined


def _identity(entry: Any, key: str) -> str:
    """The name of a list entry, empty where it has none: the file may hold anything."""
    name = entry.get(IDENTITY[key]) if isinstance(entry, dict) else None
    return str(name) if isinstance(name, str | int) else ""
