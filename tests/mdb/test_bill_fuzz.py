"""Whatever comes back from a bill validator: no crash, no hang, no credit out of nothing."""

import random
from math import inf

import pytest
from bill_script import EUR, INIT1, RECYCLER
from bill_script import BillScript as Script
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_script import Row

from vendd.wire.mdb.bill_validator_news import BillsReady, InEscrow, News, Stacked
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import PayoutDone, PayoutRefused, PayoutTaken
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

DATA = st.binary(min_size=1, max_size=35).map(lambda raw: Reply(Answer.DATA, raw))
# Bytes that mean something are more interesting than the rest.
MEANING = [0x03, 0x06, 0x07, 0x09, 0x0A, 0x22, 0x27, 0x2A, 0x80, 0x91, 0x92, 0xA2, 0xB1, 0xC0,
           0xF1, 0x41, 0x00, 0xFF]  # fmt: skip
LIKELY = st.lists(st.sampled_from(MEANING), min_size=1, max_size=18).map(
    lambda raw: Reply(Answer.DATA, bytes(raw))
)
REPLIES = st.one_of(st.sampled_from([ACKED, NAKED, SILENT, GARBLED, LOST]), DATA, LIKELY)
ORDERS = st.lists(st.sampled_from(["", "", "stack", "give_back", "pay"]), max_size=80)


class Checked:
    """Drives a machine and checks what must hold after every exchange."""

    def __init__(self, script: Script) -> None:
        self.machine = script.machine
        self.now = script.now
        self.possible = 0  # STACKED and TO RECYCLER that POLL answers can have meant
        self.credits = 0
        self.in_escrow: list[int] = []
        self.paying: list[str] = []
        self.open: list[str] = []
        self.ended: list[str] = []
        self.orders = 0

    def exchange(self, reply: Reply) -> bytes:
        machine = self.machine
        assert machine.wake_at != inf
        assert machine.wake_at <= self.now + 11.0, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        command = machine.next(self.now)
        assert command is not None
        assert 1 <= len(command) <= 35
        assert command[0] & 0xF8 == 0x30
        self.now += 0.01
        if command == b"\x33" and reply.answer is Answer.DATA:
            self.possible += sum(byte & 0xF0 in (0x80, 0xB0) for byte in reply.data)
        if command == b"\x35\x01":
            assert self.orders, "it stacked of its own accord"
        for news in machine.answered(reply, self.now):
            self.check(news)
        return command

    def check(self, news: News) -> None:
        match news:
            case Stacked(_, _, value, _):
                self.credits += 1
                assert value > 0
            case InEscrow(bill, _, value):
                self.in_escrow.append(bill)
                assert value > 0
            case PayoutTaken(id_):
                self.open.append(id_)
            case PayoutRefused(id_):
                assert id_ not in self.open
                self.ended.append(id_)
            case PayoutDone(id_, paid, _, _):
                assert id_ in self.open
                assert id_ not in self.ended, "ended twice"
                assert all(count > 0 for _, count in paid)
                self.ended.append(id_)
            case _:
                pass
        assert self.credits <= self.possible, "credit out of nothing"

    def order(self, what: str) -> None:
        try:
            if what == "pay":
                self.paying.append(f"p{len(self.paying)}")
                self.machine.pay_out(self.paying[-1], ((1, 2), (0, 1)))
            elif what and self.in_escrow:
                getattr(self.machine, what)(self.in_escrow[-1])
                self.orders += what == "stack"
        except Declined:
            if what == "pay":
                self.paying.pop()


@settings(max_examples=200, deadline=None)
@given(st.lists(REPLIES, max_size=80))
def test_any_replies_from_power_on(replies: list[Reply]) -> None:
    checked = Checked(Script(EUR))
    for reply in replies:
        checked.exchange(reply)


@settings(max_examples=300, deadline=None)
@given(st.lists(REPLIES, max_size=80), ORDERS, st.sampled_from([INIT1, RECYCLER]))
def test_any_replies_in_operation_and_in_payouts(
    replies: list[Reply], orders: list[str], init: list[Row]
) -> None:
    script = Script()
    script.up(init)
    checked = Checked(script)
    for number, reply in enumerate(replies):
        checked.order(orders[number] if number < len(orders) else "")
        checked.exchange(reply)
    # and when it falls silent afterwards, every payout comes to its one end
    for _ in range(300):
        checked.exchange(SILENT)
    assert sorted(checked.ended) == sorted(checked.paying)


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_validator_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    script = Script()
    script.up(RECYCLER)
    checked = Checked(script)
    for _ in range(500):
        noise = Reply(Answer.DATA, rng.randbytes(rng.randint(1, 35)))
        reset = Reply(Answer.DATA, b"\x06")
        checked.exchange(rng.choice([ACKED, NAKED, SILENT, GARBLED, LOST, noise, reset]))
    sane = {bytes.fromhex(c.replace(" ", "")): t for c, t in RECYCLER if t != "06"}
    ready, reset_due = False, False
    for _ in range(2000):
        checked.now = max(checked.now, checked.machine.wake_at)
        command = checked.machine.next(checked.now)
        assert command is not None
        text = sane.get(command, "ACK")
        if command == b"\x33" and reset_due:
            text, reset_due = "06", False
        reset_due = reset_due or command == b"\x30"
        answer = ACKED if text == "ACK" else Reply(Answer.DATA, bytes.fromhex(text))
        news = checked.machine.answered(answer, checked.now + 0.01)
        ready = ready or any(isinstance(one, BillsReady) for one in news)
    assert ready or checked.machine.state.value == "polling"
