"""What ccTalk devices did in the field, by the row of the field notes."""

import asyncio
from typing import Any

import pytest

from tests.cctalk.cctalk_rig import (
    EURO_TYPE,
    credit,
    dispenses,
    make_rig,
    paid_out,
    payout,
    run,
)
from vendd.core.sale.reports import PayoutEnded


def test_row_30_half_an_echo_or_none_at_all_costs_no_coin() -> None:
    """One transmission in ten is cut or missing; the event counter remembers what was not heard."""

    class Half:
        """Between host and wire: what the host wrote comes back cut, or not at all, in turn."""

        def __init__(self, wire: Any) -> None:
            self._wire = wire
            self._turn = 0

        def connect(self, transmit: Any) -> None:
            self._wire.connect(lambda data: self._pass(data, transmit))

        def power_on(self) -> None:
            self._wire.power_on()

        def received(self, data: bytes) -> None:
            self._wire.received(data)

        def _pass(self, data: bytes, transmit: Any) -> None:
            self._turn = (self._turn + 1) % 23
            if self._turn == 1:
                return
            transmit(data[: len(data) // 2] if self._turn == 12 else data)

    async def scenario() -> None:
        rig = make_rig(wrap=Half)
        await rig.ready()
        await asyncio.sleep(10)
        for _ in range(30):
            rig.acceptor.insert(100)
            await asyncio.sleep(2)
        assert credit(rig) == 3000 - rig.acceptor.returned > 0
        assert rig.bus.counters.garbled > 20

    run(scenario())


@pytest.mark.parametrize("registers", [(0x00, 0x04, 0xE0), (0x40, 0x02, 0x20)])
def test_row_17_register_bits_that_nobody_has_defined_are_no_failure(
    registers: tuple[int, int, int],
) -> None:
    """Known ones that say nothing of a fault are none either (another hopper, single coins)."""

    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        rig.hoppers[EURO_TYPE].registers[:] = registers
        ended = await payout(rig)
        assert ended == PayoutEnded("p", ((EURO_TYPE, 3),), certain=True)
        assert paid_out(rig) == 3

    run(scenario())


@pytest.mark.parametrize("coins_out", [0, 1, 2])
@pytest.mark.parametrize("dies_after_s", [0.05, 0.15, 0.4, 1.0])
def test_row_31_the_daemon_and_the_hopper_die_between_167_and_166(
    dies_after_s: float, coins_out: int
) -> None:
    """Both lose it: counter 0 and the flag of a power-down are all that the next life finds."""

    async def scenario() -> None:
        rig = make_rig()
        await rig.ready()
        before = dict(rig.kept.evidence)
        rig.hoppers[EURO_TYPE].cut_after = coins_out
        task = asyncio.ensure_future(rig.coins.pay_out("p", ((EURO_TYPE, 3),)))
        await asyncio.sleep(dies_after_s)
        rig.next_life()
        task.cancel()
        rig.coins.recover("p", ((EURO_TYPE, 3),), before)
        ended = await rig.inbox.until(PayoutEnded, 90)
        await asyncio.sleep(20)
        assert rig.inbox.of(PayoutEnded) == [ended]
        assert sum(count for _, count in ended.paid) == paid_out(rig) <= coins_out
        assert dispenses(rig) <= 1, "never again without proof"

    run(scenario())
