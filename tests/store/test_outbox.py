"""The forwarder's side: in order, at least once, and small."""

from store_samples import LEVELS, context, item_dispensed, refused

from vendd.store import SqliteBooks, SqliteOutbox


async def fill(writer, count: int, at: str = "2026-01-31T12:00:00.000Z"):
    books = SqliteBooks(writer)
    facts = [item_dispensed(f"s{n}", 8) for n in range(count)]
    return await books.commit(None, facts, context(at))


def test_the_watermark_survives_with_somebody_elses_commit(drive):
    async def first(writer):
        outbox = SqliteOutbox(writer)
        await fill(writer, 5)
        assert await outbox.watermark() == 0
        commits = writer.counts.commits
        for seq in (1, 2, 4, 3):
            outbox.delivered(seq)
        assert await outbox.watermark() == 4
        await fill(writer, 1)
        return writer.counts.commits - commits

    async def second(writer):
        outbox = SqliteOutbox(writer)
        return await outbox.watermark(), await outbox.depth()

    drive(first, later_after=600.0)
    assert drive(second) == (4, 2)


def test_a_drained_backlog_is_remembered_at_once(drive):
    async def scenario(writer):
        outbox = SqliteOutbox(writer)
        await fill(writer, 1_200)
        assert await outbox.watermark() == 0
        for seq in range(100, 1_300, 100):
            outbox.delivered(seq)
            await outbox.read(0, 1)  # answered after what was asked before
        return await writer.run(lambda c: c.execute("SELECT watermark FROM meta").fetchone()[0])

    assert drive(scenario, later_after=600.0) >= 1_000


def test_a_watermark_beyond_the_books_is_cut_to_what_was_committed(drive):
    async def scenario(writer):
        outbox = SqliteOutbox(writer)
        await fill(writer, 2)
        outbox.delivered(99)
        await fill(writer, 1)
        return await writer.run(lambda c: c.execute("SELECT watermark, seq FROM meta").fetchone())

    watermark, seq = drive(scenario)
    assert watermark <= seq == 3


def test_a_buried_event_is_out_of_the_way_and_on_record(drive):
    async def scenario(writer):
        outbox = SqliteOutbox(writer)
        events = await fill(writer, 3)
        await outbox.bury(events[1], "too large")
        await outbox.bury(events[1], "too large, twice")
        assert [event.seq for event in await outbox.read(0, 10)] == [1, 3]
        assert await outbox.dead_letters(0, 10) == [(events[1], "too large, twice")]

    drive(scenario)


def test_pruning_takes_only_what_is_old_and_acknowledged(drive):
    async def scenario(writer):
        outbox = SqliteOutbox(writer)
        await fill(writer, 450, "2026-01-01T00:00:00.000Z")
        await fill(writer, 10, "2026-03-01T00:00:00.000Z")
        assert await outbox.prune(30, "2026-03-02T00:00:00.000Z") == 0  # nothing acknowledged
        outbox.delivered(440)
        await SqliteBooks(writer).commit(None, [refused()], context("2026-03-01T00:00:00.000Z"))
        assert await outbox.prune(30, "2026-01-15T00:00:00.000Z") == 0  # too young
        assert await outbox.prune(30, "2026-03-02T00:00:00.000Z") == 440
        outbox.delivered(461)
        await SqliteBooks(writer).load(LEVELS)
        assert await outbox.prune(30, "2026-03-02T00:00:00.000Z") == 10
        return [event.seq for event in await outbox.read(0, 100)]

    assert drive(scenario) == list(range(451, 462))
