"""The engine's order: decide, commit, then act; and what it does when a commit fails."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

from hw_sim.loop import run_virtual
from vendd.core.facts import Fact, Fault
from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy
from vendd.core.rows import Record, Reserved
from vendd.core.sale.reports import (
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    DeviceIdentity,
    DoorMoved,
    DropSeen,
    KeyPressed,
    PayoutEnded,
    Report,
    Started,
    Timer,
    TimerFired,
    Tube,
    TurnEnded,
    TurnResult,
)
from vendd.core.sale.states import (
    Credit,
    Idle,
    Vending,
)
from vendd.core.snapshot import Moment, SlotView, Snapshot
from vendd.events import encode
from vendd.events.context import Context
from vendd.ports import Loaded, StoredEvent, StoreFailed
from vendd.services.dispensing import Dispensing
from vendd.services.inbox import Inbox, Received
from vendd.services.memory import Memory
from vendd.services.notification import Notification
from vendd.services.payment import Devices, Payment
from vendd.services.transaction import Crew, Engine


class Diary:
    """What happened in which order, told by every fake."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failures = 0
        self.records: list[Record] = []
        self.shown: tuple[str, ...] = ()
        self.accepted: frozenset[int] = frozenset()


class FakeBooks:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.seq = 0

    async def load(self, first_levels: object) -> Loaded:
        raise AssertionError("not in these tests")

    async def commit(
        self, state: bytes | None, records: Sequence[Record], context: Context
    ) -> list[StoredEvent]:
        self.diary.lines.append("asked to commit")
        await asyncio.sleep(0.03)
        if self.diary.failures:
            self.diary.failures -= 1
            raise StoreFailed("database or disk is full")
        self.diary.records.extend(records)
        self.diary.lines.append("durable")
        facts = [r for r in records if isinstance(r, Fact)]
        self.seq += len(facts)
        return [encode(fact, self.seq, 1, context) for fact in facts]

    async def close(self, *, clean: bool) -> None:
        raise AssertionError("not in these tests")


class FakeMotors:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary

    def turn(self, attempt_id: str, motors: tuple[str, ...]) -> None:
        self.diary.lines.append(f"turn {attempt_id}")

    def stop(self) -> None:
        self.diary.lines.append("stop")

    async def at_home(self, motor: str) -> bool | None:
        return True


class FakeChanger:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary

    def accept(self, coin_types: frozenset[int]) -> None:
        self.diary.accepted = coin_types

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        self.diary.lines.append(f"pay {payout_id}")

    async def read_tubes(self) -> None:
        return


class FakeDisplay:
    columns, rows = 16, 2

    def __init__(self, diary: Diary) -> None:
        self.diary = diary

    def show(self, lines: tuple[str, ...]) -> None:
        self.diary.shown = lines

    def blink(self) -> None:
        self.diary.lines.append("blink")


class FakeEvents:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary

    def committed(self, events: Iterable[StoredEvent]) -> None:
        for event in events:
            self.diary.lines.append(event.type.removeprefix("vend.").removesuffix(".v1"))


COINS = tuple(Coin(i, value, True) for i, value in enumerate((10, 50, 100, 200)))
TUBES = tuple(Tube(c.type, c.value, 10) for c in COINS)
READY = ChangerReady(DeviceIdentity(), COINS, TUBES)
TWO_EUROS = CoinAccepted(3, 200, CoinPath.TUBE, 11)


def engine_of(diary: Diary) -> Engine:
    loop = asyncio.get_running_loop()
    inbox = Inbox(loop)
    slot = Slot("A3", 3, Product("cola", "Cola"), ("A3",), 10, 8, 2, {"cash": 150})
    crew = Crew(
        books=FakeBooks(diary),
        payment=Payment(Devices(FakeChanger(diary)), inbox, loop, random.Random(1)),
        dispensing=Dispensing(FakeMotors(diary), inbox, loop),
        notification=Notification(),
        display=FakeDisplay(diary),
        events=FakeEvents(diary),
    )
    wall = "2026-03-02T08:00:00.000Z"

    def context(moment: Moment, actor: str) -> Context:
        return Context("m1", "b", 1, moment.uptime_ms, wall, True, "EUR", 2, "0", "c", 1, 1, actor)

    return Engine(
        loop,
        inbox,
        crew,
        Snapshot({"A3": SlotView(slot, 5)}, Policy()),
        Memory(),
        lambda at: Moment(int(at * 1000), wall),
        context,
    )


def with_engine(test: Callable[[Engine, Diary], Awaitable[None]]) -> None:
    async def run() -> None:
        diary = Diary()
        engine = engine_of(diary)
        await feed(engine, Started("planned"), READY)
        diary.lines.clear()
        await test(engine, diary)

    run_virtual(run())


async def feed(engine: Engine, *reports: Report) -> None:
    for report in reports:
        await engine.handle(Received(report, asyncio.get_running_loop().time()))


def test_the_motor_turns_only_after_the_commit_that_intends_it() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, TWO_EUROS, KeyPressed("A"))
        diary.lines.clear()
        await feed(engine, KeyPressed("3"))
        assert diary.lines == ["asked to commit", "durable", "turn s1.1"]
        assert any(isinstance(r, Reserved) for r in diary.records)

    with_engine(test)


def test_a_first_key_costs_no_commit() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, KeyPressed("A"))
        assert diary.lines == []
        assert diary.shown[0] == "SELECTION A_"

    with_engine(test)


def test_a_coin_is_decided_again_until_it_is_on_record() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        diary.failures = 3
        await feed(engine, TWO_EUROS)
        assert diary.lines.count("asked to commit") == 4
        assert engine.memory.sale.credit == 200
        assert isinstance(engine.memory.sale.phase, Credit)
        assert not engine.failing

    with_engine(test)


def test_while_commits_fail_no_money_is_taken_and_the_display_says_so() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        assert diary.accepted
        diary.failures = 100
        waiting = asyncio.ensure_future(feed(engine, TWO_EUROS))
        await asyncio.sleep(0.5)
        assert diary.accepted == frozenset()
        assert diary.shown[0] == "OUT OF SERVICE"
        diary.failures = 0
        await waiting
        assert diary.shown[0] == "CREDIT      2.00"

    with_engine(test)


def test_a_selection_that_can_not_be_committed_is_dropped_and_nothing_moves() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, TWO_EUROS, KeyPressed("A"))
        diary.lines.clear()
        diary.failures = 1
        await feed(engine, KeyPressed("3"))
        assert diary.lines == ["asked to commit"]
        assert not isinstance(engine.memory.sale.phase, Vending)
        assert engine.snapshot.slots["A3"].reserved == 0

    with_engine(test)


def test_events_are_handed_on_only_when_durable() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, DoorMoved(open=True))
        assert diary.lines == ["asked to commit", "durable", "door"]

    with_engine(test)


def test_the_door_as_the_books_have_it_says_nothing() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, DoorMoved(open=False))
        assert diary.lines == []

    with_engine(test)


def test_a_timer_that_was_disarmed_while_it_waited_is_never_delivered() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        await feed(engine, TWO_EUROS)
        loop = asyncio.get_running_loop()
        stale = Received(TimerFired(Timer.IDLE), loop.time(), object())
        await engine.handle(stale)
        assert engine.memory.sale.credit == 200
        assert isinstance(engine.memory.sale.phase, Credit)

    with_engine(test)


def test_idle_credit_goes_back_by_the_timer_that_was_armed() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        running = asyncio.ensure_future(engine.run())
        await feed(engine, TWO_EUROS)
        await asyncio.sleep(301)
        assert "pay p1" in diary.lines
        running.cancel()

    with_engine(test)


def test_nothing_is_left_when_nothing_happened() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        assert isinstance(engine.memory.sale.phase, Idle)
        assert engine.at_rest.is_set()

    with_engine(test)


def test_keys_that_came_while_money_went_out_are_not_remembered() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        over = TurnEnded("s1.1", TurnResult.HOME, at_home=True)
        await feed(engine, TWO_EUROS, KeyPressed("A"), KeyPressed("3"), over, DropSeen())
        diary.lines.clear()
        paid = PayoutEnded("p1", ((1, 1),), certain=True)
        settling = asyncio.ensure_future(feed(engine, paid))  # its commit takes a moment
        await asyncio.sleep(0.01)
        assert diary.shown[0] == "PAYING CHANGE"
        late = Received(KeyPressed("A"), asyncio.get_running_loop().time())
        await settling
        await engine.handle(late)
        assert engine.memory.sale.entry == ""
        assert "blink" in diary.lines  # R9: it was noticed
        await feed(engine, KeyPressed("A"))
        assert engine.memory.sale.entry == "A"

    with_engine(test)


def test_commits_are_tried_again_although_the_key_was_dropped() -> None:
    async def test(engine: Engine, diary: Diary) -> None:
        running = asyncio.ensure_future(engine.run())
        await feed(engine, TWO_EUROS, KeyPressed("A"))
        diary.failures = 5
        await feed(engine, KeyPressed("3"))
        assert diary.shown[0] == "OUT OF SERVICE"
        await asyncio.sleep(10)
        assert not engine.failing
        assert diary.shown[0] == "CREDIT      2.00"
        faults = [r.state for r in diary.records if isinstance(r, Fault)]
        assert faults == ["started", "ended"]
        running.cancel()

    with_engine(test)
