"""A full outbox: who gives way, what is told about it, and when selling stops (E3)."""

import json
from functools import partial

from store_samples import context, item_dispensed

from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import StoredEvent
from vendd.store import Bounds, SqliteBooks, SqliteOutbox
from vendd.store.thinning import ranges_of

NOW = "2026-02-01T12:00:00.000Z"
MONEY = item_dispensed("s1", 8)
PERIODIC = facts.StockSnapshot(
    "nightly",
    tuple(
        facts.SlotSnapshot(
            f"A{n}", "cola", 3, 10, 10, (facts.ListPrice("cash", 150),), "on_sale", 0
        )
        for n in range(8)
    ),
)
DOOR = facts.Door("opened", 0, sale_in_flight=False)


class Rig:
    """Books on a file with a limit, a forwarder's ear, a disk that says what is left."""

    def __init__(self, writer, *, mib: int = 16, wanted: bool = True) -> None:
        self.writer = writer
        self.books = SqliteBooks(writer)
        self.outbox = SqliteOutbox(writer, context)
        self.heard: list[StoredEvent] = []
        self.disk: int | None = None
        self.bounds = Bounds(
            writer, self.outbox, context, lambda: self.disk, self.heard.extend, wanted=wanted
        )
        self._pages = mib * 256

    async def limited(self) -> "Rig":
        await self.writer.run(lambda c: c.execute(f"PRAGMA max_page_count = {self._pages}"))
        return self

    async def fill(self, *published: Fact, until_free: float, at: str = NOW) -> None:
        """Commit these again and again until no more than that share of the limit is free."""
        room = await self.bounds.room()
        while room.free > until_free * room.limit:
            await self.books.commit(None, list(published) * 40, context(at))
            room = await self.bounds.room()

    async def seqs(self) -> set[int]:
        return {seq for (seq,) in await self.rows("SELECT seq FROM outbox")}

    async def rows(self, sql: str):
        return await self.writer.run(lambda c: c.execute(sql).fetchall())


def thinned(events: list[StoredEvent]) -> set[int]:
    """Every seq that these events say was dropped; each only once."""
    said = [
        seq
        for event in events
        for part in json.loads(event.data)["ranges"]
        for seq in range(part["from_seq"], part["to_seq"] + 1)
    ]
    assert len(said) == len(set(said))
    return set(said)


def test_with_room_nothing_is_touched(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, DOOR, until_free=0.6)
        before = await rig.seqs()
        relief = await rig.bounds.relieve(NOW)
        assert (relief.full, relief.pruned, relief.thinned) == (False, 0, 0)
        assert await rig.seqs() == before

    drive(scenario)


def test_delivered_events_go_before_any_telemetry(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, PERIODIC, DOOR, until_free=0.2)
        newest = max(await rig.seqs())
        rig.outbox.delivered(newest)
        relief = await rig.bounds.relieve(NOW)
        assert relief.pruned > 0
        assert relief.thinned == 0
        assert max(await rig.seqs()) == newest  # the youngest stay: a replay may be asked for
        assert rig.heard == []

    drive(scenario)


def test_what_is_missing_is_exactly_what_the_records_name(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, PERIODIC, MONEY, DOOR, MONEY, until_free=0.15)
        before = await rig.seqs()
        held = dict(await rig.rows("SELECT seq, data FROM outbox WHERE money"))
        kept_from = 500
        relief = await rig.bounds.relieve(NOW, keep_after=kept_from)
        assert not relief.room.below(3)
        assert not relief.full
        after = await rig.seqs()
        gone = before - after
        assert thinned(rig.heard) == gone
        assert min(gone) > kept_from
        records = {event.seq for event in rig.heard}
        assert after - before == records
        assert all(event.type == "vend.outbox-thinned.v1" and event.money for event in rig.heard)
        now_held = dict(await rig.rows("SELECT seq, data FROM outbox WHERE money"))
        assert {seq: now_held[seq] for seq in held} == held  # money stays, byte for byte
        assert (await rig.rows("PRAGMA integrity_check")) == [("ok",)]

    drive(scenario)


def test_what_a_later_one_replaces_goes_first_and_the_oldest_of_it(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, PERIODIC, DOOR, until_free=0.22)
        await rig.bounds.relieve(NOW)
        types = {name for event in rig.heard for name in counts(event)}
        assert types == {"vend.stock-snapshot.v1"}
        left = [s for (s,) in await rig.rows("SELECT seq FROM outbox WHERE type LIKE '%snapshot%'")]
        assert left
        assert max(thinned(rig.heard)) < min(left)

    drive(scenario)


def counts(event: StoredEvent) -> dict[str, int]:
    return {
        name: count
        for part in json.loads(event.data)["ranges"]
        for name, count in part["types"].items()
    }


def test_money_alone_fills_the_file_selling_stops_and_goes_on_when_it_is_drained(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, until_free=0.1)
        assert not (await rig.bounds.relieve(NOW)).full
        await rig.fill(MONEY, until_free=0.055)
        before = await rig.seqs()
        assert (await rig.bounds.relieve(NOW)).full
        assert await rig.seqs() == before  # not one of them went
        rig.outbox.delivered(max(before) // 20)  # a little was drained: not enough yet
        assert (await rig.bounds.relieve(NOW)).full
        rig.outbox.delivered(max(before) // 2)
        relief = await rig.bounds.relieve(NOW)
        assert not relief.full
        assert relief.pruned > 0
        await rig.books.commit(None, [MONEY], context())  # and there was room all the time

    drive(scenario)


def test_a_full_disk_counts_like_a_full_file(drive):
    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, DOOR, until_free=0.7)
        rig.disk = 40 << 20  # the rest is what the write-ahead log needs
        relief = await rig.bounds.relieve(NOW)
        assert relief.thinned > 0
        assert relief.full is (relief.room.free * 16 < relief.room.limit)
        rig.disk = 200 << 20
        assert not (await rig.bounds.relieve(NOW)).full

    drive(scenario)


def test_without_kafka_events_go_by_age_and_what_went_is_told_when_it_is_switched_on(drive):
    async def scenario(writer):
        rig = Rig(writer, wanted=False)
        rig.outbox.delivered(0)
        await rig.books.commit(None, [MONEY, DOOR, MONEY], context("2026-01-01T00:00:00.000Z"))
        await rig.books.commit(None, [DOOR, MONEY], context("2026-01-31T00:00:00.000Z"))
        assert await rig.bounds.discard(30, "2026-02-05T00:00:00.000Z") == 3
        assert await rig.bounds.discard(30, "2026-02-05T00:00:00.000Z") == 0
        assert await rig.seqs() == {4, 5}
        await rig.bounds.announce()
        (event,) = rig.heard
        said = json.loads(event.data)
        assert (said["reason"], said["oldest_kept_seq"]) == ("disabled", 4)
        types = {"vend.item-dispensed.v1": 2, "vend.door.v1": 1}
        assert said["ranges"] == [{"from_seq": 1, "to_seq": 3, "topic": "*", "types": types}]
        await rig.bounds.announce()
        assert len(rig.heard) == 1

    drive(scenario)


def test_without_kafka_a_full_file_stops_nobody(drive):
    async def scenario(writer):
        rig = await Rig(writer, wanted=False).limited()
        await rig.fill(MONEY, until_free=0.04)
        relief = await rig.bounds.relieve(NOW)
        assert not relief.full
        assert not relief.room.below(3)
        assert (await rig.rows("SELECT sum(count) FROM discarded"))[0][0] == relief.pruned

    drive(scenario)


def test_thinning_for_the_links_budget_spares_money_and_names_the_rest(drive):
    async def scenario(writer):
        rig = Rig(writer)
        await rig.books.commit(None, [DOOR, MONEY, DOOR, DOOR, PERIODIC], context())
        (event,) = await rig.outbox.thin([5, 1, 2, 3, 77])
        assert thinned([event]) == {1, 3, 5}
        assert await rig.seqs() == {2, 4, event.seq}
        assert json.loads(event.data)["reason"] == "budget"
        assert await rig.outbox.thin([1, 2]) == []

    drive(scenario)


def test_ranges_are_runs_of_one_topic() -> None:
    rows = [(3, "a", "x"), (4, "a", "y"), (5, "b", "x"), (7, "b", "x"), (8, "b", "x")]
    found = [(r.from_seq, r.to_seq, r.topic, r.types) for r in ranges_of(rows)]
    assert found == [
        (3, 4, "a", {"x": 1, "y": 1}),
        (5, 5, "b", {"x": 1}),
        (7, 8, "b", {"x": 2}),
    ]


def test_thinning_is_all_or_nothing(drive):
    """The deletion and its record share one transaction: neither without the other."""

    async def scenario(writer):
        rig = await Rig(writer).limited()
        await rig.fill(MONEY, DOOR, until_free=0.2)
        before = await rig.seqs()

        def refuse(_ranges, _why, _connection):
            raise RuntimeError("the record can't be written")

        from vendd.store.thinning import TELEMETRY, thin_window

        try:
            await writer.run(partial(thin_window, 0, TELEMETRY, refuse))
        except RuntimeError:
            pass
        else:
            raise AssertionError("not raised")
        assert await rig.seqs() == before

    drive(scenario)
