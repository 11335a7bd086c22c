"""Incidents of a whole machine in virtual time: dumped, and replayed across lives."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from hw_sim.__main__ import main as simulator
from hw_sim.loop import run_virtual
from hw_sim.replay.flight import Tally
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config, seen, select
from tests.flight.tapes import Tape, life, replayed
from tests.sale.worlds import moment, world_with
from vendd.core.operator.orders import (
    CloseClaim,
    CountStock,
    EnterService,
    Inhibit,
    LeaveService,
    Ordered,
    Refill,
    Remove,
    SetPrice,
)
from vendd.core.operator.people import Person, Role
from vendd.core.privacy import card_numbers
from vendd.core.sale.card_reports import AgeVerified, ReaderFault, ReaderMessage, SessionBegun
from vendd.core.sale.reports import ChangerLost, FaultStarted
from vendd.services.deciding import decide
from vendd.services.flight import Flight
from vendd.services.inbox import Received
from vendd.services.memory import Memory
from vendd.store.ring import FOLDER, lines

CARD = "4111 1111 1111 1111"
PLAIN = "5555555555554444"
MEDIA = "04a2b3c4d5e680"
Scenario = Callable[[VirtualMachine], Awaitable[None]]


def recording(scenario: Scenario, **sale: object) -> list[bytes]:
    """What the flight recorder has after the scenario and an orderly stop."""
    found: list[bytes] = []

    async def run() -> None:
        machine = VirtualMachine(config(**sale), 1, recorded=True)
        try:
            await machine.start()
            await seen(machine, "MAKE A SELECTION")
            await scenario(machine)
            await machine.stop()
            found.extend(lines(machine.books() / FOLDER))
        finally:
            machine.close()

    run_virtual(run())
    return found


async def buys(machine: VirtualMachine) -> None:
    machine.changer.insert_coin(200)
    await seen(machine, "CREDIT")
    await select(machine, "A3")


def cut_after(seconds: float, *, power: bool, lands: bool) -> Scenario:
    async def incident(machine: VirtualMachine) -> None:
        await buys(machine)
        await asyncio.sleep(seconds)
        machine.cut(power=power, in_flight_lands=lands)
        await asyncio.sleep(1.0)
        await machine.start()
        await asyncio.sleep(10)

    return incident


def judged(tape: list[bytes]) -> Tally:
    tally, told = replayed(tape)
    assert tally.differences is None, told
    assert tally.incomplete == 0, told
    return tally


@pytest.mark.parametrize("lands", [False, True])
def test_a_cut_sale_replays_across_both_lives(lands: bool) -> None:
    tallies = [
        judged(recording(cut_after(0.02 + 0.55 * n, power=bool(n % 2), lands=lands)))
        for n in range(6)
    ]
    assert {tally.lives for tally in tallies} == {2}
    assert all(tally.decisions > 5 for tally in tallies)


def test_a_decision_that_was_given_up_is_replayed_as_that() -> None:
    async def incident(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        machine.writer.disk_full = True
        await select(machine, "A3")
        await seen(machine, "OUT OF SERVICE")
        machine.writer.disk_full = False
        await seen(machine, "CREDIT")

    tape = recording(incident)
    assert judged(tape).undone == 1
    assert "GIVEN UP: the commit failed" in replayed(tape)[1]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from (name, *texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def test_nothing_personal_is_in_a_dump() -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.daemon is not None
        inbox = machine.daemon._inbox
        inbox.put(SessionBegun(1, 987_654, media_id=MEDIA))
        inbox.put(AgeVerified(1, "a1", verified=True, bits="19800229"))
        inbox.put(ReaderMessage(1, "HELLO JANE DOE", 2.0))
        inbox.put(ReaderFault(1, "bad_card", f"%B{PLAIN}^DOE/JANE^2512"))
        inbox.put(FaultStarted("track", "cashless1", "holder DOE/JANE"))
        inbox.put(FaultStarted("odd", "changer", f"said {CARD}"))
        inbox.put(ChangerLost(f"it said {PLAIN}"))
        await asyncio.sleep(30)
        machine.daemon._inbox.put(FaultStarted("late", "cashless1", "DOE"))
        await asyncio.sleep(1)

    tape = recording(day, show_card_balance=True)
    judged(tape)
    written = b"".join(tape).decode()
    for planted in (CARD, PLAIN, MEDIA, "19800229", "DOE", "JANE", "987654"):
        assert planted not in written
    assert "said 4000 0000 0000 1111" in written
    for line in tape:
        for text in texts(json.loads(line)):
            assert card_numbers(text) == []


ORDERS = (
    EnterService(),
    SetPrice("A3", "cash", 200),
    Refill(),
    CountStock((("A3", 4),)),
    Remove("A3", 1, "expired"),
    CloseClaim("4821", "written_off"),
    LeaveService(),
)


def test_orders_are_replayed_and_name_nobody() -> None:
    anna, bert = Person(4711, "anna.schmidt", Role.OWNER), Person(4712, "bert", None)
    given = [Ordered(n, anna, order, "Herr Meier rief an") for n, order in enumerate(ORDERS, 1)]
    given.append(Ordered(9, bert, Inhibit(on=True), "ich darf das"))
    tape, memory, world = Tape(), Memory(), world_with()
    flight = Flight(tape, life(1))
    for n, order in enumerate(given):
        it = decide(memory, world, order, moment(1_000 * n, 0))
        flight.decided(Received(order, float(n)), it, memory, world)
        memory, world = it.memory, it.after
    assert judged(tape.lines).decisions == len(given)
    assert "books price set: selection A3" in replayed(tape.lines)[1]
    written = b"".join(tape.lines).decode()
    for planted in ("anna", "bert", "Meier", "4711", "ich darf"):
        assert planted not in written


def test_the_simulator_replays_a_dump_by_its_kind(tmp_path: Path, capsys) -> None:
    dump = tmp_path / "incident.jsonl"
    tape = recording(cut_after(1.0, power=True, lands=False))
    dump.write_bytes(b"".join(tape))
    assert simulator(["replay", str(dump)]) == 0
    shown = capsys.readouterr().out
    assert "LIFE 2 of snack-0001" in shown
    assert "every decision is the one that was recorded" in shown
    digest = tape[4].split(b'"hash":"')[1][:16]
    dump.write_bytes(b"".join(tape).replace(digest, b"0" * 16))
    assert simulator(["replay", "--last", "3", str(dump)]) == 5
    shown = capsys.readouterr().out
    assert "1 differences, the first: life 1, report 4" in shown
    assert "LIFE" not in shown
    dump.write_bytes(b"".join(tape)[:-10])
    assert simulator(["replay", str(dump)]) == 2
    assert "was the file cut off?" in capsys.readouterr().err
