"""The drivers of a ccTalk bus on a wire that carries anything, with both checksums."""

import asyncio
from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.cctalk_talk import GOOD
from tests.fuzz.counts import Counts
from tests.fuzz.edits import edited
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
from vendd.drivers.cctalk_bills import CcTalkBills
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.drivers.cctalk_coins import CcTalkCoins
from vendd.drivers.cctalk_hopper import HopperFit
from vendd.wire.cctalk.bill_validator import BillRules
from vendd.wire.cctalk.coin_acceptor import CoinRules
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper import HopperRules

EVENTS = st.lists(st.sampled_from([0, 1, 2, 3, 5, 254]), min_size=11, max_size=11).map(bytes)
CASES = st.tuples(
    st.sampled_from(list(Checksum)),
    st.tuples(
        st.booleans(),
        st.lists(TOLD, min_size=1, max_size=40),
        st.lists(st.one_of(st.just(bytes(11)), EVENTS), max_size=6),
        UNASKED,
        ORDERS,
    ),
    st.booleans(),  # its own bytes come back
)
_HEADERS = {0xE5: 2, 0x9F: 40}


def cctalk(
    checksum: Checksum, readings: list[bytes], *, echo: bool
) -> Callable[[bytes, Told], list[bytes]]:
    """Good devices at every address; readings of events are taken from `readings`, then none."""
    rest = iter(readings)

    def answer(written: bytes, told: Told) -> list[bytes]:
        dest, header = written[0], written[3]
        data = GOOD.get(header, b"")
        if header in _HEADERS:
            data = next(rest, data)
        data = edited(data, told.data)[:60]
        frame = bytes((1, len(data), dest, 0)) + data
        wire = frame + bytes((-sum(frame) & 0xFF,))
        if checksum is Checksum.CRC:
            crc = crc_of(bytes((1, len(data), 0)) + data)
            wire = bytes((1, len(data), crc & 0xFF, 0)) + data + bytes((crc >> 8,))
        return [(written if echo else b"") + edited(wire, told.wire)]

    return answer


def crc_of(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def events_in(stream: bytes, checksum: Checksum) -> tuple[int, int]:
    """Coins and stacked bills that readings with a right checksum name, wherever they begin."""
    coins = bills = 0
    for at in range(len(stream) - 15):
        raw = stream[at : at + 16]
        if raw[:2] != b"\x01\x0b" or raw[3] or not is_sound(raw, checksum):
            continue
        pairs = [(raw[n], raw[n + 1]) for n in range(5, 15, 2)]
        coins += sum(first > 0 for first, _ in pairs)
        bills += sum(first > 0 and second == 0 for first, second in pairs)
    return coins, bills


def is_sound(raw: bytes, checksum: Checksum) -> bool:
    if checksum is Checksum.SUM:
        return sum(raw) & 0xFF == 0
    return crc_of(raw[:2] + raw[3:-1]) == raw[2] | raw[-1] << 8


def run(case: tuple[Checksum, Case, bool], counts: Counts) -> None:
    checksum, on_wire, echo = case

    async def story() -> None:
        line = Line(cctalk(checksum, on_wire[2], echo=echo), on_wire)
        inbox = Inbox()
        bus = CcTalkBus(line.open, "fuzz", inbox)
        fit = HopperFit(1, 100, HopperRules(3, checksum), count=50, fed_by=1)
        coins = CcTalkCoins(bus, inbox, CoinRules("EU", checksum=checksum), (fit,))
        bills = CcTalkBills(bus, inbox, BillRules("EU", checksum=checksum))
        bus.start()
        Wishes(inbox, coins, ((1, 2),), bills).follow(on_wire[4])
        await asyncio.sleep(LASTS_S)
        bus.close()
        coin_events, bill_events = events_in(bytes(line.sent), checksum)
        judge(inbox, line, counts, coin_events, bill_events, line.writes)

    quietly(story)
