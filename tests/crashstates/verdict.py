"""One crash state: reopened with the real recovery, and compared with what had been promised.

The books must be exactly those of one commit: of the last one that had returned, or of the next,
which was under way. Every motor that had started has its committed intent in them, every event
that was handed out is in them as it was, no coin left without a decision, and all of it balances.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import Any, cast

from hw_sim import stored
from hw_sim.cut import unrecorded
from hw_sim.stored import Stored
from tests.crashstates.choices import Image
from tests.crashstates.contents import digest, fingerprint
from tests.crashstates.operations import Marked, Operation
from tests.crashstates.recording import Truth
from vendd.config import Config
from vendd.core.planogram import Slot
from vendd.daemon import media
from vendd.ports import Loaded, StoreFailed
from vendd.services import memory
from vendd.store import Database, SqliteBooks, SqliteOutbox

_ALL = 1 << 30


@dataclass(slots=True)
class Promises:
    """What had been acknowledged and handed out up to some operation of a recording.

    `digests`: of the books after every commit of the whole recording, the first one before any;
    `returned`: index of the last one that the daemon knew of; -1 before its first start was done.
    """

    digests: list[str] = field(default_factory=list)
    returned: int = -1
    sent: dict[int, str] = field(default_factory=dict)
    media_key: bytes | None = None

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> "Promises":
        """Before the first operation of that recording."""
        promises = cls()
        for text in (o.text for o in operations if isinstance(o, Marked)):
            word, _, said = text.partition(" ")
            if word != "sent" and promises.digests[-1:] != [said]:
                promises.digests.append(said)
        return promises

    def heard(self, mark: Marked) -> None:
        """The next mark."""
        word, _, said = mark.text.partition(" ")
        if word == "sent":
            seq, _, content = said.partition(" ")
            self.sent[int(seq)] = content
        elif self.returned < 0 or self.digests[self.returned] != said:
            self.returned += 1
            assert self.digests[self.returned] == said

    def allowed(self) -> list[str]:
        """The books that a power cut may leave now."""
        return self.digests[max(0, self.returned) : self.returned + 2]


@dataclass(frozen=True, slots=True)
class Found:
    """What a reopened state says: the same for every state with this digest."""

    books: Stored
    events: Mapping[int, str]
    wrong: tuple[str, ...]


class Examiner:
    """`folder`: somewhere in memory; emptied before each state."""

    def __init__(self, config: Config, truth: Truth, folder: Path) -> None:
        self._config = config
        self._slots = config.slots()  # made anew at each call
        self._truth = truth
        self._folder = folder
        self._found: dict[str, Found] = {}

    def examine(self, image: Image, promises: Promises, at: float) -> list[str]:
        """Every promise that this state of the disk at `at` (seconds since 1970) breaks."""
        self._lay_out(image)
        try:
            says, wrong = self._reopen()
        except StoreFailed as failure:
            return [f"the books do not open: {failure}"]
        findings = list(wrong)
        if says not in promises.allowed():
            findings.append(self._lost(says, promises))
        if says in self._found:
            found = self._found[says]
            findings += found.wrong
            cut = self._truth.cut(found.books, at)
            findings += unrecorded(cut, cast(Config, _Known(self._slots)))
            findings += _events(found, promises)
        key = image.get(media.FILE)
        if promises.media_key not in (None, key):
            findings.append("the key of the media hashes is another one")
        return findings

    def _lay_out(self, image: Image) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        for name, content in image.items():
            (self._folder / name).write_bytes(content)

    def _reopen(self) -> tuple[str, list[str]]:
        """The digest of what is found, and what is wrong with it in itself."""
        database = Database.open(self._folder)
        try:
            connection = database.connection
            says = digest(connection)
            wrong = [
                f"integrity check: {row}"
                for (row,) in connection.execute("PRAGMA integrity_check")
                if row != "ok"
            ]
            keys = connection.execute("PRAGMA foreign_key_check").fetchall()
            wrong += [f"foreign key of {table} row {row}" for table, row, *_ in keys]
        finally:
            database.close()
        if says not in self._found:
            books = stored.read(self._folder)
            self._found[says] = asyncio.run(self._start(books))
        return says, wrong

    async def _start(self, books: Stored) -> Found:
        """What a start does with the books, as far as it needs no hardware."""
        database = Database.open(self._folder)
        try:
            writer = _Inline(database)
            loaded = await SqliteBooks(writer).load(self._config.first_levels())
            wrong = await SqliteBooks(writer).audit_fully()
            outbox = SqliteOutbox(writer)
            events = await outbox.read(0, _ALL)
            wrong += _start_findings(loaded, books, [event.seq for event in events])
            if not 0 <= await outbox.watermark() <= loaded.last_seq:
                wrong.append("the watermark is ahead of the events")
        finally:
            database.close()
        return Found(books, {e.seq: fingerprint(e.data) for e in events}, tuple(wrong))

    @staticmethod
    def _lost(says: str, promises: Promises) -> str:
        if says not in promises.digests:
            return "the books are those of no commit"
        return (
            f"the books are those of commit {promises.digests.index(says)},"
            f" {promises.returned} had returned"
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """As much of a configuration as the physical truth is compared with."""

    known: Mapping[str, Slot]

    def slots(self) -> Mapping[str, Slot]:
        return self.known


class _Inline:
    """`ports.Writer` on the spot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, work: Callable[[Connection], Any]) -> Any:
        (result,) = self._database.transact([work])
        if isinstance(result, Exception):
            raise result
        return result

    def later(self, work: Callable[[Connection], None]) -> None:
        raise AssertionError("nothing is delivered here")


def _start_findings(loaded: Loaded, books: Stored, seqs: Sequence[int]) -> list[str]:
    wrong = []
    try:
        memory.load(loaded.state)
    except ValueError as error:
        wrong.append(str(error))
    if loaded.boot_count != books.boot + 1:
        wrong.append(f"boot {books.boot} is followed by {loaded.boot_count}")
    if list(seqs) != list(range(1, loaded.last_seq + 1)):
        wrong.append(f"{len(seqs)} events, the last seq is {loaded.last_seq}")
    return wrong


def _events(found: Found, promises: Promises) -> list[str]:
    changed = [seq for seq, content in promises.sent.items() if found.events.get(seq) != content]
    return [f"sent and not in the books: seq {', '.join(map(str, changed[:5]))}"] if changed else []
