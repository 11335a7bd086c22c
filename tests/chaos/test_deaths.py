"""Real processes, killed: one death per kind of seam and per phase, and the nets of L3."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from hw_sim.audit.stock import MAY_RUN_ON_S, check_motors
from hw_sim.chaos import AIMED, SALE
from hw_sim.chaos_harm import Blow, Harm
from hw_sim.chaos_plan import Death, Phase, Seam
from hw_sim.chaos_site import Outcome, Site
from hw_sim.machines import MACHINES, PLAIN, coins_only
from hw_sim.opening import SAMPLE, in_real_time
from hw_sim.process import ProcessMachine
from hw_sim.seam_board import Kind, When
from hw_sim.section9 import Row
from hw_sim.world import World
from vendd.config import load

TURNING_S = 1.0  # into the turn: far from home


async def _campaign(
    number: int, deaths: Sequence[Death], *, broken: bool = False, hangs: bool = False
) -> Outcome:
    async with in_real_time(SAMPLE, number, sale=SALE) as machine:
        site = Site(machine, f"test/{number}", print, broken=broken)
        await site.open()
        for death in deaths:
            await site.die(death)
        if hangs:
            await site.strike(Blow(Harm.STOPPED, Phase.RELEASED, 0.0, 2.0))
        return await site.close()


SOUND = (
    (
        Death(1, Phase.KEYED, 0.0, Seam(Kind.COMMIT, When.AFTER, 1), 0.2),
        Death(2, Phase.PAYOUT, 0.1, None, 0.3),
    ),
    (
        Death(3, Phase.TURNING, 0.0, Seam(Kind.GPIO, When.BEFORE, 3), 0.2, again_s=0.4),
        Death(4, Phase.DROPPED, 0.0, Seam(Kind.COMMIT, When.BEFORE, 2), 0.2),
    ),
    (Death(5, Phase.CREDIT, 0.0, Seam(Kind.PTY, When.AFTER, 4), 0.2),),
)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Three machines with a sound daemon and one that acts before it commits, side by side."""

    async def run() -> list[Outcome]:
        phase, seam = AIMED[0]
        return await asyncio.gather(
            *(_campaign(n, deaths, hangs=n == 2) for n, deaths in enumerate(SOUND)),
            _campaign(7, [Death(1, phase, 0.0, seam, 0.2)], broken=True),
        )

    return asyncio.run(run())


def test_deaths_at_instants_and_seams_cost_nothing(outcomes: list[Outcome]) -> None:
    *sound, _ = outcomes
    assert [outcome.findings for outcome in sound] == [[], [], []]
    rows: Counter[Row] = sum((outcome.rows for outcome in sound), Counter())
    assert rows.total() == 6  # one start was killed as well
    assert rows[Row.PAYING_CHANGE] >= 1
    assert rows[Row.NOT_HOME] >= 2


def test_motors_ran_on_for_less_than_half_a_second(outcomes: list[Outcome]) -> None:
    ran_on = [ran for outcome in outcomes for ran in outcome.ran_on]
    assert 0.05 < max(ran_on) <= MAY_RUN_ON_S


def test_a_daemon_that_acts_before_it_commits_is_caught(outcomes: list[Outcome]) -> None:
    assert any("committed intents: 0" in finding for finding in outcomes[-1].findings)


# --- the nets: hardware enable and ExecStopPost ------------------------------------------


class Gate:
    """Daemons start side by side; then they have the processor one after the other, because one
    that is kept from it for half a second loses its motor supply, as it should."""

    def __init__(self, machines: int) -> None:
        self._started = asyncio.Barrier(machines)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with asyncio.timeout(60):
            await self._started.wait()
        async with self._turn:
            yield


@asynccontextmanager
async def _in_mid_turn(
    gate: Gate, *, oneshot: bool, exec_stop_post: bool
) -> AsyncIterator[ProcessMachine]:
    """A machine for coins, without Kafka, whose motor turns far from home."""
    config = coins_only(load(SAMPLE))
    world = World(config, asyncio.get_running_loop(), 1, oneshot=oneshot)
    machine = ProcessMachine(config, SAMPLE, "127.0.0.1:1", world, exec_stop_post=exec_stop_post)
    await machine.open()
    (machine.folder / "vendd.toml.d" / "70-machine.toml").write_text(MACHINES[PLAIN])
    try:
        await machine.start()
        await _shows(machine, "MAKE A SELECTION")
        machine.changer.insert_coin(200)
        await _shows(machine, "CREDIT      2.00")
        async with gate.alone():
            machine.cabinet.press("A")
            await _shows(machine, "SELECTION A_")
            await asyncio.sleep(0.3)
            machine.cabinet.press("3")
            await machine.until(lambda _: bool(machine.cabinet.currents.flowing()), 10)
            await asyncio.sleep(TURNING_S)
            assert machine.cabinet.currents.flowing()
            yield machine
    finally:
        if machine.running:
            await machine.kill()
        await machine.close()


async def _shows(machine: ProcessMachine, words: str) -> None:
    text = await machine.until(lambda t: words in t, 20)
    assert words in text, machine.log_tail()


def _still_on(machine: ProcessMachine) -> list[int]:
    """Motor lines that are active."""
    plan = machine.cabinet.plan
    lines = {line for motor in plan.motors for line in motor.lines}
    on = int(plan.lines_active_high)
    return [line for line in sorted(lines) if machine.cabinet.header.level(line) == on]


@dataclass(frozen=True, slots=True)
class Net:
    """What came of a death or a stop in mid-turn. `said`: the auditor's words."""

    said: list[str]
    lines_on: list[int]


async def _stopped(gate: Gate, *, oneshot: bool) -> Net:
    async with _in_mid_turn(gate, oneshot=oneshot, exec_stop_post=True) as machine:
        os.kill(machine.pid, signal.SIGSTOP)
        at = machine.loop.time()
        await asyncio.sleep(2 * MAY_RUN_ON_S)
        net = Net(list(check_motors(machine.cabinet, [at])), _still_on(machine))
        os.kill(machine.pid, signal.SIGCONT)
        return net


async def _killed(gate: Gate, *, oneshot: bool, exec_stop_post: bool) -> Net:
    async with _in_mid_turn(gate, oneshot=oneshot, exec_stop_post=exec_stop_post) as machine:
        assert _still_on(machine)
        await machine.kill()
        assert machine.died_at is not None
        await asyncio.sleep(2 * MAY_RUN_ON_S)
        return Net(list(check_motors(machine.cabinet, [machine.died_at])), _still_on(machine))


@pytest.fixture(scope="module")
def nets() -> dict[str, Net]:
    """Each net alone, both, and none."""

    async def run() -> dict[str, Net]:
        gate = Gate(5)
        deeds = {
            "stopped": _stopped(gate, oneshot=True),
            "stopped, no enable": _stopped(gate, oneshot=False),
            "killed": _killed(gate, oneshot=True, exec_stop_post=True),
            "killed, no ExecStopPost": _killed(gate, oneshot=True, exec_stop_post=False),
            "killed, no net": _killed(gate, oneshot=False, exec_stop_post=False),
        }
        return dict(zip(deeds, await asyncio.gather(*deeds.values()), strict=True))

    return asyncio.run(run())


def test_a_stopped_daemon_turns_no_motor_for_long(nets: dict[str, Net]) -> None:
    assert nets["stopped"].said == []


def test_without_the_hardware_enable_it_does(nets: dict[str, Net]) -> None:
    assert any("after the daemon had died" in said for said in nets["stopped, no enable"].said)


def test_after_a_kill_no_line_is_on(nets: dict[str, Net]) -> None:
    assert nets["killed"] == Net([], [])


def test_without_exec_stop_post_lines_stay_on(nets: dict[str, Net]) -> None:
    net = nets["killed, no ExecStopPost"]
    assert net.said == []  # the enable alone stopped the motor
    assert net.lines_on


def test_without_any_net_the_motor_turns_on(nets: dict[str, Net]) -> None:
    assert any("still have current" in said for said in nets["killed, no net"].said)
