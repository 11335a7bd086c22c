"""A recording of what went over the serial lines, and the file it is sent in as.

One JSON object a line. The first says what the file is (`Header`); each other one is a piece
of bytes as it was written or read, or something that happened to the line::

    {"vendd_bus_trace": 1, "software": "0.1.0", "lines": [{"port": ..., "baud": ...}], ...}
    {"t": 12.345678, "line": 0, "dir": "tx", "hex": "522c30420a"}

`t` is seconds on the recording daemon's monotonic clock, with microseconds.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Any, Final

VERSION: Final = 1
KEY: Final = "vendd_bus_trace"
MAX_LINES: Final = 1_000_000  # of a file; a recorder of 512 KiB gives 65,536 at most
MAX_TEXT: Final = 200_000  # characters of one line of a file
MAX_WIRES: Final = 16


class Way(Enum):
    """What a piece of a recording is."""

    SENT = "tx"
    RECEIVED = "rx"
    OPENED = "open"
    LOST = "lost"  # the line died, or could not be opened; `data` says why
    CLOSED = "close"  # by us
    GAP = "gap"  # older pieces are kept, these here were dropped


@dataclass(frozen=True, slots=True)
class Piece:
    """`at`: monotonic seconds. `line`: index into `Header.lines`. `data`: bytes as they were,
    or a text (UTF-8) for LOST."""

    at: float
    line: int
    way: Way
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Line:
    """One serial line. `adapter` as configured; empty: to be told from its bytes."""

    port: str
    baud: int
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What a reader has to know. `wall` and `at`: the same instant on both clocks, when the
    recording was written down. `poll_ms`, `payout`: of the configuration, 0 and empty unknown."""

    software: str = ""
    lines: tuple[Line, ...] = ()
    start: float = 0.0
    at: float = 0.0
    wall: str = ""
    machine: str = ""
    currency: str = ""
    poll_ms: int = 0
    payout: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole recording, oldest piece first."""

    header: Header
    pieces: tuple[Piece, ...]


class BadTrace(ValueError):
    """No recording of ours, or a damaged one. The text names the line and what is wrong."""


_TEXTS: Final = ("software", "wall", "machine", "currency", "payout")


def header_text(it: Header) -> str:
    """The first line of a file."""
    told: dict[str, object] = {KEY: VERSION, **{name: getattr(it, name) for name in _TEXTS}}
    told["start"], told["at"] = round(it.start, 6), round(it.at, 6)
    told["poll_ms"] = it.poll_ms
    told["lines"] = [{"port": w.port, "baud": w.baud, "adapter": w.adapter} for w in it.lines]
    return json.dumps(told)


def piece_text(it: Piece) -> str:
    """One more line of a file."""
    head = f'{{"t": {it.at:.6f}, "line": {it.line}, "dir": "{it.way.value}"'
    if it.way is Way.LOST:
        return f'{head}, "why": {json.dumps(it.data.decode("utf-8", "replace"))}}}'
    return f'{head}, "hex": "{it.data.hex()}"}}' if it.data else head + "}"


def texts(trace: Trace) -> Iterator[str]:
    """All lines of a file, without line ends."""
    yield header_text(trace.header)
    yield from map(piece_text, trace.pieces)


def read(lines: Iterable[bytes]) -> Trace:
    """A file's lines, with or without line ends. Raises `BadTrace`.

    Empty lines are left out, so a file that was cut off between two lines is read as far as
    it goes; one that was cut off within a line is refused with that line's number.
    """
    header: Header | None = None
    pieces: list[Piece] = []
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            told = _object(raw, number)
            if header is None:
                header = _header(told)
            else:
                pieces.append(_piece(told, header, pieces[-1].at if pieces else None))
        except BadTrace as error:
            raise BadTrace(f"line {number}: {error}") from error
    if header is None:
        raise BadTrace("line 1: the file is empty")
    return Trace(header, tuple(pieces))


def _object(raw: bytes, number: int) -> Mapping[str, Any]:
    if number > MAX_LINES or len(raw) > MAX_TEXT:
        raise BadTrace("too long for a recording")
    try:
        told = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadTrace("not text") from error
    except (ValueError, RecursionError) as error:
        raise BadTrace(f"not JSON ({str(error)[:80]})") from error
    if not isinstance(told, dict):
        raise BadTrace("not a JSON object")
    return told


def _header(told: Mapping[str, Any]) -> Header:
    if KEY not in told:
        raise BadTrace(f'not a bus recording: the first line has no "{KEY}"')
    if told[KEY] != VERSION:
        raise BadTrace(f"version {str(told[KEY])[:20]}; this software reads version {VERSION}")
    lines = told.get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_WIRES:
        raise BadTrace(f'"lines" has to be a list of 1 to {MAX_WIRES} serial lines')
    return Header(
        lines=tuple(_line(one) for one in lines),
        start=_seconds(told.get("start", 0.0), "start"),
        at=_seconds(told.get("at", 0.0), "at"),
        poll_ms=_whole(told.get("poll_ms", 0), "poll_ms", 10_000),
        **{name: _text(told.get(name, ""), name) for name in _TEXTS},
    )


def _line(told: object) -> Line:
    if not isinstance(told, dict):
        raise BadTrace('each of "lines" has to be an object')
    return Line(
        _text(told.get("port"), "port"),
        _whole(told.get("baud"), "baud", 10_000_000),
        _text(told.get("adapter", ""), "adapter"),
    )


def _piece(told: Mapping[str, Any], header: Header, before: float | None) -> Piece:
    at = _seconds(told.get("t"), "t")
    if before is not None and at < before:
        raise BadTrace(f'"t" {at} lies before {before}, the time of the line above')
    line = _whole(told.get("line", 0), "line", len(header.lines) - 1)
    try:
        way = Way(told.get("dir"))
    except ValueError as error:
        known = ", ".join(way.value for way in Way)
        raise BadTrace(f'"dir" has to be one of {known}') from error
    if way is Way.LOST:
        return Piece(at, line, way, _text(told.get("why", ""), "why").encode())
    try:
        data = bytes.fromhex(_text(told.get("hex", ""), "hex"))
    except ValueError as error:
        raise BadTrace('"hex" has to be pairs of hexadecimal digits') from error
    return Piece(at, line, way, data)


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadTrace(f'"{name}" has to be a number of seconds')
    if not isfinite(value) or not 0 <= value < 1e12:
        raise BadTrace(f'"{name}" is out of range')
    return float(value)


def _whole(value: object, name: str, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise BadTrace(f'"{name}" has to be a whole number from 0 to {highest}')
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise BadTrace(f'"{name}" has to be a text')
    return value
