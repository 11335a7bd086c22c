"""Whole days of the event stream in virtual time: heartbeats, clocks, a store that fills up."""

import asyncio
from dataclasses import replace
from sqlite3 import Connection

from hw_sim.virtual import VirtualMachine
from tests.bench import samples as store_samples
from tests.daemon.virtual import of_type, play, seen, select
from vendd.core import facts
from vendd.store import SqliteBooks


def test_a_quiet_hour_has_its_heartbeats_one_snapshot_and_no_gap() -> None:
    async def day(machine: VirtualMachine) -> None:
        await asyncio.sleep(65 * 60)
        beats = await of_type(machine, "heartbeat")
        assert len(beats) == 5
        assert all(beat["in_service"] for beat in beats)
        assert beats[-1]["disk_free"] == 8 << 30
        assert beats[-1]["config_hash"]
        (snapshot,) = await of_type(machine, "stock-snapshot")
        assert len(snapshot["slots"]) == len(machine.config.slots())
        assert len(await of_type(machine, "cash-level")) == 1
        seqs = sorted({r.seq for r in await machine.events()})
        assert seqs == list(range(1, max(seqs) + 1))

    play(day)


def test_a_clock_that_is_set_says_by_how_much_and_since_which_event() -> None:
    async def day(machine: VirtualMachine) -> None:
        await asyncio.sleep(300)
        known = max(r.seq for r in await machine.events())
        machine.wall.jump(3_600)
        await asyncio.sleep(30)
        (jump,) = await of_type(machine, "clock-set")
        assert (jump["offset_ms"], jump["source"]) == (3_600_000, "jump")
        assert jump["affected_from_seq"] == known + 1

    play(day)


def test_a_clock_that_becomes_trustworthy_is_told_with_the_first_event_of_this_boot() -> None:
    async def day(machine: VirtualMachine) -> None:
        await machine.stop()
        machine.wall.set_synchronised(False)
        before = max(r.seq for r in await machine.events())
        await machine.start()
        await asyncio.sleep(600)
        assert await of_type(machine, "clock-set") == []
        machine.wall.jump(50_000)
        machine.wall.set_synchronised(True)
        await asyncio.sleep(30)
        (told,) = await of_type(machine, "clock-set")
        assert (told["offset_ms"], told["source"]) == (50_000_000, "synchronised")
        assert told["affected_from_seq"] == before + 1
        synced = {r.seq: r.headers["ce_clocksync"] for r in await machine.events()}
        assert synced[before + 1] == "false"

    play(day)


def test_a_disk_that_fills_up_stops_the_machine_in_time_and_lets_it_sell_again() -> None:
    async def day(machine: VirtualMachine) -> None:
        machine.cluster.outage()
        machine.host = replace(machine.host, disk_free=60 << 20)  # less than a sixteenth
        await seen(machine, "OUT OF SERVICE", 120)
        machine.changer.insert_coin(100)  # straight back
        await asyncio.sleep(5)
        assert sum(value for _, value in machine.changer.truth.cup) == 100
        machine.cut(power=True)  # it still knows why it stands still
        machine.changer.power_cycle()
        await asyncio.sleep(2)
        await machine.start()
        await asyncio.sleep(90)
        await seen(machine, "OUT OF SERVICE", 120)
        machine.host = replace(machine.host, disk_free=8 << 30)
        await seen(machine, "MAKE A SELECTION", 180)
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        machine.cluster.restore()
        await asyncio.sleep(120)
        faults = [f for f in await of_type(machine, "fault") if f["code"] == "outbox_full"]
        assert [f["state"] for f in faults] == ["started", "ended", "started", "ended"]
        assert faults[0]["severity"] == "down"
        off = [b for b in await of_type(machine, "heartbeat") if not b["in_service"]]
        assert any("outbox_full" in beat["reasons"] for beat in off)

    play(day)


def test_a_store_too_small_for_a_long_outage_thins_and_goes_on_selling() -> None:
    """The gaps are named to the last seq, money events are all there."""

    async def day(machine: VirtualMachine) -> None:
        assert machine.writer is not None
        machine.cluster.outage()
        await asyncio.sleep(30)
        await machine.writer.run(_small)
        context = replace(store_samples.CONTEXT, machine=machine.config.machine.id)
        months = [facts.Door("opened", 0, sale_in_flight=False)] * 300
        for _ in range(20):
            await SqliteBooks(machine.writer).commit(None, months, context)
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        await asyncio.sleep(120)
        machine.cluster.restore()
        await asyncio.sleep(120)
        events = await machine.events()
        arrived = {r.seq for r in events}
        thinned = {
            seq
            for record in await of_type(machine, "outbox-thinned")
            for part in record["ranges"]
            for seq in range(part["from_seq"], part["to_seq"] + 1)
        }
        assert len(thinned) > 1_000
        assert arrived | thinned == set(range(1, max(arrived) + 1))
        assert not arrived & thinned
        kinds = {r.headers["ce_type"] for r in events}
        assert {"vend.sale-closed.v1", "vend.stock-changed.v1"} <= kinds

    play(day)


def _small(connection: Connection) -> None:
    """Room for 4 MiB more."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1024}")
