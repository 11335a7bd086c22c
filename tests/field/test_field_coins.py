"""What coin changers did in the field, by the row of the field notes."""

import asyncio
from dataclasses import replace

import pytest

from hw_sim.devices.changer_parts import ChangerModel
from tests.field.machine_rig import COIN_TYPES, TUBES, Machine, play
from vendd.core.sale.reports import (
    ChangerReady,
    CoinAccepted,
    CoinPath,
    FaultStarted,
    LeverPressed,
    PayoutEnded,
    TubesRead,
)
from vendd.ports import Refused

BOTH_WAYS = {"by value": ChangerModel(), "coin by coin": ChangerModel(level=2)}
VALUES = {type_: value for value, type_ in COIN_TYPES.items()}
FIFTY = COIN_TYPES[50]
EACH_ONCE = ((3, 1), (2, 1), (1, 1), (0, 1))  # 50, 20, 10, 5: paid in that order either way


def told(end: PayoutEnded) -> int:
    return sum(VALUES[type_] * count for type_, count in end.paid)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("fault", ["payout_jam", "payout_reset", "payout_power_cut"])
def test_row_03_a_payout_stops_midway_and_what_left_is_known(
    fault: str, after: int, way: str
) -> None:
    """`02 04 07` or `0B` in the middle: what was paid comes from the status or the tubes."""

    async def story(machine: Machine) -> None:
        machine.changer.inject(fault, after=after)
        await machine.now.changer.pay_out("p", EACH_ONCE)
        end = await machine.inbox.until(PayoutEnded, 120)
        await asyncio.sleep(10)
        assert machine.inbox.of(PayoutEnded) == [end], "it ends once"
        assert told(end) == machine.changer.truth.cup_total() == (0, 50, 70)[after]
        assert end.why, "that it stopped short is said"

    play(story, changer=BOTH_WAYS[way], ready=[ChangerReady])


def test_row_03_a_tube_that_is_full_and_holds_nothing_is_out_of_use() -> None:
    async def story(machine: Machine) -> None:
        machine.changer.inject("payout_jam", after=1)
        await machine.now.changer.pay_out("p", EACH_ONCE)
        await machine.inbox.until(PayoutEnded, 120)
        await asyncio.sleep(5)
        tubes = machine.inbox.of(TubesRead)[-1].tubes
        assert [tube.value for tube in tubes if tube.defective] == [20]
        assert "tube_jam" in [fault.code for fault in machine.inbox.of(FaultStarted)]

    play(story, ready=[ChangerReady])


def test_row_04_a_value_poll_that_never_ends_is_ended_by_a_reset_and_the_tubes() -> None:
    """The Coges Aeterna: busy for ever, each value poll answered with zero."""

    async def story(machine: Machine) -> None:
        machine.changer.faults.rate("payout_endless", 1.0)
        started = asyncio.get_running_loop().time()
        await machine.now.changer.pay_out("p", ((FIFTY, 2),))
        end = await machine.inbox.until(PayoutEnded, 120)
        assert asyncio.get_running_loop().time() - started < 30.0
        assert told(end) == machine.changer.truth.cup_total() == 100
        machine.changer.faults.clear()
        await asyncio.sleep(10)
        await machine.now.changer.pay_out("q", ((FIFTY, 1),))
        await asyncio.sleep(10)
        assert machine.changer.truth.cup_total() == 150, "it pays again"

    play(story, ready=[ChangerReady])


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_row_05_the_lever_during_a_payout_blocks_nothing(way: str) -> None:
    async def story(machine: Machine) -> None:
        await machine.now.changer.pay_out("p", ((FIFTY, 4),))
        for _ in range(3):
            machine.changer.press_lever()
            await asyncio.sleep(0.3)
        with pytest.raises(Refused):
            await machine.now.changer.pay_out("q", ((FIFTY, 1),))
        with pytest.raises(Refused):
            await machine.now.changer.pay_out("q", ((FIFTY, 1),))
        end = await machine.inbox.until(PayoutEnded, 60)
        assert (end.payout_id, told(end), end.certain) == ("p", 200, True)
        assert machine.inbox.of(LeverPressed)
        await asyncio.sleep(3)
        await machine.now.changer.pay_out("q", ((FIFTY, 1),))
        await asyncio.sleep(10)
        assert [e.payout_id for e in machine.inbox.of(PayoutEnded)] == ["p", "q"]

    play(story, changer=BOTH_WAYS[way], ready=[ChangerReady])


def test_row_07_a_diagnostic_answer_that_is_too_long_and_odd_stops_no_start() -> None:
    async def story(machine: Machine) -> None:
        machine.changer.faults.rate("long_diag", 1.0)
        machine.changer.reset_itself()
        machine.inbox.told.clear()
        await machine.inbox.until(ChangerReady)
        await asyncio.sleep(100)  # and it is asked again and again
        machine.changer.insert_coin(50)
        await asyncio.sleep(2)
        assert [coin.value for coin in machine.inbox.of(CoinAccepted)] == [50]

    play(story, ready=[ChangerReady])


def test_row_07_a_coin_in_the_wrong_tube_is_credited_as_what_it_is() -> None:
    async def story(machine: Machine) -> None:
        machine.changer.inject("wrong_tube")
        machine.changer.insert_coin(50)
        await asyncio.sleep(3)
        assert [coin.value for coin in machine.inbox.of(CoinAccepted)] == [50]
        assert "coin_routing" in [fault.code for fault in machine.inbox.of(FaultStarted)]
        assert machine.inbox.of(TubesRead), "the tubes are read, because who knows"

    play(story, ready=[ChangerReady])


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_row_17_status_bytes_that_nobody_has_defined_are_no_failure(way: str) -> None:
    """A second code of success was once taken for a failure, and goods that came were refunded."""

    async def story(machine: Machine) -> None:
        machine.changer.faults.rate("unknown_status", 1.0)
        await machine.now.changer.pay_out("p", ((FIFTY, 3),))
        end = await machine.inbox.until(PayoutEnded, 60)
        assert (told(end), end.certain, end.why) == (150, True, "")
        assert machine.changer.truth.cup_total() == 150

    play(story, changer=BOTH_WAYS[way], ready=[ChangerReady])


def test_row_20_coins_filled_by_hand_are_unknown_until_the_changer_counts_them() -> None:
    """What lies in a tube is what the changer says, not what somebody put there."""

    async def story(machine: Machine) -> None:
        tube = {t.value: t for t in (await machine.inbox.until(ChangerReady)).tubes}[50]
        assert tube.count == TUBES[50]
        machine.changer.fill_tube(50, 10, counted=False)
        await asyncio.sleep(70)
        known = [
            t.count for read in machine.inbox.of(TubesRead) for t in read.tubes if t.value == 50
        ]
        assert set(known) <= {TUBES[50]}, "nobody has told of them"
        machine.inbox.told.clear()
        machine.changer.fill_tube(50, 5)  # through the changer's own fill mode: it reports them
        await asyncio.sleep(70)
        reads = machine.inbox.of(TubesRead)
        assert [t.count for t in reads[-1].tubes if t.value == 50] == [TUBES[50] + 5]
        assert machine.line.times(b"R,0F,06\n")
        assert machine.line.times(b"R,0F,07\n")

    play(story, ready=[ChangerReady])


def test_row_34_a_full_tube_sends_its_coins_to_the_box_where_no_change_comes_from() -> None:
    async def story(machine: Machine) -> None:
        machine.changer.insert_coin(50)
        await asyncio.sleep(3)
        (coin,) = machine.inbox.of(CoinAccepted)
        assert (coin.path, coin.tube_count) == (CoinPath.BOX, 20)

    play(story, changer=replace(ChangerModel(), capacity={50: 20}), ready=[ChangerReady])
