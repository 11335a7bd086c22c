"""What is wrong with a configuration, said so that the operator can put it right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SECRET: Final = re.compile(r"passw|secret|token|credential|api_?key|private", re.IGNORECASE)
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `value` is the text that stood there, empty where nothing did.

    A `warning` is legal but rarely meant; it stops nothing.
    """

    file: str
    key: str
    value: str
    what: str
    remedy: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        stands = f" = {self.value}" if self.value else ""
        key = f"{self.key}{stands}: " if self.key else ""
        return f"{self.file}: {kind}{key}{self.what}; {self.remedy}"


class ConfigError(Exception):
    """The configuration can't be used: every problem found, at least one. Nothing was started."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def shown(value: object, key: str = "") -> str:
    """A value for a message: as TOML would write it, cut short, and never a secret."""
    if looks_secret(key):
        return "(not shown)"
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = '"' + value.encode("unicode_escape").decode("ascii") + '"'
    else:
        text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def looks_secret(key: str) -> bool:
    """True for key names under which people put passwords."""
    return _SECRET.search(key) is not None
