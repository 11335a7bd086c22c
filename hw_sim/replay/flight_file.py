"""A flight recording as a file: its lines, read and checked (`vendd.services.flight` has them)."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import vendd.daemon.vitals  # a kind of report of its own
import vendd.services.telemetry  # noqa: F401  # another
from vendd.core.operator.orders import Order
from vendd.core.plain import Unreadable, value_of
from vendd.core.sale.reports import Report
from vendd.core.snapshot import Moment, Snapshot
from vendd.services.flight import KEY, VERSION, Life
from vendd.services.memory import Memory

MAX_LINE: Final = 4_000_000  # bytes; the opening of a machine with hundreds of slots is 100,000
_LIFE: Final = dict(Life.__annotations__)


class BadDump(ValueError):
    """No flight recording, or a damaged one. The text names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A segment begins: what was remembered and known when `n` reports of `life` were past."""

    life: Life
    n: int
    memory: Memory
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Decided:
    """A report, when it was met, and what is on record of the decision."""

    n: int
    at: float
    moment: Moment
    report: Report
    digest: str
    phase: str
    credit: int
    records: tuple[str, ...]
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A report on which nothing was decided, and why."""

    n: int
    at: float
    report: Report
    why: str


@dataclass(frozen=True, slots=True)
class Undone:
    """The decision on report `n` was given up."""

    n: int
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A line that this software can't read: a report of another version's."""

    n: int
    at: float
    why: str


Line = Opening | Decided | Ignored | Undone | Unknown


def is_flight(path: Path) -> bool:
    """Whether the file's first line says that it is one. A file that can't be read is none."""
    try:
        with path.open("rb") as file:
            told = json.loads(file.readline(MAX_LINE))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and KEY in told


def read_file(path: Path) -> Iterator[Line]:
    """Its lines. Raises `BadDump`, its text beginning with the file's name."""
    try:
        with path.open("rb") as file:
            yield from read(iter(lambda: file.readline(MAX_LINE), b""))
    except OSError as error:
        raise BadDump(f"{path}: {error.strerror or error}") from error
    except BadDump as error:
        raise BadDump(f"{path}: {error}") from error


def read(lines: Iterable[bytes]) -> Iterator[Line]:
    """Raises `BadDump` with the number of the line; an empty line is left out."""
    begun = False
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = _line(_object(raw))
        except (BadDump, Unreadable) as error:
            raise BadDump(f"line {number}: {error}") from error
        if not begun and not isinstance(line, Opening):
            raise BadDump(f'line {number}: no flight recording: the first line has no "{KEY}"')
        begun = True
        yield line
    if not begun:
        raise BadDump("line 1: the file is empty")


def _object(raw: bytes) -> Mapping[str, Any]:
    if len(raw) >= MAX_LINE:
        raise BadDump("too long for a recording")
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadDump(f"not JSON ({str(error)[:80]}); was the file cut off?") from error
    if not isinstance(told, dict):
        raise BadDump("not a JSON object")
    return told


def _line(told: Mapping[str, Any]) -> Line:
    if KEY in told:
        return _opening(told)
    if "undone" in told:
        return Undone(_field(told, "undone", int), _field(told, "why", str))
    n, at = _field(told, "n", int), _field(told, "t", float)
    try:
        report = value_of(Report, told.get("report"), _kinds() | orders())
    except Unreadable as error:
        return Unknown(n, at, str(error))
    if "ignored" in told:
        return Ignored(n, at, report, _field(told, "ignored", str))
    return Decided(
        n,
        at,
        Moment(_field(told, "up", int), _field(told, "wall", str)),
        report,
        _field(told, "hash", str),
        _field(told, "phase", str),
        _field(told, "credit", int),
        _field(told, "records", tuple[str, ...]),
        _field(told, "acts", tuple[str, ...]),
    )


def _opening(told: Mapping[str, Any]) -> Opening:
    if told[KEY] != VERSION:
        raise BadDump(f"version {str(told[KEY])[:20]}; this software reads version {VERSION}")
    return Opening(
        Life(**{name: _field(told, name, kind) for name, kind in _LIFE.items()}),
        _field(told, "n", int),
        _field(told, "memory", Memory),
        _field(told, "snapshot", Snapshot),
    )


def _field(told: Mapping[str, Any], name: str, hint: Any) -> Any:
    if name not in told:
        raise BadDump(f'"{name}" is missing')
    try:
        return value_of(hint, told[name])
    except Unreadable as error:
        raise BadDump(f'"{name}": {error}') from error


def _kinds() -> dict[str, type]:
    """Every kind of report there is, by name."""
    if not _KINDS:
        _KINDS.update((kind.__name__, kind) for kind in _below(Report))
    return _KINDS


def orders() -> dict[str, type]:
    """Every kind of order there is, by name: one report is about them."""
    return {kind.__name__: kind for kind in _below(Order)}


_KINDS: Final[dict[str, type]] = {}


def _below(kind: type) -> Iterator[type]:
    """A slotted dataclass leaves the class that it was made of behind: that one is not meant."""
    one: type
    for one in kind.__subclasses__():
        if getattr(sys.modules[one.__module__], one.__name__, None) is one:
            yield one
        yield from _below(one)
