"""The flight recorder: every report as the engine met it, and a hash of what was decided on it.

Whoever has the recording and this software sees the machine decide again, report by report
(`python -m hw_sim replay`). A recording consists of lines of JSON, in segments that begin with
everything a replay has to start from:

``{"vendd_flight": 1, "boot": 7, "n": 120, "memory": ..., "snapshot": ...}``  a segment begins:
life 7, 120 reports of it came before;
``{"n": 121, "t": loop seconds, "up": ms, "wall": ..., "report": ..., "hash": ..., ...}``  a report;
``{"n": 122, "t": ..., "report": ..., "ignored": why}``  one that nothing was decided on;
``{"undone": 121, "why": ...}``  the commit failed and the decision was given up.

Nothing in it is about a person: what a card reader says of a card, its holder or their age is
left out, so are names and words of those who give orders; what could be a card number is masked
in every text.

Is NOT responsible for where the lines go, or when (`Journal`): they are made by whoever
writes them, for the loop has better things to do.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from vendd.core.plain import plain
from vendd.core.privacy import masked
from vendd.core.sale.acts import Acknowledge
from vendd.core.sale.card_reports import ReaderFault, ReaderMessage
from vendd.core.sale.reports import FaultStarted, Report
from vendd.core.snapshot import Moment, Snapshot
from vendd.services.deciding import Decision
from vendd.services.inbox import Received
from vendd.services.memory import Memory

VERSION: Final = 1
KEY: Final = "vendd_flight"
UNTOLD: Final = {
    "media_id": "",
    "media_hash": "",
    "funds": 0,
    "bits": "",
    "uid": 0,
    **dict.fromkeys(("user", "operator", "by", "decided_by", "closed_by"), "a person"),
    **dict.fromkeys(
        (
            "Ordered.why",
            "PricePending.why",
            "DoubtSet.why",
            "SaleResolved.why",
            "Journalled.why",
            "PlanogramChanged.reason",
        ),
        "said why",
    ),
}
"""What is about a card, its holder or who works at the machine, and what stands in its place.
Nothing is decided on it, but for whether something was said at all."""
_READERS: Final = ("card_reader", "cashless")


@dataclass(frozen=True, slots=True)
class Life:
    """What a recording says of the life that it is of."""

    machine: str
    boot: int
    boot_id: str
    software: str
    config_hash: str
    planogram: int
    price: int


class Journal(Protocol):
    """Where the lines go: a bounded ring on disk. On the loop's thread."""

    def put(self, line: Callable[[], bytes], opening: Callable[[], bytes]) -> None:
        """Soon on disk, as far as the disk takes it; never waits, never raises, costs no fsync.

        `opening` makes the line before it, where `line` is the first of a segment. Both may be
        called on any thread.
        """

    async def close(self) -> None:
        """What was put is on its way to the disk, or given up within seconds."""


class Flight:
    """One life's recorder. All methods on the loop's thread; they only hand over."""

    def __init__(self, journal: Journal, life: Life) -> None:
        self._journal = journal
        self._life = life
        self._n = 0

    def ignored(self, received: Received, why: str, memory: Memory, snapshot: Snapshot) -> None:
        """Nothing was decided on this report; `memory` and `snapshot` as they are."""
        begin = self._begin(memory, snapshot)
        self._n += 1
        self._journal.put(partial(_ignored, self._n, received, why), begin)

    def decided(self, received: Received, it: Decision, memory: Memory, snapshot: Snapshot) -> None:
        """`memory` and `snapshot` as they were before. A mere sign of life is left out."""
        idle = not (it.records or it.acts) and not is_dataclass(it.report)
        if idle and it.memory == memory:
            return
        begin = self._begin(memory, snapshot)
        self._n += 1
        self._journal.put(partial(_decided, self._n, received.at, it), begin)

    def undone(self, why: str, memory: Memory, snapshot: Snapshot) -> None:
        """The commit of the newest decision failed and it was given up."""
        self._journal.put(partial(_undone, self._n, why), self._begin(memory, snapshot))

    def _begin(self, memory: Memory, snapshot: Snapshot) -> Callable[[], bytes]:
        return partial(opening, self._life, self._n, memory, snapshot)


# --- lines --------------------------------------------------------------------------------------


def opening(life: Life, n: int, memory: Memory, snapshot: Snapshot) -> bytes:
    """The first line of a segment; `n` reports of this life came before it."""
    return _line(
        {
            KEY: VERSION,
            **{name: getattr(life, name) for name in life.__dataclass_fields__},
            "n": n,
            "memory": told(memory),
            "snapshot": told(snapshot),
        }
    )


def _decided(n: int, at: float, it: Decision) -> bytes:
    moment = it.world.now
    sale = it.memory.sale
    return _line(
        {
            "n": n,
            **_when(at, moment),
            "report": told(_impersonal(it.report)),
            "hash": digest(it),
            "phase": type(sale.phase).__name__,
            "credit": sale.credit,
            "records": [type(record).__name__ for record in it.records],
            "acts": [type(act).__name__ for act in it.acts],
        }
    )


def _ignored(n: int, received: Received, why: str) -> bytes:
    report = told(_impersonal(received.report))
    return _line({"n": n, "t": round(received.at, 6), "report": report, "ignored": why})


def _undone(n: int, why: str) -> bytes:
    return _line({"undone": n, "why": masked(why)})


def _when(at: float, moment: Moment) -> dict[str, Any]:
    return {"t": round(at, 6), "up": moment.uptime_ms, "wall": moment.wall}


def _line(told_: dict[str, Any]) -> bytes:
    return json.dumps(told_, separators=(",", ":")).encode() + b"\n"


def told(value: Any) -> Any:
    """The plain form of a value in a recording, without anything personal."""
    return plain(value, masked, UNTOLD)


def digest(it: Decision) -> str:
    """What was decided: memory, records and acts. The same in a replay, or it decided otherwise.

    A blink of the display is left out: it may depend on a card's balance, which is not told.
    """
    acts = [act for act in it.acts if not isinstance(act, Acknowledge)]
    text = json.dumps(told((it.memory, it.records, acts)), separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _impersonal(report: Report) -> Report:
    """A reader's own words may name the holder of a card."""
    match report:
        case ReaderMessage():
            return replace(report, text="")
        case ReaderFault():
            return replace(report, detail="")
        case FaultStarted(_, device) if device.startswith(_READERS):
            return replace(report, detail="")
        case _:
            return report
