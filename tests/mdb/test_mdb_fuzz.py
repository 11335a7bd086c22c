"""Whatever comes back: no crash, no hang, no credit out of nothing."""

import random
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_script import BY_COINS, EUR, INIT3, Script

from vendd.wire.mdb.changer import ChangerMachine, Declined
from vendd.wire.mdb.changer_news import (
    CoinIn,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
    Ready,
)
from vendd.wire.mdb.changer_start import ChangerRules
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.qibixx import QibixxCodec

DATA = st.binary(min_size=1, max_size=35).map(lambda raw: Reply(Answer.DATA, raw))
# Bytes that mean something are more interesting than the rest.
MEANING = [0x01, 0x02, 0x03, 0x04, 0x07, 0x0B, 0x41, 0x52, 0x55, 0x73, 0x92, 0x0A, 0x00, 0xFF]
LIKELY = st.lists(st.sampled_from(MEANING), min_size=1, max_size=18).map(
    lambda raw: Reply(Answer.DATA, bytes(raw))
)
REPLIES = st.one_of(st.sampled_from([ACKED, NAKED, SILENT, GARBLED, LOST]), DATA, LIKELY)


class Checked:
    """Drives a machine and checks what must hold after every exchange."""

    def __init__(self, script: Script) -> None:
        self.machine: ChangerMachine = script.machine
        self.now = script.now
        self.possible = 0  # deposits that a POLL answer can have meant
        self.coins = 0
        self.open: list[str] = []
        self.ended: list[str] = []

    def exchange(self, reply: Reply) -> bytes:
        machine = self.machine
        assert machine.wake_at != inf
        assert machine.wake_at <= self.now + 11.0, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        command = machine.next(self.now)
        assert command is not None
        assert 1 <= len(command) <= 35
        assert command[0] & 0xF8 == 0x08
        self.now += 0.01
        if command == b"\x0b" and reply.answer is Answer.DATA:
            self.possible += sum(0x40 <= byte < 0x60 for byte in reply.data)
        for news in machine.answered(reply, self.now):
            self.check(news)
        return command

    def check(self, news: News) -> None:
        match news:
            case CoinIn(_, value, _, _):
                self.coins += 1
                assert value in (5, 10, 20, 50, 100, 200) or value > 0
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
        assert self.coins <= self.possible, "credit out of nothing"

    def pay(self, payout_id: str) -> None:
        try:
            self.machine.pay_out(payout_id, ((3, 2), (0, 1)))
        except Declined:
            self.ended.append(payout_id)


@settings(max_examples=200, deadline=None)
@given(st.lists(REPLIES, max_size=80), st.sampled_from([EUR, BY_COINS]))
def test_any_replies_from_power_on(replies: list[Reply], rules: ChangerRules) -> None:
    checked = Checked(Script(rules))
    for reply in replies:
        checked.exchange(reply)
    assert checked.coins == 0 or checked.machine.poll.values != (0,) * 16


@settings(max_examples=300, deadline=None)
@given(st.lists(REPLIES, max_size=80), st.sampled_from([EUR, BY_COINS]), st.integers(0, 20))
def test_any_replies_in_operation_and_in_a_payout(
    replies: list[Reply], rules: ChangerRules, at: int
) -> None:
    script = Script(rules)
    script.up()
    checked = Checked(script)
    for number, reply in enumerate(replies):
        if number == at:
            checked.pay("p")
        checked.exchange(reply)
    # and when it falls silent afterwards, the payout comes to its one end
    for _ in range(300):
        checked.exchange(SILENT)
    assert len(replies) <= at or checked.ended == ["p"]


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_changer_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    script = Script()
    script.up()
    checked = Checked(script)
    pool = [ACKED, NAKED, SILENT, GARBLED, LOST, Reply(Answer.DATA, b"\x0b")]
    for _ in range(500):
        size = rng.randint(1, 35)
        pool[5:] = [Reply(Answer.DATA, rng.randbytes(size)), Reply(Answer.DATA, b"\x0b")]
        checked.exchange(rng.choice(pool))
    sane = {bytes.fromhex(c.replace(" ", "")): t for c, t in INIT3 if t != "0B"}
    ready, reset = False, False
    for _ in range(2000):
        checked.now = max(checked.now, checked.machine.wake_at)
        command = checked.machine.next(checked.now)
        assert command is not None
        text = sane.get(command, "ACK")
        if command == b"\x0b" and reset:
            text, reset = "0B", False
        reset = reset or command == b"\x08"
        answer = ACKED if text == "ACK" else Reply(Answer.DATA, bytes.fromhex(text))
        news = checked.machine.answered(answer, checked.now + 0.01)
        ready = ready or any(isinstance(one, Ready) for one in news)
    assert ready or checked.machine.state.value == "polling"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30))
def test_arbitrary_bytes_on_the_line_are_no_credit(pieces: list[bytes]) -> None:
    """No line of garbage is a coin: only `r,` or `p,` and clean hex is data at all."""
    script = Script()
    script.up()
    checked = Checked(script)
    codec = QibixxCodec()
    for piece in pieces:
        for item in codec.feed(piece.replace(b"r,", b"").replace(b"p,", b"")):
            if isinstance(item, Reply):
                checked.exchange(item)
    assert checked.coins == 0
