"""What a command prints: data on stdout, messages on stderr; for people, or as JSON.

The envelope is versioned and its schema is `vendctl.schema.json` beside this file.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vendd.cli.exits import Exit, Failure

ENVELOPE: Final = "vendctl/1"
_BOLD, _RED, _OFF = "\x1b[1m", "\x1b[31m", "\x1b[0m"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """`command`: its name, as in ``slot clear-jam``."""

    command: str
    as_json: bool

    def show(self, data: Data, words: Callable[[Data], Iterable[str]]) -> None:
        """`words` turns the data into lines for people."""
        if self.as_json:
            self._envelope({"ok": True, "data": data})
        else:
            _print("\n".join(words(data)))

    def failed(self, failure: Failure) -> None:
        """On stderr; with JSON in the envelope on stdout as well, so that a script sees it."""
        if self.as_json:
            error = {
                "code": failure.code,
                "exit": int(failure.exit),
                "message": failure.what,
                "remedy": failure.remedy,
            }
            self._envelope({"ok": False, "error": error})
        remedy = f" ({failure.remedy})" if failure.remedy else ""
        print(f"vendctl {self.command}: {red(failure.what, sys.stderr)}{remedy}", file=sys.stderr)

    def _envelope(self, body: Data) -> None:
        whole = {"schema": ENVELOPE, "command": self.command, **body}
        _print(json.dumps(whole, ensure_ascii=False))


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def coloured(stream: Any = None) -> bool:
    """Colours only on a terminal, and not where NO_COLOR asks for none."""
    return not os.environ.get("NO_COLOR") and bool((stream or sys.stdout).isatty())


def bold(text: str) -> str:
    return f"{_BOLD}{text}{_OFF}" if coloured() else text


def red(text: str, stream: Any = None) -> str:
    return f"{_RED}{text}{_OFF}" if coloured(stream) else text


def amount(minor: int, money: Data) -> str:
    """Minor units as people write them."""
    exponent = int(money["exponent"])
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows as aligned text; the first is the heading. `right`: columns aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return [bold(lines[0]), *lines[1:]]


def age(seconds: int) -> str:
    """``3 d 4 h``, ``12 min``, ``7 s``."""
    for unit, name, smaller, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name} {seconds % unit // smaller} {small}"
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


__all__ = [
    "Data",
    "Exit",
    "Failure",
    "Output",
    "age",
    "amount",
    "bold",
    "coloured",
    "columns",
    "red",
]
