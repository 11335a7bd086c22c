"""Whatever comes back: no crash, no hang, one answer per order, no approval out of nothing."""

import random
from math import inf

import pytest
from cashless_script import FULL3, INIT1, MONEY_ON_CARD, CardScript, card
from hypothesis import given, settings
from hypothesis import strategies as st

from vendd.wire.mdb.cashless import CashlessMachine, Declined, State
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    FailureSettled,
    ReaderReady,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)
from vendd.wire.mdb.cashless_poll import Mode, Noise, messages
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

DATA = st.binary(min_size=1, max_size=35).map(lambda raw: Reply(Answer.DATA, raw))
MEANING = [bytes.fromhex(text) for text in (
    "00", "03 03E8", "03 FFFF", "04", "05 0096", "05 FFFF", "05", "05 00000096", "06", "07", "08",
    "0A 11", "0A 41", "0A 80", "0A C1", "0B", "0B 05", "0B 04", "0D", "0E", "0F 01F4", "11",
    "01 01 1978 01 02 05 01", "01 03 1978 01 02 05 0B", "FF0506 00 4452415650",
    "FF0607 9F10 4452415653", "02 32 48", "12 08", "1B", "FF",
)]  # fmt: skip
LIKELY = st.lists(st.sampled_from(MEANING), min_size=1, max_size=3).map(
    lambda parts: Reply(Answer.DATA, b"".join(parts)[:35])
)
WORDS = st.sampled_from([ACKED, ACKED, ACKED, NAKED, SILENT, GARBLED, LOST])
REPLIES = st.one_of(WORDS, DATA, LIKELY, LIKELY)
ORDERS = st.sampled_from(
    [
        "request",
        "cancel",
        "succeeded",
        "failed",
        "end_session",
        "recall",
        "enable",
        "disable",
        "revalue",
        "check_age",
        "stop_age_check",
        "cash_sale",
        "show_prices",
    ]
)
STEPS = st.lists(st.one_of(REPLIES, ORDERS), max_size=100)


class Checked:
    """Drives a machine and checks what must hold after every exchange."""

    def __init__(self, script: CardScript) -> None:
        self.machine: CashlessMachine = script.machine
        self.now = script.now
        self.count = 0
        self.asked: set[str] = set()  # requests without an answer
        self.approved: set[str] = set()  # to be told how it went
        self.settling: set[str] = set()
        self.over: set[str] = set()
        self.open = False
        self.reply = ACKED
        self.cancelled: set[str] = set()

    def exchange(self, reply: Reply) -> bytes:
        machine = self.machine
        assert machine.wake_at != inf
        assert machine.wake_at <= self.now + 11.0, "it fell asleep"
        self.now = max(self.now, machine.wake_at)
        before = machine.state
        command = machine.next(self.now)
        assert command is not None
        assert 1 <= len(command) <= 35
        assert command[0] & 0xF8 == 0x10
        if command == b"\x10":
            assert before is State.RESETTING
            assert not self.asked, "RESET while an answer is due"
        self.now += 0.01
        self.reply = reply
        for news in machine.answered(reply, self.now):
            self.check(news)
        return command

    def check(self, news: CashlessNews) -> None:
        match news:
            case VendTaken(id_, amount, _):
                assert self.reply.answer is Answer.DATA
                assert b"\x05" in self.reply.data, "approved by nothing"
                assert id_ in self.asked, "approved what nobody asked for"
                assert id_ not in self.cancelled, "approved after it was taken back"
                assert amount >= 0
                self.asked.remove(id_)
                self.approved.add(id_)
            case VendNot(id_):
                self.asked.remove(id_)
                self.over.add(id_)
            case SuccessTold(id_) | FailureSettled(id_):
                assert id_ in self.settling | self.over
                self.settling.discard(id_)
                self.over.discard(id_)
            case Session():
                self.open = True
            case SessionOver():
                self.open = False
            case _:
                pass

    def order(self, name: str) -> None:
        machine = self.machine
        try:
            match name:
                case "request":
                    machine.request(f"v{self.count}", 150, self.count)
                    self.asked.add(f"v{self.count}")
                    self.count += 1
                case "cancel":
                    for vend in tuple(self.asked):
                        machine.cancel(vend)
                        self.cancelled.add(vend)
                case "succeeded" | "failed":
                    for vend in self.approved:
                        getattr(machine, name)(vend)
                        self.settling.add(vend)
                    self.approved.clear()
                case "enable" | "disable":
                    machine.enable(name == "enable")
                case "revalue":
                    machine.revalue("r", 200)
                case "check_age":
                    machine.check_age("a", 18)
                case "cash_sale":
                    machine.cash_sale(150, 7)
                case "show_prices":
                    machine.show_prices(100 * (self.count + 1), 50)
                case _:
                    getattr(machine, name)()
        except Declined:
            pass

    def step(self, step: Reply | str) -> None:
        if isinstance(step, str):
            self.order(step)
        else:
            self.exchange(step)

    def fall_silent(self) -> None:
        """Everything asked comes to its one end, and everything approved can be settled."""
        self.order("failed")
        for _ in range(6000):
            self.exchange(SILENT)
            if not self.asked and not self.settling and not self.open:
                break
        self.order("failed")
        for _ in range(6000):
            self.exchange(SILENT)
            if not self.asked and not self.settling and not self.open:
                return
        raise AssertionError(f"left: {self.asked} {self.settling} session {self.open}")


@settings(max_examples=200, deadline=None)
@given(STEPS, st.booleans())
def test_any_replies_from_power_on(steps: list[Reply | str], held: bool) -> None:
    checked = Checked(CardScript(MONEY_ON_CARD, held=held))
    for step in steps:
        checked.step(step)
    checked.fall_silent()


@settings(max_examples=500, deadline=None)
@given(STEPS, st.sampled_from(["level 1", "level 3", "session", "asked", "approved"]))
def test_any_replies_in_operation(steps: list[Reply | str], where: str) -> None:
    script = card(init=FULL3 if where == "level 3" else INIT1)
    checked = Checked(script)
    if where not in ("level 1", "level 3"):
        checked.exchange(Reply(Answer.DATA, b"\x03\x03\xe8"))
    if where in ("asked", "approved"):
        checked.order("request")
        checked.exchange(Reply(Answer.DATA, b"\x05\x00\x96") if where == "approved" else ACKED)
    for step in steps:
        checked.step(step)
    checked.fall_silent()


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=35), st.integers(1, 3), st.booleans())
def test_any_bytes_are_some_messages(data: bytes, level: int, wide: bool) -> None:
    found = messages(data, Mode(level, wide))
    assert found
    assert sum(isinstance(one, Noise) for one in found) <= len(data)


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_reader_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    script = card()
    checked = Checked(script)
    for _ in range(400):
        data = Reply(Answer.DATA, rng.choice([rng.randbytes(rng.randint(1, 35)), *MEANING]))
        checked.exchange(rng.choice([ACKED, NAKED, SILENT, GARBLED, LOST, data, data]))
        checked.order(rng.choice(["request", "cancel", "failed", "recall", "end_session"]))
    sane = {bytes.fromhex(c.replace(" ", "")): t for c, t in INIT1 if t != "00"}  # type: ignore[attr-defined]
    ready, reset = False, False
    for _ in range(3000):
        checked.order("failed")
        now = checked.now = max(checked.now, checked.machine.wake_at)
        command = checked.machine.next(now)
        assert command is not None
        text = str(sane.get(command, "ACK"))
        if command == b"\x12" and reset:
            text, reset = "00", False
        reset = reset or command == b"\x10"
        if command[:2] == b"\x11\x00":
            text = "01 01 1978 01 02 05 01"
        answer = ACKED if text == "ACK" else Reply(Answer.DATA, bytes.fromhex(text))
        checked.reply = answer
        news = checked.machine.answered(answer, now + 0.01)
        for one in news:
            checked.check(one)
        ready = ready or any(isinstance(one, ReaderReady) for one in news)
    assert ready or checked.machine.state in (State.ENABLED, State.DISABLED, State.SESSION)
