"""One event on its way into the tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vendd.fleet.contract import LARGEST, SMALLEST, Violation, storable
from vendd.fleet.envelope import Event
from vendd.fleet.tables import LATEST, Row, Table

LONGEST_KEY: Final = 200
as_json: Final = json.JSONEncoder(separators=(",", ":")).encode
Put = tuple[Table, Row, Row]
"""A table, a key in it, and the values to merge there."""


class Malformed(Exception):
    """The data lacks what its projection needs: a type whose schema isn't known here."""


@dataclass(slots=True)
class Entry:
    """An event, the number of its life, and the rows that it adds: all of them or none."""

    event: Event
    life: int
    puts: list[Put] = field(default_factory=list)

    @property
    def machine(self) -> str:
        return self.event.who.machine

    @property
    def seq(self) -> int:
        return self.event.who.seq

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event.data

    def put(self, table: Table, key: tuple[Any, ...], *values: Any) -> None:
        """A row of this machine in this life; `key` is what follows those two."""
        self.puts.append((table, (self.machine, self.life, *self._key(key)), values))

    def put_by_machine(self, table: Table, key: tuple[Any, ...], *values: Any) -> None:
        self.puts.append((table, (self.machine, *self._key(key)), values))

    def latest(self, subject: str, item: str = "", data: Any = None) -> None:
        """This event is the last word about `subject`, so far."""
        said = as_json(self.data if data is None else data)
        self.put(LATEST, (subject, item), self.seq, self.event.at_ms, said)

    def _key(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        """An index takes no novels: a name that long is a mistake or an attack."""
        for part in key:
            if type(part) is str and len(part) > LONGEST_KEY:
                raise Malformed(f"{self.event.type}: a name of {len(part)} characters")
        return key

    def text(self, name: str, where: Mapping[str, Any] | None = None) -> str:
        value = (self.data if where is None else where).get(name)
        if not isinstance(value, str):
            raise Malformed(f"{self.event.type}: {name} is no text")
        try:
            return storable(value, name)
        except Violation as violation:
            raise Malformed(f"{self.event.type}: {violation}") from None

    def number(self, name: str, where: Mapping[str, Any] | None = None) -> int:
        value = (self.data if where is None else where).get(name)
        if type(value) is not int or not SMALLEST <= value <= LARGEST:
            raise Malformed(f"{self.event.type}: {name} is no number of 64 bits")
        return value

    def listed(self, name: str) -> list[Mapping[str, Any]]:
        value = self.data.get(name)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise Malformed(f"{self.event.type}: {name} is no list of objects")
        return value
