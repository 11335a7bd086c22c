"""What a consumer of an event type may rely on: whether one schema can take the place of another.

Machines of several releases talk to one backend. A consumer built on the old schema must read
what new machines send, and one built on the new schema what old machines still send. A change
that breaks either needs a new version of the type (`Kind.version`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Catalogue = Mapping[str, Mapping[str, Any]]
"""Type -> ``{"topic": ..., "schema": ...}``."""


def breaks(released: Catalogue, current: Catalogue) -> Iterator[str]:
    """Every change from `released` to `current` that somebody could trip over, in words.

    A type may disappear once a higher version of it exists. Values that are new in an
    enumeration are allowed: consumers read unknown ones as ``other``.
    """
    for name, old in released.items():
        new = current.get(name)
        if new is None:
            if not _replaced(name, current):
                yield f"{name}: is gone, and there is no higher version of it"
            continue
        if new["topic"] != old["topic"]:
            yield f"{name}: moved from {old['topic']} to {new['topic']}"
        for broken in differences(old["schema"], new["schema"]):
            yield f"{name}{broken}"


def differences(old: Schema, new: Schema, path: str = "") -> Iterator[str]:
    """Breaking differences of two schemas of one type."""
    if old.get("type") != new.get("type"):
        yield f"{path}: was {old.get('type')}, is {new.get('type')}"
        return
    yield from _enumeration(old, new, path)
    yield from _fields(old, new, path)
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), Mapping) or isinstance(new.get(part), Mapping):
            yield from differences(old.get(part, {}), new.get(part, {}), f"{path}[]")
    was, now = old.get("prefixItems", ()), new.get("prefixItems", ())
    if len(was) != len(now):
        yield f"{path}: had {len(was)} places, has {len(now)}"
    for place, (one, other) in enumerate(zip(was, now, strict=False)):
        yield from differences(one, other, f"{path}[{place}]")


def _enumeration(old: Schema, new: Schema, path: str) -> Iterator[str]:
    was, now = old.get("enum"), new.get("enum")
    if was is None and now is not None:
        yield f"{path}: was any value, is a closed list"
    elif was is not None and now is None:
        yield f"{path}: was a closed list, is any value"
    elif was is not None and now is not None and (lost := sorted(set(was) - set(now))):
        yield f"{path}: no longer has {', '.join(lost)}"


def _fields(old: Schema, new: Schema, path: str) -> Iterator[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name in was:
        here = f"{path}.{name}"
        if name not in now:
            yield f"{here}: is gone or renamed"
            continue
        yield from differences(was[name], now[name], here)
        if name in needed and name not in needs:
            yield f"{here}: was always there, is optional"
        if name not in needed and name in needs:
            yield f"{here}: was optional, is required"
    for name in now.keys() - was.keys():
        if name in needs:
            yield f"{path}.{name}: is new and required, but older machines don't send it"


def _replaced(name: str, current: Catalogue) -> bool:
    stem, _, version = name.rpartition(".v")
    return any(
        other.rpartition(".v")[0] == stem and int(other.rpartition(".v")[2]) > int(version)
        for other in current
    )
