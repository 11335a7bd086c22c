"""What whole buses did in the field, by the row of the field notes."""

import asyncio
import os
import tty
from itertools import pairwise

from hw_sim.devices.card_reader import Card
from tests.field.machine_rig import Machine, play
from vendd.core.sale.bill_reports import BillValidatorLost, BillValidatorReady
from vendd.core.sale.card_reports import CardReaderLost, CardReaderReady, SessionBegun
from vendd.core.sale.reports import ChangerLost, ChangerReady, CoinAccepted
from vendd.drivers.serial_wire import open_serial

READY = (ChangerReady, BillValidatorReady, CardReaderReady)
LOST = (ChangerLost, BillValidatorLost, CardReaderLost)
RESETS = {"changer": b"R,08\n", "bills": b"R,30\n", "reader 1": b"R,10\n", "reader 2": b"R,60\n"}
LONG_S = 600.0


def test_row_06_all_devices_offline_for_long_is_four_events_and_no_storm() -> None:
    async def story(machine: Machine) -> None:
        machine.inbox.told.clear()
        machine.changer.unplug()
        machine.bills.unplug()
        for reader in machine.readers:
            reader.lose_power()
        off_at = asyncio.get_running_loop().time()
        await asyncio.sleep(LONG_S)
        assert len(machine.inbox.of(*LOST)) == 4, "one per device"
        assert len(machine.inbox.told) == 4
        for name, reset in RESETS.items():
            at = machine.line.times(reset, since=off_at)
            assert all(b - a > 9.9 for a, b in pairwise(at)), name
            assert 55 < len(at) <= 61, name
        assert len(machine.line.written) < 42 * LONG_S, "silence is no reason to hurry"
        machine.inbox.told.clear()
        machine.changer.plug()
        machine.bills.plug()
        for reader in machine.readers:
            reader.plug()
        await asyncio.sleep(30)
        assert len(machine.inbox.of(*READY)) == 4, "and all are back"
        machine.changer.insert_coin(50)
        assert machine.readers[0].tap(Card())
        await asyncio.sleep(2)
        assert machine.inbox.of(CoinAccepted)
        assert machine.inbox.of(SessionBegun)

    play(story, ready=READY)


def test_row_06_one_dead_device_slows_down_no_other() -> None:
    async def story(machine: Machine) -> None:
        machine.bills.unplug()
        for reader in machine.readers:
            reader.lose_power()
        await asyncio.sleep(60)
        machine.inbox.told.clear()
        since = asyncio.get_running_loop().time()
        for _ in range(20):
            machine.changer.insert_coin(20)
            await asyncio.sleep(2)
        assert len(machine.inbox.of(CoinAccepted)) == 20
        polls = machine.line.times(b"R,0B\n", since=since)
        assert max(b - a for a, b in pairwise(polls)) < 0.2, "polled every 200 ms at least"

    play(story, ready=READY)


def test_row_10_a_changer_that_resets_itself_again_and_again_gets_no_tight_loop() -> None:
    async def story(machine: Machine) -> None:
        begun = asyncio.get_running_loop().time()
        for _ in range(150):
            machine.changer.reset_itself()
            await asyncio.sleep(2)
        setups = machine.line.times(b"R,09\n", since=begun)
        assert len(setups) < 100
        assert len(machine.line.times(b"R,08\n", since=begun)) == 0, "JUST RESET needs no RESET"
        await asyncio.sleep(120)
        machine.inbox.told.clear()
        machine.changer.insert_coin(50)
        await asyncio.sleep(2)
        assert [coin.value for coin in machine.inbox.of(CoinAccepted)] == [50]

    play(story, ready=READY)


def test_row_29_every_byte_passes_a_real_serial_line_as_it_is() -> None:
    """FF is data, as much as the bytes that a terminal takes for itself."""
    everything = bytes(range(256)) + b"\xff\xff\x00\xff\x00\x11\x13\x03\r\n" * 4

    async def there_and_back() -> None:
        far, near = os.openpty()
        tty.setcbreak(far)
        os.set_blocking(far, False)
        loop = asyncio.get_running_loop()
        heard, sent, whole = bytearray(), bytearray(), asyncio.Event()

        def came(where: bytearray, data: bytes) -> None:
            where += data
            if len(heard) == len(sent) == len(everything):
                whole.set()

        wire = open_serial(
            os.ttyname(near), 9600, lambda data: came(heard, data), lambda error: None
        )
        loop.add_reader(far, lambda: came(sent, os.read(far, 4096)))
        wire.write(everything)
        os.write(far, everything)
        async with asyncio.timeout(10):
            await whole.wait()
        loop.remove_reader(far)
        wire.close()
        os.close(far)
        os.close(near)
        assert bytes(heard) == everything
        assert bytes(sent) == everything

    asyncio.run(there_and_back())
