"""A cashless device's machine against arbitrary answers: every request has one answer, and only
what was asked and not taken back is ever approved."""

import contextlib
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.mdb_steps import DATA, WORDS, SaneDevice, Step, Talk, likely, steps
from vendd.wire.mdb.cashless import CashlessMachine, Declined, State
from vendd.wire.mdb.cashless_news import (
    FailureSettled,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)
from vendd.wire.mdb.cashless_start import CashlessRules
from vendd.wire.mdb.exchange import ACKED, SILENT, Answer, Reply

WHO = "09" + b"ABC000000000007READER-ONE  ".hex() + "0102"
TABLES = {
    "level 1": {"1100": "01 01 1978 01 02 05 01", "1700": WHO},
    "level 2": {"1100": "01 02 1978 01 02 05 03", "1700": WHO},
    "level 3": {"1100": "01 03 1978 01 02 05 0B", "1700": WHO + "00000022"},
}
LEVELS = {"level 1": 1, "level 2": 2, "level 3": 3}
MEANING = [bytes.fromhex(text) for text in (
    "00", "03 03E8", "03 FFFF", "04", "05 0096", "05 FFFF", "05", "05 00000096", "06", "07", "08",
    "0A 11", "0A 41", "0A 80", "0A C1", "0B", "0B 05", "0B 04", "0D", "0E", "0F 01F4", "11",
    "01 01 1978 01 02 05 01", "01 03 1978 01 02 05 0B", "FF0506 00 4452415650",
    "FF0607 9F10 4452415653", "02 32 48", "12 08", "1B", "FF",
)]  # fmt: skip
LIKELY = likely(MEANING, most=3)
REPLIES = st.one_of(WORDS, st.just(ACKED), DATA, LIKELY, LIKELY)
ORDERS = (
    "request", "request", "cancel", "succeeded", "failed", "end_session", "recall", "enable",
    "disable", "revalue", "check_age", "stop_age_check", "cash_sale", "show_prices",
)  # fmt: skip
STEPS = steps(REPLIES, ORDERS, most=100)
WHERE = ("power on", "held", "up", "session", "asked", "approved")
SECOND = 0x50  # device 2 listens 50h higher
ENDS = 6_000  # exchanges within which everything has its end


def cases(number: int) -> st.SearchStrategy["Case"]:
    return st.tuples(
        st.just(number),
        st.sampled_from(sorted(TABLES)),
        st.sampled_from(WHERE),
        st.sampled_from(["silent", "sane"]),  # what it is in the end
        STEPS,
    )


Case = tuple[int, str, str, str, list[Step]]


def for_device(table: dict[str, str], number: int) -> dict[str, str]:
    higher = SECOND * (number - 1)
    return {f"{int(c[:2], 16) + higher:02X}{c[2:]}": text for c, text in table.items()}


class ReaderTalk(Talk):
    operating = ("disabled", "enabled", "session")

    def __init__(
        self, machine: CashlessMachine, now: float = 100.0, table: str = "level 1"
    ) -> None:
        number = machine._rules.number
        base = SECOND * (number - 1)
        device = SaneDevice(
            for_device(TABLES[table], number), f"{0x10 + base:02X}", f"{0x12 + base:02X}", "00"
        )
        super().__init__(machine, device, now)
        self.address = 0x10 + base
        self.count = 0
        self.asked: set[str] = set()  # requests without an answer
        self.approved: set[str] = set()  # to be told how it went
        self.settling: set[str] = set()
        self.over: set[str] = set()
        self.cancelled: set[str] = set()
        self.open = False
        self.reply = ACKED
        self._before = machine.state

    def exchange(self, answer: Any = ()) -> bytes:
        self._before = self.machine.state
        return super().exchange(answer)

    def heard(self, command: bytes, reply: Reply) -> None:
        self.reply = reply
        if command == bytes((self.address,)):
            assert self._before is State.RESETTING
            assert not self.asked, "RESET while an answer is due"

    def check(self, news: Any) -> None:
        match news:
            case VendTaken(id_, amount, _):
                self.counts.credits += 1
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
        with contextlib.suppress(Declined):
            self._order(name)

    def _order(self, name: str) -> None:
        machine = self.machine
        match name:
            case "request":
                machine.request(f"v{self.count}", 150, self.count)
                self.asked.add(f"v{self.count}")
                self.count += 1
            case "cancel":
                for vend in sorted(self.asked):
                    machine.cancel(vend)
                    self.cancelled.add(vend)
            case "succeeded" | "failed":
                for vend in sorted(self.approved):
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

    def bring_to_its_end(self) -> None:
        self.order("failed")  # whatever was approved is not delivered

    def settled(self) -> bool:
        return not self.asked and not self.settling and not self.approved

    def falls_silent(self) -> None:
        """Everything asked comes to its one end, and everything approved can be settled."""
        for _ in range(ENDS):
            self.bring_to_its_end()
            if self.settled() and not self.open:
                return
            self.exchange(SILENT)
        left = f"{self.asked} {self.settling} session {self.open}"
        raise AssertionError(f"left: {left}")

    def stands(self, where: str) -> None:
        """Bring it to where the story begins."""
        if where in ("power on", "held"):
            return
        self.machine.enable(True)
        self.up()
        while self.machine.state is not State.ENABLED:
            self.exchange()
        if where == "up":
            return
        self.exchange(Reply(Answer.DATA, b"\x03\x03\xe8" + bytes(14)))
        if where != "session":
            self.order("request")
            self.exchange(ACKED)
        if where == "approved":
            self.exchange(Reply(Answer.DATA, b"\x05\x00\x96"))


def run(case: Case, counts: Counts) -> None:
    number, table, where, end, script = case
    rules = CashlessRules(
        currency=978, exponent=2, number=number, level=LEVELS[table], revalue=True
    )
    talk = ReaderTalk(CashlessMachine(rules, held=where == "held"), table=table)
    talk.stands(where)
    for step in script:
        talk.step(step)
    if end == "silent":
        talk.falls_silent()
    else:
        talk.recovers(ENDS)
    counts.add(talk.counts)
