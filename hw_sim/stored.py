"""What the books say while no daemon has them open: read from a copy, so that nothing is
folded, repaired or removed before the next daemon finds what the last one left.
"""

import json
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vendd.core.sale.states import (
    State,
)
from vendd.services import memory
from vendd.store.opening import FILE, files_of

_PREFIX: Final = "vend."
_SUFFIX: Final = ".v1"


@dataclass(frozen=True, slots=True)
class Written:
    """An event as it stands in the outbox. `name` without prefix and version, `boot` from 1."""

    seq: int
    name: str
    boot: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything that was durable. Money in minor units; `tubes`: coin value -> count."""

    boot: int = 0
    state: State = field(default_factory=State)
    levels: dict[str, int] = field(default_factory=dict)
    reserved: dict[str, int] = field(default_factory=dict)
    off_sale: frozenset[str] = frozenset()
    tubes: dict[int, int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    last_seq: int = 0
    events: tuple[Written, ...] = ()

    def of(self, name: str, boot: int | None = None) -> list[Written]:
        """The events of one kind, of one boot or of all."""
        return [e for e in self.events if e.name == name and boot in (None, e.boot)]

    @property
    def in_tubes(self) -> int:
        return sum(value * count for value, count in self.tubes.items())


def read(books: Path) -> Stored:
    """The books in that directory; nobody may be writing them. Empty ones before a first start."""
    with tempfile.TemporaryDirectory(prefix="vendd-read-") as folder:
        for path in files_of(books):
            shutil.copy(path, folder)
        if not (Path(folder) / FILE).exists():
            return Stored()
        connection = sqlite3.connect(Path(folder) / FILE)
        try:
            return _read(connection)
        finally:
            connection.close()


def _read(connection: sqlite3.Connection) -> Stored:
    def rows(query: str) -> list[Any]:
        return connection.execute(query).fetchall()

    ((boot, last_seq),) = rows("SELECT boot_count, seq FROM meta")
    state = rows("SELECT data FROM state")
    slots = rows("SELECT selection, level, reserved, state FROM slots")
    return Stored(
        boot=boot,
        state=memory.load(state[0][0] if state else None).sale,
        levels={selection: level for selection, level, _, _ in slots},
        reserved={selection: count for selection, _, count, _ in slots if count},
        off_sale=frozenset(selection for selection, *_, s in slots if s != "on_sale"),
        tubes=dict(rows("SELECT value, sum(count) FROM tubes GROUP BY value")),
        balances=dict(rows("SELECT account, closing FROM balances")),
        claims=dict(rows("SELECT ref, amount FROM claims WHERE closed_how IS NULL")),
        last_seq=last_seq,
        events=tuple(
            Written(
                seq,
                kind.removeprefix(_PREFIX).removesuffix(_SUFFIX),
                int(json.loads(attributes)["bootcount"]),
                json.loads(data),
            )
            for seq, kind, attributes, data in rows(
                "SELECT seq, type, attributes, data FROM outbox ORDER BY seq"
            )
        ),
    )
