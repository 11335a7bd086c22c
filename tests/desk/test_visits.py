"""Orders in a living machine, in virtual time: one commit each, on record, told to the fleet."""

import asyncio

from hw_sim.motor import MotorFaults
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import of_type, play, seen, select, types
from tests.desk.test_orders import ANNA, NOBODY, OTTO
from vendd.config.sections import Price
from vendd.core.operator.orders import (
    CloseClaim,
    EnterService,
    LeaveService,
    Order,
    PutBack,
    SetPrice,
    TryMotor,
)
from vendd.core.operator.people import Person
from vendd.core.operator.verdicts import Decided, Refused, Why
from vendd.store import SqliteBooks, SqliteRecords


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


def test_a_price_that_was_set_waits_for_the_customer_and_outlives_a_power_cut() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        await do(machine, SetPrice("A3", "cash", 150), why="dearer")
        machine.cut(power=True)
        await machine.start()
        await seen(machine, "CREDIT      2.00")
        await asyncio.sleep(5)
        await select(machine, "A3")
        await seen(machine, "CHANGE 0.80")  # the price they saw: 1.20
        await seen(machine, "MAKE A SELECTION")
        machine.changer.truth.take_cup()
        await machine.stop()
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        await select(machine, "A3")
        await seen(machine, "1.50")
        await asyncio.sleep(30)
        sold = (await of_type(machine, "sale-closed"))[0]
        (told,) = await of_type(machine, "planogram-changed")
        assert (told["old"], told["new"]) == ("cash 1.20", "cash 1.50")
        assert told["price_ver"] == sold["price_ver"] + 1

    play(scenario)


def test_the_newest_word_on_a_price_counts_wherever_it_was_said() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        await do(machine, SetPrice("A3", "cash", 150))
        await machine.stop()
        slots = tuple(
            s.model_copy(update={"price": Price(cash="1.90")}) if s.selection == "A3" else s
            for s in machine.config.slot
        )
        machine.config = machine.config.model_copy(update={"slot": slots})
        await machine.start()
        await seen(machine, "MAKE A SELECTION")
        assert machine.daemon is not None
        assert machine.daemon.desk.sight().world.slots["A3"].slot.price() == 190

    play(scenario)


def test_a_claim_is_paid_by_hand_and_the_books_still_balance() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT      2.00")
        machine.line.unplug()
        await asyncio.sleep(1_000)  # idle: what can't be paid becomes a claim
        assert machine.daemon is not None
        ((ref, claim),) = machine.daemon.desk.sight().world.claims.items()
        assert claim.amount == 200
        await do(machine, CloseClaim(ref, "paid_by_hand"), OTTO)
        assert not machine.daemon.desk.sight().world.claims
        assert machine.writer is not None
        assert await SqliteBooks(machine.writer).audit_fully() == []
        (line,) = await SqliteRecords(machine.writer).claims(closed=True, limit=9)
        assert (line.closed_how, line.closed_by) == ("paid_by_hand", "otto")

    play(scenario)


# --- a motor is tried --------------------------------------------------------------------


def level(machine: VirtualMachine, selection: str) -> int:
    assert machine.daemon is not None
    return machine.daemon.desk.sight().world.slots[selection].level


def test_a_tested_motor_moves_a_product_and_sells_none() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        before = level(machine, "A3")
        answer = await give(machine, TryMotor("A3"))
        assert isinstance(answer, Refused)  # customers could be at the keypad
        await do(machine, EnterService())
        tried = await do(machine, TryMotor("A3"))
        assert "a product fell" in tried.said
        assert level(machine, "A3") == before - 1
        await do(machine, PutBack("A3"))
        await do(machine, LeaveService())
        await asyncio.sleep(5)
        assert [s["reason"] for s in await of_type(machine, "stock-changed")] == ["test", "test"]
        told = await types(machine)
        assert not {"sale-closed", "item-dispensed", "security"} & set(told)
        left = (await of_type(machine, "visit"))[-1]
        assert [(t["task"], t["what"]) for t in left["tasks"]] == [("test", "motor A3")]

    play(scenario)


def test_a_motor_that_does_not_move_is_a_fault_and_moves_no_stock() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        before = level(machine, "A3")
        machine.cabinet.motor("A3").set_faults(MotorFaults(stall_at_deg=0))
        await do(machine, EnterService())
        answer = await give(machine, TryMotor("A3"))
        assert isinstance(answer, Refused)
        assert answer.why is Why.FAULT
        assert "never left home" in answer.what
        assert level(machine, "A3") == before
        assert (await journal(machine))[-1] == ("anna", "test motor", "done")

    play(scenario)


def test_one_test_at_a_time_and_nobody_leaves_meanwhile() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        await do(machine, EnterService())
        first = asyncio.create_task(do(machine, TryMotor("A3")))
        await asyncio.sleep(0.5)
        for order in (TryMotor("A4"), LeaveService()):
            answer = await give(machine, order)
            assert isinstance(answer, Refused)
            assert answer.why is Why.STATE
        await first

    play(scenario)


def test_the_power_goes_while_a_tested_spiral_turns() -> None:
    async def scenario(machine: VirtualMachine) -> None:
        before = level(machine, "A3")
        await do(machine, EnterService())
        assert machine.daemon is not None
        task = asyncio.create_task(give(machine, TryMotor("A3")))
        await asyncio.sleep(1.5)  # away from home, nothing fell yet
        task.cancel()
        machine.cut(power=True)
        await machine.start()
        await seen(machine, "OUT OF SERVICE")
        await asyncio.sleep(2)
        assert level(machine, "A3") == before - 1
        assert (await do(machine, TryMotor("A4"))).said  # another can be tried

    play(scenario)
