"""The consumers' configuration: ``fleet.toml``, flags over it, every mistake at once.

A value that holds a secret stands elsewhere: ``credential:NAME`` is the file NAME of systemd's
credentials, ``file:/path`` any other file.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from vendd.fleet.alarms.rules import Limits
from vendd.fleet.alarms.telling import Admin, Manners

Text = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
_PASSWORD_IN_URL: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_SECRET: Final = re.compile(r"passw|secret|token|\.key\.pem", re.IGNORECASE)
_TOPIC: Final = r"^[A-Za-z0-9._-]{0,100}$"


class SettingsError(Exception):
    """Every problem found, at least one. Nothing was started."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kafka(Section):
    """`options` are librdkafka's own, for TLS and SASL; they win over the consumers' settings."""

    bootstrap: Annotated[str, StringConstraints(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")]
    topic_prefix: Annotated[str, StringConstraints(pattern=_TOPIC)] = ""
    group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = "vendd-fleet"
    options: dict[str, str] = Field(default_factory=dict)


class Metrics(Section):
    """Prometheus, on `host`; 0 is off."""

    host: Text = "127.0.0.1"
    port: Annotated[int, Strict(), Field(ge=0, le=65_535)] = 0


class Site(Section):
    """Machines that stand beside each other: one that sells nothing is compared with the rest."""

    name: Text
    machines: tuple[Text, ...]


class Settings(Section):
    """One deployment. The groups are ``<group>-inventory`` and ``<group>-notify``. `every_s`: how
    often the rules are evaluated; `inbox_days`: how long each event's own row is kept."""

    database: Text
    kafka: Kafka
    metrics: Metrics = Metrics()
    alarms: Limits = Limits()
    notify: Manners = Manners()
    admin: tuple[Admin, ...] = ()
    site: tuple[Site, ...] = ()
    every_s: Count = 30
    inbox_days: Count = 90

    def sites(self) -> dict[str, frozenset[str]]:
        """Machine -> those that stand beside it. A machine without a site is compared with all."""
        return {name: frozenset(site.machines) for site in self.site for name in site.machines}


def load(path: Path | None, flags: Mapping[str, Any]) -> Settings:
    """The file, if any, with `flags` (dotted keys; None: not given) over it, secrets filled in.
    Raises `SettingsError`."""
    values = {} if path is None else _read(path)
    where = "the flags" if path is None else str(path)
    problems = [f"{where}: {problem}" for problem in _plain_secrets(values, "")]
    for key, value in flags.items():
        if value is not None:
            _put(values, key.split("."), value)
    problems += [f"{where}: {problem}" for problem in _twice(values)]
    try:
        unreadable: list[str] = []
        revealed = _revealed(values, unreadable)
        problems += [f"{where}: {problem}" for problem in unreadable]
        settings = Settings.model_validate(revealed)
    except ValidationError as error:
        problems += [f"{where}: {_said(each)}" for each in error.errors()]
    else:
        if not problems:
            return settings
    raise SettingsError(problems)


def _twice(values: Mapping[str, Any]) -> Iterator[str]:
    """Names that stand for two admins, and machines at two sites."""
    for key, of in (("admin", _names), ("site", _members)):
        entries = values.get(key)
        listed = entries if isinstance(entries, list) else []
        names = [name for entry in listed for name in of(entry)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{key}: {name!r} stands in two of them"


def _names(entry: Any) -> list[str]:
    return [str(entry["name"])] if isinstance(entry, dict) and "name" in entry else []


def _members(entry: Any) -> list[str]:
    members = entry.get("machines") if isinstance(entry, dict) else None
    return [str(each) for each in members] if isinstance(members, list) else []


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"{path}: can't be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: is not TOML: {error}"]) from None


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            return  # complained about by its own section
        values = inner
    values[path[-1]] = value


def _plain_secrets(value: Any, key: str) -> Iterator[str]:
    """Secrets that stand in the file itself."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _plain_secrets(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _plain_secrets(inner, f"{key}[{place + 1}]")
    elif isinstance(value, str) and not _elsewhere(value):
        name = key.rpartition(".options.")[2]
        if _PASSWORD_IN_URL.search(value) or _SECRET.search(name):
            yield (
                f"{key}: (not shown) is a secret in the open; put it into a file and write"
                ' "credential:NAME" or "file:/path"'
            )


def _elsewhere(value: str) -> bool:
    return value.startswith(("credential:", "file:"))


def _revealed(value: Any, problems: list[str], key: str = "") -> Any:
    """`value` with the contents of the files that its secrets stand in."""
    if isinstance(value, dict):
        return {
            name: _revealed(inner, problems, f"{key}.{name}" if key else str(name))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_revealed(inner, problems, f"{key}[{n + 1}]") for n, inner in enumerate(value)]
    if not isinstance(value, str) or not _elsewhere(value):
        return value
    kind, _, name = value.partition(":")
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")
    path = Path(folder, name) if kind == "credential" else Path(name)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{key} = {value!r}: can't be read ({error})")
        return "unreadable"


def _said(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"{key}: is missing"
        case "extra_forbidden":
            return f"{key}: is an unknown key"
        case _:
            return f"{key}: {error['msg']}"
