"""A driver and a simulated hopper: commands gone wrong, power cuts, several lives (note 31)."""

import asyncio
from typing import Any

import pytest
from cctalk_rig import (
    DISPENSE,
    EURO_TYPE,
    FIFTY_TYPE,
    dispenses,
    make_rig,
    paid_out,
    payout,
    run,
)

from hw_sim.devices.cctalk_hopper import inverted
from vendd.core.sale.reports import (
    ChangerReady,
    PayoutEnded,
    TubesRead,
)
from vendd.ports import Refused
from vendd.wire.cctalk.hopper_payout import Cipher, Plain


@pytest.mark.parametrize(
    ("security", "way"),
    [
        ("cipher", Cipher(inverted, lambda: bytes(8))),
        ("plain", Plain()),
        ("serial", None),
    ],
)
def test_hoppers_of_every_security(security: str, way: Any) -> None:
    async def scenario() -> None:
        rig = make_rig(security=security, way=way)
        await rig.ready()
        ended = await payout(rig)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 3),), certain=True)

    run(scenario())


def test_a_wrong_cipher_pays_nothing_and_says_so() -> None:
    async def scenario() -> None:
        rig = make_rig(security="cipher", way=Cipher(lambda key: key, lambda: bytes(8)))
        await rig.ready()
        with pytest.raises(Refused, match="cipher_key_wrong"):
            await rig.coins.pay_out("p", ((EURO_TYPE, 3),))
        assert paid_out(rig) == 0

    run(scenario())


# what happens to the message that carries the command -> commands carried out by the hopper
LOST = [
    ("reply_lost", 1),
    ("reply_garbled", 1),
    ("reply_truncated", 1),
    ("reply_paused", 1),
    ("reply_late", 1),
    ("echo_missing", 1),
    ("echo_half", 1),
    ("noise", 1),
    ("request_lost", 1),
    ("nak", 1),
    ("busy", 1),
]


@pytest.mark.parametrize(("fault", "carried_out"), LOST)
@pytest.mark.parametrize("counts", [True, False])
def test_a_dispense_command_that_goes_wrong(fault: str, carried_out: int, counts: bool) -> None:
    async def scenario() -> None:
        rig = make_rig(counts=counts)
        await rig.ready()
        rig.wire.faults.arm(fault, header=DISPENSE)
        ended = await payout(rig)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 3),), certain=True)
        assert paid_out(rig) == 3
        assert dispenses(rig) == carried_out

    run(scenario())


@pytest.mark.parametrize("coins_out", [0, 1, 2])
@pytest.mark.parametrize("counts", [True, False])
def test_a_hopper_loses_power_in_a_payout(coins_out: int, counts: bool) -> None:
    async def scenario() -> None:
        rig = make_rig(counts=counts)
        await rig.ready()
        rig.hoppers[EURO_TYPE].cut_after = coins_out
        ended = await payout(rig)
        paid = ((EURO_TYPE, coins_out),) if coins_out else ()
        assert ended == PayoutEnded("p", paid, certain=True, why="power_loss")
        assert paid_out(rig) == coins_out
        await asyncio.sleep(5)
        assert (await payout(rig)).paid == ((EURO_TYPE, 3),), "and works again"

    run(scenario())


def test_a_hopper_is_pulled_and_comes_back_too_late() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        await rig.coins.pay_out("p", ((EURO_TYPE, 10),))
        await asyncio.sleep(0.7)
        rig.hoppers[EURO_TYPE].power_off()
        ended = await rig.inbox.until(PayoutEnded, 40)
        out = paid_out(rig)
        assert not ended.certain
        assert ended.why == "lost"
        assert sum(n for _, n in ended.paid) <= out
        rig.inbox.clear()
        rig.hoppers[EURO_TYPE].power_on()
        tubes = (await rig.inbox.until(TubesRead)).tubes
        assert tubes[0].count == 50 - out, "its lifetime count tells what really left"

    run(scenario())


@pytest.mark.parametrize(
    ("coins", "jam_after", "why"), [(2, None, "empty"), (50, 2, "over_current")]
)
def test_short_payouts(coins: int, jam_after: int | None, why: str) -> None:
    async def scenario() -> None:
        rig = make_rig()
        rig.hoppers[EURO_TYPE].coins = coins
        rig.hoppers[EURO_TYPE].jam_after = jam_after
        await rig.ready()
        ended = await payout(rig, 5)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 2),), certain=True, why=why)
        if why == "empty":
            assert (await rig.inbox.until(TubesRead)).tubes[0].count == 0

    run(scenario())


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0])
def test_the_daemon_dies_between_the_command_and_its_outcome(after_s: float) -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        before = dict(rig.kept.evidence)
        task = asyncio.ensure_future(rig.coins.pay_out("p", ((EURO_TYPE, 3),)))
        await asyncio.sleep(after_s)
        rig.next_life()
        task.cancel()
        rig.coins.recover("p", ((EURO_TYPE, 3),), before)
        ended = await rig.inbox.until(PayoutEnded, 60)
        await asyncio.sleep(5)
        assert ended.certain
        assert sum(n for _, n in ended.paid) == paid_out(rig)
        assert paid_out(rig) in (0, 3)
        assert dispenses(rig) == (paid_out(rig) == 3)

    run(scenario())


def test_refusals_and_withdrawals() -> None:
    async def scenario() -> None:
        rig = make_rig()
        with pytest.raises(Refused):
            await rig.coins.pay_out("early", ((EURO_TYPE, 1),))
        with pytest.raises(Refused):
            await rig.coins.read_tubes()
        await rig.ready()
        for coins in ((), ((0, 1),), ((EURO_TYPE, 0),), ((EURO_TYPE, 1), (EURO_TYPE, 2))):
            with pytest.raises(Refused):
                await rig.coins.pay_out("p", coins)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.0):
                await rig.coins.pay_out("p", ((EURO_TYPE, 1),))
        await asyncio.sleep(5)
        assert dispenses(rig) == 0
        assert rig.inbox.of(PayoutEnded) == []
        await rig.coins.read_tubes()
        with pytest.raises(Refused, match="no recycler"):
            await rig.bills.pay_out("b", ((0, 1),))

    run(scenario())


def test_a_caller_who_gives_up_too_late_still_hears_the_end() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.wire.faults.arm("reply_lost", header=DISPENSE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await rig.coins.pay_out("p", ((EURO_TYPE, 2),))
        ended = await rig.inbox.until(PayoutEnded)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 2),), certain=True)
        assert paid_out(rig) == 2

    run(scenario())


def test_one_missing_hopper_does_not_keep_the_others_from_paying() -> None:
    async def scenario() -> None:
        rig = make_rig()
        rig.hoppers[EURO_TYPE].power_off()
        await rig.ready()
        tubes = rig.inbox.of(ChangerReady)[-1].tubes
        assert [(t.type, t.defective) for t in tubes] == [(EURO_TYPE, True), (FIFTY_TYPE, False)]
        await rig.coins.pay_out("p", ((EURO_TYPE, 1), (FIFTY_TYPE, 2)))
        ended = await rig.inbox.until(PayoutEnded)
        assert ended.paid == ((FIFTY_TYPE, 2),)

    run(scenario())


def test_coins_that_left_unseen_are_found_by_the_lifetime_count() -> None:
    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        hopper = rig.hoppers[EURO_TYPE]
        hopper.coins -= 4  # somebody ran it on the bench
        hopper.dispensed += 4
        await payout(rig, 1)
        await asyncio.sleep(2)
        assert rig.inbox.of(TubesRead)[-1].tubes[0].count == 45 == hopper.coins

    run(scenario())
