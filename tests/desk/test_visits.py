"""Orders in a living machine, in virtual time: one commit each, on record, told to the fleet."""

import asyncio

from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import of_type, play, seen, types
from tests.desk.test_orders import ANNA, NOBODY
from vendd.core.operator.orders import EnterService, LeaveService, Order
from vendd.core.operator.people import Person
from vendd.core.operator.verdicts import Decided, Refused, Why
from vendd.store import SqliteRecords


async def give(
    machine: VirtualMachine, order: Order, person: Person = ANNA, **more: object
) -> Decided | Refused:
    assert machine.daemon is not None
    return await machine.daemon.desk.order(person, order, **more)  # type: ignore[arg-type]


async def do(
    machine: VirtualMachine, order: Order, person: Person = ANNA, **more: object
) -> Decided:
    answer = await give(machine, order, person, **more)
    assert isinstance(answer, Decided), answer
    return answer


async def journal(machine: VirtualMachine) -> list[tuple[str, str, str]]:
    """(person, action, outcome), oldest first."""
    assert machine.writer is not None
    lines = await SqliteRecords(machine.writer).journal(None, 100)
    return [(line.user, line.action, line.outcome) for line in reversed(lines)]


def test_a_visit_returns_the_credit_first_and_is_told_with_its_person() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(100)
        await seen(machine, "CREDIT      1.00")
        await do(machine, EnterService(), why="refill")
        await seen(machine, "OUT OF SERVICE")
        assert machine.changer.truth.cup_total() == 100
        machine.changer.truth.take_cup()
        await do(machine, LeaveService())
        await seen(machine, "MAKE A SELECTION")
        await asyncio.sleep(5)
        entered, left = await of_type(machine, "visit")
        assert entered["actor"] == {"kind": "technician", "id": "anna"}
        assert (entered["state"], left["state"]) == ("entered", "left")
        assert await journal(machine) == [
            ("anna", "service enter", "done"),
            ("anna", "service leave", "done"),
        ]

    play(scenario)


def test_a_preview_changes_nothing() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        answer = await do(machine, EnterService(), preview=True)
        assert [c.after for c in answer.changes] == [False]
        await asyncio.sleep(2)
        await seen(machine, "MAKE A SELECTION")
        assert await journal(machine) == []
        assert "visit" not in await types(machine)

    play(scenario)


def test_strangers_are_refused_and_on_record_but_can_t_flood_it() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        answer = await give(machine, EnterService(), NOBODY)
        assert isinstance(answer, Refused)
        assert answer.why is Why.NOT_ALLOWED
        assert machine.daemon is not None
        for _ in range(50):
            machine.daemon.desk.turn_away(NOBODY, "GET /v1/status")
        await asyncio.sleep(5)
        refusals = await of_type(machine, "security")
        assert [r["kind"] for r in refusals] == ["refused_local_order"] * 7
        assert {line[2] for line in await journal(machine)} == {"refused"}

    play(scenario)


def test_a_visit_outlives_a_power_cut() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        await do(machine, EnterService())
        machine.cut(power=True)
        await machine.start()
        await seen(machine, "OUT OF SERVICE")
        assert isinstance(await give(machine, EnterService()), Refused)
        await do(machine, LeaveService())
        await seen(machine, "MAKE A SELECTION")

    play(scenario)


def test_an_order_that_can_t_be_committed_did_not_happen() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.writer.fail_next(1)
        answer = await give(machine, EnterService())
        assert isinstance(answer, Refused)
        assert answer.why is Why.STORE
        await seen(machine, "MAKE A SELECTION")
        assert machine.daemon is not None
        assert machine.daemon.desk.sight().kept.visit is None

    play(scenario)


def test_an_order_that_the_engine_does_not_come_to_is_withdrawn() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        assert machine.daemon is not None
        desk, put = machine.daemon.desk, machine.daemon.desk.put
        held: list[object] = []
        desk.put = held.append
        try:
            await give(machine, EnterService())
        except TimeoutError:
            pass
        else:
            raise AssertionError("it was answered")
        assert put is not None
        for report in held:
            put(report)  # type: ignore[arg-type]
        await asyncio.sleep(2)
        await seen(machine, "MAKE A SELECTION")
        assert await journal(machine) == []

    play(scenario)
