"""Machines' histories between the database and memory.

The lock on a machine's row comes first: whoever holds it is the only one who numbers lives and
extends ranges of that machine. A history that nobody else changed since is taken from memory.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from vendd.fleet.database import Database, Session, Upsert
from vendd.fleet.history import History, Life
from vendd.fleet.spans import Spans
from vendd.fleet.tables import LIVES, Row

_KEPT: Final = 20_000
_CHUNK: Final = 500
_SPANS: Final = Upsert(
    "spans",
    ("machine", "life", "first_seq", "last_seq"),
    "(machine, life, first_seq) DO UPDATE SET last_seq = excluded.last_seq",
)
_Item = TypeVar("_Item")


class Archive:
    """Histories of the machines that this process met lately."""

    def __init__(self, database: Database) -> None:
        self._lock = database.lock
        self._kept: OrderedDict[str, History] = OrderedDict()

    def open(self, session: Session, machines: Iterable[str], now_ms: int) -> dict[str, History]:
        """The histories of `machines`, theirs alone until the transaction ends."""
        names = sorted(set(machines))
        versions = self._locked(session, names)
        new = [name for name in names if name not in versions]
        if new:
            session.many(
                "INSERT INTO machines (machine, version, first_ms, last_ms, duplicates, conflicts)"
                " VALUES (?, 0, ?, 0, 0, 0) ON CONFLICT (machine) DO NOTHING",
                [(name, now_ms) for name in new],
            )
            versions |= self._locked(session, new)
        opened: dict[str, History] = {}
        stale: list[str] = []
        for name in names:
            history = self._kept.get(name)
            if history is not None and history.version == versions[name]:
                self._kept.move_to_end(name)
                opened[name] = history
            else:
                stale.append(name)
        for history in _loaded(session, stale, versions):
            opened[history.machine] = self._kept[history.machine] = history
        while len(self._kept) > max(_KEPT, len(opened)):
            self._kept.popitem(last=False)
        return opened

    def save(self, session: Session, histories: Iterable[History]) -> None:
        """What changed in histories that were opened in this transaction."""
        lives: list[Row] = []
        gone: list[Row] = []
        new: list[Row] = []
        machines: list[Row] = []
        for history in histories:
            history.settle()
            history.version += 1
            counted = (history.duplicates, history.conflicts)
            machines.append((history.version, history.last_ms, *counted, history.machine))
            history.duplicates = history.conflicts = 0
            for life in history.lives.values():
                if not life.dirty:
                    continue
                key = (history.machine, life.number)
                lives.append((*key, life.bootid, life.bootcount, life.epoch, *_extent(life)))
                ranges = frozenset(life.seen)
                firsts = {first for first, _ in ranges}
                gone += [(*key, first) for first, _ in life.stored if first not in firsts]
                new += [(*key, *each) for each in ranges - life.stored]
                life.stored, life.dirty = ranges, False
        if lives:
            LIVES.write(session, lives)
        if gone:
            session.many("DELETE FROM spans WHERE machine = ? AND life = ? AND first_seq = ?", gone)
        if new:
            session.merge(_SPANS, new)
        session.many(
            "UPDATE machines SET version = ?, last_ms = ?, duplicates = duplicates + ?,"
            " conflicts = conflicts + ? WHERE machine = ?",
            machines,
        )

    def forget(self) -> None:
        """The transaction failed: what memory holds never happened."""
        self._kept.clear()

    def _locked(self, session: Session, names: Sequence[str]) -> dict[str, int]:
        versions: dict[str, int] = {}
        for chunk in _chunks(names):
            versions |= dict(
                session.rows(
                    f"SELECT machine, version FROM machines WHERE machine IN ({_marks(chunk)})"
                    f" ORDER BY machine{self._lock}",
                    chunk,
                )
            )
        return versions


def _loaded(session: Session, names: Sequence[str], versions: dict[str, int]) -> Iterable[History]:
    for chunk in _chunks(names):
        histories = {name: History(name, versions[name]) for name in chunk}
        inside = f"WHERE machine IN ({_marks(chunk)})"
        for name, last_ms in session.rows(f"SELECT machine, last_ms FROM machines {inside}", chunk):
            histories[name].last_ms = last_ms
        lives: dict[tuple[str, int], Life] = {}
        for name, number, bootid, bootcount, epoch, first, last, low, high in session.rows(
            f"SELECT {', '.join(LIVES.columns)} FROM lives {inside} ORDER BY machine, life", chunk
        ):
            life = Life(number, bootid, bootcount, first, last, low, high, epoch)
            histories[name].lives[bootid, bootcount] = lives[name, number] = life
        ranges: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for name, number, first, last in session.rows(
            f"SELECT machine, life, first_seq, last_seq FROM spans {inside}"
            " ORDER BY machine, life, first_seq",
            chunk,
        ):
            ranges.setdefault((name, number), []).append((first, last))
        for key, known in ranges.items():
            lives[key].seen, lives[key].stored = Spans(known), frozenset(known)
        yield from histories.values()


def _extent(life: Life) -> tuple[int, int, int, int]:
    return life.first_ms, life.last_ms, life.low, life.high


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    for begin in range(0, len(items), _CHUNK):
        yield items[begin : begin + _CHUNK]
