"""The second adapter: its codec as tables, fuzz, and whole conversations with both devices."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from bill_rig import ALL, EUR, Teller
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_rig import EUR as COINS

from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.waferstar import WaferstarAdapter
from hw_sim.loop import run_virtual
from vendd.core.sale.bill_reports import (
    BillPayoutEnded,
    BillStacked,
    BillValidatorLost,
    BillValidatorReady,
)
from vendd.core.sale.reports import ChangerReady, CoinAccepted, PayoutEnded
from vendd.drivers.bill_validator import MdbBillValidator
from vendd.drivers.changer import MdbChanger
from vendd.drivers.waferstar import waferstar_bus
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.mdb.frame import BadLength
from vendd.wire.qibixx import Version
from vendd.wire.waferstar import QUIET, WaferstarCodec

THEIR_SETUP = b"03 11 56 05 01 00 03 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 76 \r\n"


def data(text: str) -> Reply:
    return Reply(Answer.DATA, bytes.fromhex(text))


def test_the_manuals_example() -> None:
    codec = WaferstarCodec()
    assert codec.request(b"\x09") == b"\x09"
    assert codec.feed(THEIR_SETUP) == [data("031156050100030102" + "00" * 14)]


ANSWERS = [  # command, line, item
    ("30", b"00 \r\n", ACKED),
    ("34 00FF 00FF", b"00\r\n", ACKED),
    ("3501", b"FF \r\n", NAKED),
    ("36", b"00 05 05\n", data("0005")),
    ("36", b"00 05 06\n", GARBLED),
    ("36", b"12\n", GARBLED),
    ("1402", b"08 08\r\n", data("08")),  # cancelled, and no news of the changer
    ("0F04", b"08 08\r\n", data("08")),  # eight units paid, no matter what 08 else is
]


@pytest.mark.parametrize("poll", ["12", "62"])
def test_a_reader_is_asked_itself(poll: str) -> None:
    """Silence is all that tells a reader that still refunds from one that has done so."""
    codec, command = WaferstarCodec(), bytes.fromhex(poll)
    for line, item in [
        (b"00 \r\n", ACKED),
        (b"05 00 A0 A5 \r\n", data("0500A0")),
        (b"08 08 \r\n", data("08")),  # its answer, not a changer's news
        (b"05 00 A0 A6 \r\n", GARBLED),
        (b"10 04 \r\n00 \r\n" if poll == "12" else b"60 04 \r\n00 \r\n", data("04")),
    ]:
        assert codec.request(command) == command
        assert codec.feed(line) == [item]
    codec.request(command)
    assert codec.feed(QUIET) == [SILENT, Version("waferstar")]


@pytest.mark.parametrize(("command", "line", "item"), ANSWERS)
def test_answers(command: str, line: bytes, item: Reply) -> None:
    codec = WaferstarCodec()
    assert codec.request(bytes.fromhex(command)) == bytes.fromhex(command)
    assert codec.feed(line[:4]) + codec.feed(line[4:]) == [item]
    assert codec.feed(line) == []  # nobody asked


def known() -> WaferstarCodec:
    """A codec that has heard of both devices."""
    codec = WaferstarCodec()
    codec.feed(b"30 09 \r\n08 01\r\n")
    for poll in (b"\x33", b"\x0b"):
        codec.request(poll)
        codec.feed(b"")
    return codec


def test_polls_are_answered_out_of_what_was_told() -> None:
    codec = known()
    assert codec.request(b"\x33") == b""
    assert codec.feed(b"") == [ACKED]
    assert codec.feed(b"30 03 \r\n30 03 \r\n30 91 \r\n08 51 0A \r\n") == []
    for line in ("03", "91"):
        assert codec.request(b"\x33") == b""
        assert codec.feed(b"") == [data(line)]
    assert codec.request(b"\x0b") == b""
    assert codec.feed(b"") == [data("510A")]


def test_activity_beside_an_answer_is_told_apart() -> None:
    codec = known()
    codec.request(b"\x0a")
    assert codec.feed(b"08 51 59\r\n") == []  # by chance with a right CHK
    assert codec.feed(b"00 00 05 05\r\n") == [data("000005")]
    codec.request(b"\x0c\xff\xff\xff\xff")
    assert codec.feed(b"30 80\r\n00\r\n") == [ACKED]
    codec.request(b"\x33")
    assert codec.feed(b"") == [data("80")]


def test_a_quiet_device_is_asked_whether_it_lives() -> None:
    codec = known()
    while codec.request(b"\x33") == b"":
        codec.feed(b"")
    assert codec.feed(QUIET) == [SILENT, Version("waferstar")]
    assert codec.request(b"\x33") == b""
    assert codec.feed(b"") == [SILENT]
    while codec.request(b"\x33") == b"":
        assert codec.feed(b"") == [SILENT]
    assert codec.feed(THEIR_SETUP) == [ACKED]


def test_a_command_without_an_answer_is_lost_not_silent() -> None:
    codec = known()
    codec.request(b"\x35\x01")
    assert codec.feed(QUIET) == [LOST, Version("waferstar")]


def test_lengths() -> None:
    for wrong in (b"", bytes(36)):
        with pytest.raises(BadLength):
            WaferstarCodec().request(wrong)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([QUIET, b"30 80\r\n"]))))
def test_any_bytes_are_taken_and_hold_no_memory(pieces: list[bytes]) -> None:
    codec = known()
    for piece in pieces:
        codec.request(b"\x33")
        for item in codec.feed(piece):
            assert isinstance(item, Reply | Version)
            assert not isinstance(item, Reply) or len(item.data) <= 35
    assert len(codec._buffer) <= 128 + 200


# --- the whole line -------------------------------------------------------------------------


class Rig:
    def __init__(self, model: BillModel, *, enables: bool) -> None:
        loop = asyncio.get_running_loop()
        self.bills = BillValidator(loop, random.Random(1), model)
        self.changer = CoinChanger(loop, random.Random(1))
        self.changer.fill_tube(50, 20)
        adapter = WaferstarAdapter(loop, [self.bills, self.changer], enables=enables)
        self.line = MemoryLine(loop, adapter, rng=random.Random(1))
        self.inbox = Teller()
        self.bus = waferstar_bus(self.line.open, "virtual", self.inbox)
        self.coins = MdbChanger(self.bus, self.inbox, COINS)
        self.driver = MdbBillValidator(self.bus, self.inbox, EUR)
        self.inbox.driver = self.driver
        self.driver.accept(ALL)
        self.coins.accept(frozenset(range(6)))
        self.bus.start()


def sim(
    story: Callable[[Rig], Awaitable[None]], model: BillModel | None = None, enables: bool = False
) -> None:
    async def main() -> None:
        rig = Rig(model or BillModel(), enables=enables)
        await rig.inbox.until(ChangerReady, 60)
        await rig.inbox.until(BillValidatorReady, 60)
        await asyncio.sleep(1)
        await story(rig)
        assert rig.bills.truth.conserved()
        assert rig.changer.truth.conserved()

    run_virtual(main())


@pytest.mark.parametrize("enables", [False, True])
def test_bills_and_coins_behind_this_adapter(enables: bool) -> None:
    async def story(rig: Rig) -> None:
        rig.bills.insert_bill(2000)
        rig.changer.insert_coin(50)
        assert (await rig.inbox.until(CoinAccepted)).value == 50
        assert (await rig.inbox.until(BillStacked)).value == 2000
        await rig.coins.pay_out("c", ((3, 2),))
        assert (await rig.inbox.until(PayoutEnded)).paid == ((3, 2),)
        for value in (500, 500, 1000):
            rig.bills.insert_bill(value)
            await asyncio.sleep(6)
        assert rig.inbox.credit == rig.bills.truth.into_stacker == 4000
        assert not rig.inbox.of(BillValidatorLost)

    sim(story, enables=enables)


def test_a_dead_validator_is_noticed_and_the_changer_lives_on() -> None:
    async def story(rig: Rig) -> None:
        rig.bills.unplug()
        await rig.inbox.until(BillValidatorLost, 20)
        rig.changer.insert_coin(50)
        assert (await rig.inbox.until(CoinAccepted)).value == 50
        rig.inbox.clear()
        rig.bills.plug()
        await rig.inbox.until(BillValidatorReady, 60)
        rig.bills.insert_bill(500)
        assert (await rig.inbox.until(BillStacked)).value == 500

    sim(story)


def test_a_report_that_the_adapter_got_twice_is_one_credit() -> None:
    async def story(rig: Rig) -> None:
        rig.bills.faults.rate("ack_lost", 0.4)
        for _ in range(10):
            rig.bills.insert_bill(500)
            await asyncio.sleep(8)
        assert rig.bills.faults.hits
        assert rig.inbox.credit == rig.bills.truth.into_stacker == 5000

    sim(story)


def test_paid_from_the_recycler_behind_this_adapter() -> None:
    async def story(rig: Rig) -> None:
        rig.bills.fill(1000, 5)
        await rig.driver.read_stores()
        await asyncio.sleep(2)
        await rig.driver.pay_out("p", ((1, 2),))
        ended = await rig.inbox.until(BillPayoutEnded, 60)
        assert (ended.paid, ended.certain) == (((1, 2),), True)
        assert rig.bills.truth.paid == 2000

    sim(story, BillModel(level=2))


def test_the_line_is_pulled() -> None:
    async def story(rig: Rig) -> None:
        rig.line.unplug()
        await asyncio.sleep(30)
        rig.line.replug()
        rig.inbox.clear()
        await rig.inbox.until(BillValidatorReady, 60)
        rig.bills.insert_bill(500)
        assert (await rig.inbox.until(BillStacked)).value == 500

    sim(story)


@pytest.mark.parametrize(("reset", "poll", "told"), [("08", "0B", "0B"), ("30", "33", "06")])
def test_a_reset_that_was_told_before_ours_is_not_taken_for_ours(
    reset: str, poll: str, told: str
) -> None:
    """This adapter resets what it finds; taken for ours, the device would be started twice."""
    codec, line = WaferstarCodec(), f"{reset} {told} \r\n".encode()
    codec.feed(line)
    codec.request(bytes.fromhex(reset))
    assert codec.feed(line + b"00 \r\n") == [ACKED]
    for item in (ACKED, data(told)):
        assert codec.request(bytes.fromhex(poll)) == b""
        assert codec.feed(b"") == [item]
        codec.feed(line)


def test_a_reset_ends_what_was_told_of_how_it_was_but_not_money() -> None:
    """Or a report of the reset before would be taken for the report of this one."""
    codec = WaferstarCodec()
    codec.feed(b"30 09 06 \r\n30 80 09 \r\n")
    codec.request(b"\x30")
    assert codec.feed(b"00 \r\n") == [ACKED]
    assert [codec.request(b"\x33"), codec.feed(b"")] == [b"", [data("8009")]]
