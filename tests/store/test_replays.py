"""Sending again what was delivered: what is kept, how far it is, dead letters."""

from store_samples import context, item_dispensed

from vendd.ports import Replay
from vendd.store import SqliteBooks, SqliteOutbox
from vendd.store.replays import LONGEST


async def delivered(writer, events: int, up_to: int) -> SqliteOutbox:
    outbox = SqliteOutbox(writer, context)
    facts = [item_dispensed(f"s{n}", 8) for n in range(events)]
    await SqliteBooks(writer).commit(None, facts, context())
    outbox.delivered(up_to)
    return outbox


def test_a_request_gets_what_is_kept_and_what_was_delivered(drive):
    async def scenario(writer):
        outbox = await delivered(writer, 10, up_to=6)
        assert await outbox.ask_replay(3, 99) == Replay(1, 3, 6, 4)
        assert await outbox.ask_replay(7, 10) is None  # they come by themselves
        replay = await outbox.next_replay()
        assert replay == Replay(1, 3, 6)
        assert [event.seq for event in await outbox.read_again(replay, 3)] == [3, 4, 5]
        await outbox.replayed(replay, 6, frozenset())
        replay = await outbox.next_replay()
        assert replay == Replay(1, 6, 6)
        await outbox.replayed(replay, 7, frozenset())
        assert await outbox.next_replay() is None

    drive(scenario)


def test_requests_survive_a_restart_and_are_bounded(drive):
    async def first(writer):
        outbox = await delivered(writer, 5, up_to=5)
        for _ in range(LONGEST):
            assert await outbox.ask_replay(1, 5) is not None
        assert await outbox.ask_replay(1, 5) is None

    async def second(writer):
        return await SqliteOutbox(writer).next_replay()

    drive(first)
    assert drive(second) == Replay(1, 1, 5)


def test_a_dead_letter_that_is_taken_lives_again_and_one_that_is_refused_stays(drive):
    async def scenario(writer):
        outbox = await delivered(writer, 4, up_to=0)
        second, third = await outbox.read(1, 2)
        await outbox.bury(second, "too large")
        await outbox.bury(third, "too large")
        outbox.delivered(4)
        replay = await outbox.ask_replay(1, 4)
        assert replay is not None
        assert replay.events == 4
        again = await outbox.read_again(replay, 10)
        assert [event.seq for event in again] == [1, 2, 3, 4]
        assert again[1] == second
        await outbox.replayed(replay, 5, frozenset({3}))
        assert [event.seq for event, _ in await outbox.dead_letters(0, 10)] == [3]
        assert [event.seq for event in await outbox.read(0, 10)] == [1, 2, 4]

    drive(scenario)


def test_what_the_link_carried_is_remembered(drive):
    async def first(writer):
        outbox = SqliteOutbox(writer)
        assert await outbox.carried() == ("", 0)
        outbox.carry("2026-01-31", 10)
        outbox.carry("2026-01-31", 25)

    async def second(writer):
        return await SqliteOutbox(writer).carried()

    drive(first)
    assert drive(second) == ("2026-01-31", 25)
