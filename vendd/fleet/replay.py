"""Dead letters back to the topics that they were meant for.

The record goes out as it came, with the same id and number, so a consumer that has it already
ignores it. Kafka has the record before it is marked: one that is replayed twice is a duplicate.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vendd.fleet.burial import REPLAYS_HEADER, Burial, original
from vendd.fleet.deadletters import CUT_HEADER, SOURCE_HEADER, Filed
from vendd.fleet.envelope import Record


class Unplayable(Exception):
    """This dead letter can't be replayed from here; the message says from where."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What would be sent."""

    letter: Filed
    record: Record


def ready(letter: Filed, record: Record | None) -> Ready:
    """Raises `Unplayable`."""
    if record is None:
        raise Unplayable(f"{letter.id}: Kafka has it no longer (retention of {letter.topic})")
    headers = dict(record.headers)
    if SOURCE_HEADER not in headers and not letter.at_home:
        raise Unplayable(
            f"{letter.id}: refused at machine {letter.machine or '?'}, which keeps the data;"
            " replay it there"
        )
    if CUT_HEADER in headers:
        raise Unplayable(f"{letter.id}: its data was too large to be kept")
    return Ready(letter, record)


def replay(burial: Burial, item: Ready) -> None:
    """Send it home. Raises `BrokerDown`."""
    record = item.record
    times = _times(dict(record.headers)) + 1
    headers = (*original(record.headers), (REPLAYS_HEADER, str(times).encode()))
    burial.send(item.letter.home, record.key, record.value, headers)


def _times(headers: Mapping[str, bytes]) -> int:
    text = headers.get(REPLAYS_HEADER, b"0").decode(errors="replace")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
