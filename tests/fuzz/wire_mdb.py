"""The drivers of the multi-drop bus behind both adapters, on a wire that carries anything."""

import asyncio
import itertools
import re
from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.adapter_lines import clean_data
from tests.fuzz.bill_talk import TABLES as BILLS
from tests.fuzz.changer_talk import FOUND, TUBES, deposits
from tests.fuzz.changer_talk import TABLES as COINS
from tests.fuzz.counts import Counts
from tests.fuzz.edits import edited
from tests.fuzz.mdb_steps import SaneDevice
from tests.fuzz.reader_talk import TABLES as READERS
from tests.fuzz.reader_talk import for_device
from tests.fuzz.wires import (
    LASTS_S,
    ORDERS,
    TOLD,
    UNASKED,
    Case,
    Inbox,
    Line,
    Told,
    Wishes,
    judge,
    quietly,
)
from vendd.core.sale.card_reports import VendApproved
from vendd.drivers.bill_validator import BillRules, MdbBillValidator
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.changer import ChangerRules, MdbChanger
from vendd.drivers.mdb_bus import MdbBus
from vendd.drivers.waferstar import waferstar_bus

TELLING = (
    "", "4105", "5205", "0B", "01", "80", "92", "B0", "06", "00", "0303E8", "050096", "06", "07",
    "0404", "0A80", "41054105", "8080",
)  # fmt: skip
POLLED = st.sampled_from([bytes.fromhex(text) for text in TELLING])
CASES = st.tuples(
    st.booleans(),  # good until it is up
    st.lists(TOLD, min_size=1, max_size=40),
    st.lists(POLLED, max_size=6),
    UNASKED,
    ORDERS,
)


# Tubes that can't tell of coins whose report was lost: money is what was said.
FULL = {"0A": "0000 FFFFFFFFFF"}
TUBE_STATUS = (b"R,0A\n", b"\x0a")


class MdbDevices:
    """Four good devices; POLL answers are taken from `polled` as long as there are some."""

    def __init__(self, polled: list[bytes]) -> None:
        self._polled = iter(polled)
        self._devices = {
            0x08: SaneDevice(COINS["level 3"] | FULL, "08", "0B", "0B"),
            0x30: SaneDevice(BILLS["recycler"], "30", "33", "06"),
            0x10: SaneDevice(for_device(READERS["level 3"], 1), "10", "12", "00"),
            0x60: SaneDevice(for_device(READERS["level 1"], 2), "60", "62", "00"),
        }

    def data(self, command: bytes) -> bytes:
        device = self._devices.get(command[0] & 0xF8)
        if device is None:
            return b""
        answer = device.answer(command)
        if not answer and command in (b"\x0b", b"\x33", b"\x12", b"\x62"):
            return next(self._polled, b"")
        return answer


def qibixx(devices: MdbDevices) -> Callable[[bytes, Told], list[bytes]]:
    """The far end as an adapter with lines; its version is told unless the script says else."""

    def answer(written: bytes, told: Told) -> list[bytes]:
        lines = []
        for line in written.split(b"\n"):
            if line == b"V":
                lines.append(b"v,1")
            elif line.startswith(b"R,"):
                command = bytes.fromhex(line[2:].replace(b",", b"").decode())
                data = edited(devices.data(command), told.data)[:40]
                lines.append(b"r," + (data.hex().upper().encode() if data else b"ACK"))
        return [edited(line, told.wire) + b"\n" for line in lines]

    return answer


def waferstar(devices: MdbDevices) -> Callable[[bytes, Told], list[bytes]]:
    """The far end as an adapter that takes raw commands, and answers in hex text with CHK. It
    polls by itself: after each answer it tells what one of the devices said meanwhile."""
    polls = itertools.cycle((b"\x0b", b"\x33", b"\x12", b"\x62"))

    def answer(written: bytes, told: Told) -> list[bytes]:
        data = edited(devices.data(written), told.data)[:35]
        blocks = [data + bytes((sum(data) & 0xFF,)) if data else b"\0"]
        for _ in range(4):
            poll = next(polls)
            activity = edited(devices.data(poll), told.data)[:16]
            if activity:
                blocks.append(bytes((poll[0] & 0xF8,)) + activity)
        return [edited(b.hex(" ").upper().encode(), told.wire) + b"\r\n" for b in blocks]

    return answer


Meant = list[tuple[int, bytes]]
ADDRESSES = (0x08, 0x10, 0x30, 0x60)
POLLS = {b"R,0B\n": 0x08, b"R,12\n": 0x10, b"R,33\n": 0x30, b"R,62\n": 0x60}
READERS_AT = (0x10, 0x60)


def run_qibixx(case: Case, counts: Counts) -> None:
    def bus(line: Line, inbox: Inbox) -> MdbBus:
        return MdbBus(line.open, "fuzz", 115200, inbox)

    _on_mdb(case, counts, qibixx, bus, said_in_lines)


def said_in_lines(line: Line) -> Meant:
    """Clean data, by the address it came from: an answer's, or any when nobody was asked."""
    found: Meant = []
    at = 0
    for raw in bytes(line.sent).split(b"\n"):
        for data in clean_data(raw):
            for asked in line.asked_within(at, at + len(raw)):
                known = int(asked[2:4], 16) & 0xF8 if asked.startswith(b"R,") else None
                polled = known not in ADDRESSES or asked in POLLS or known in READERS_AT
                addresses = ADDRESSES if known is None else (known,)
                found += [(address, data) for address in addresses if polled]
        at += len(raw) + 1
    return found


HEX_LINE = re.compile(rb"\s*((?:[0-9A-Fa-f]{2}\s*)+)")


def said_in_hex(line: Line) -> Meant:
    """Activity that was told unasked begins with its device's address. Readers answer as well."""
    lines = re.split(rb"[\n\r]", bytes(line.sent).replace(b"\0", b""))
    found = [bytes.fromhex(one[1].decode()) for one in map(HEX_LINE.fullmatch, lines) if one]
    told = [(raw[0], raw[1:]) for raw in found]
    return told + [(address, raw) for raw in found for address in READERS_AT]


def run_waferstar(case: Case, counts: Counts) -> None:
    def bus(line: Line, inbox: Inbox) -> MdbBus:
        return waferstar_bus(line.open, "fuzz", inbox)

    _on_mdb(case, counts, waferstar, bus, said_in_hex)


def _on_mdb(
    case: Case,
    counts: Counts,
    adapter: Callable[[MdbDevices], Callable[[bytes, Told], list[bytes]]],
    make_bus: Callable[[Line, Inbox], MdbBus],
    said: Callable[[Line], Meant],
) -> None:
    async def story() -> None:
        line, inbox = Line(adapter(MdbDevices(case[2])), case), Inbox()
        bus = make_bus(line, inbox)
        changer = MdbChanger(bus, inbox, ChangerRules(currency=978, exponent=2))
        bills = MdbBillValidator(bus, inbox, BillRules(currency=978, exponent=2))
        readers = [
            MdbCashless(bus, inbox, CashlessRules(currency=978, exponent=2, number=number))
            for number in (1, 2)
        ]
        bus.start()
        wishes = Wishes(inbox, changer, ((3, 2), (0, 1)), bills, readers)
        wishes.follow(case[4])
        await asyncio.sleep(LASTS_S)
        bus.close()
        meant = said(line)
        coins = sum(len(list(deposits(data))) for address, data in meant if address == 0x08)
        coins += FOUND * len(TUBES) * sum(line.odd[command] for command in TUBE_STATUS)
        money = [byte for address, data in meant if address == 0x30 for byte in data]
        stacked = sum(byte & 0xF0 in (0x80, 0xB0) for byte in money)
        approved = sum(0x05 in data for address, data in meant if address in READERS_AT)
        judge(inbox, line, counts, coins, stacked, len(meant))
        vends = [report.vend_id for report in inbox.of(VendApproved)]
        assert len(vends) <= approved, "approved by nothing"
        assert len(set(vends)) == len(vends), "approved twice"
        assert set(vends) <= set(wishes.asked), "approved what nobody asked for"

    quietly(story)
