"""The bill validator's machine against arbitrary answers: a bill is credited at most once per
report that it is stacked, and only orders stack one."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.mdb_steps import DATA, WORDS, SaneDevice, Step, Talk, likely, steps
from vendd.wire.mdb.bill_validator import BillValidatorMachine
from vendd.wire.mdb.bill_validator_news import InEscrow, Stacked
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.changer import Declined
from vendd.wire.mdb.changer_news import PayoutDone, PayoutRefused, PayoutTaken
from vendd.wire.mdb.exchange import SILENT, Answer, Reply

EUR = BillRules(currency=978, exponent=2)
KINDS = "01 02 04 0A 14" + "00" * 11  # 5, 10, 20, 50, 100 euro
TABLES = {
    "level 1": {
        "31": f"01 1978 01F4 02 0258 0000 FF {KINDS}",
        "3700": b"ICT000000000042V7E-EUR-10  ".hex() + "0120",
        "36": "0007",
    },
    "no escrow": {
        "31": f"01 1978 01F4 02 0258 0000 00 {KINDS}",
        "3700": b"ICT000000000042V7E-EUR-10  ".hex() + "0120",
        "36": "0007",
    },
    "recycler": {
        "31": f"02 1978 01F4 02 0258 0000 FF {KINDS}",
        "3702": b"JCM000000000042VEGA-RC     ".hex() + "0120 00000002",
        "3703": "0007",
        "3705": "0000 0005 000A 0003" + "0000" * 13,
        "3708": "0001 0001" + "0000" * 14,
        "36": "0007",
    },
}
# Bytes that mean something are more interesting than the rest.
MEANING = bytes.fromhex("03 06 07 09 0A 22 27 2A 80 91 92 A2 B1 C0 F1 41 00 FF")
REPLIES = st.one_of(WORDS, DATA, likely([bytes((byte,)) for byte in MEANING], most=18))
ORDERS = ("stack", "stack", "give_back", "pay", "pay", "bills off", "bills on", "stores")
CASES = st.tuples(
    st.sampled_from(sorted(TABLES)),
    st.booleans(),  # initialised before the first step
    st.sampled_from(["silent", "sane"]),
    steps(REPLIES, ORDERS),
)
Case = tuple[str, bool, str, list[Step]]
STACKED, TO_RECYCLER = 0x80, 0xB0


class BillTalk(Talk):
    address = 0x30

    def __init__(
        self, machine: BillValidatorMachine, now: float = 100.0, table: str = "recycler"
    ) -> None:
        super().__init__(machine, SaneDevice(TABLES[table], "30", "33", "06"), now)
        self.possible: Counter[int] = Counter()  # STACKED and TO RECYCLER, less the credited
        self.in_escrow: list[int] = []
        self.paying: list[str] = []
        self.open: list[str] = []
        self.ended: list[str] = []
        self.orders = 0  # to stack

    def heard(self, command: bytes, reply: Reply) -> None:
        if command == b"\x33" and reply.answer is Answer.DATA:
            money = [b & 0x0F for b in reply.data if b & 0xF0 in (STACKED, TO_RECYCLER)]
            self.possible.update(money)
        if command == b"\x35\x01":
            assert self.orders, "it stacked of its own accord"

    def check(self, news: Any) -> None:
        match news:
            case Stacked(_, type_, value, _):
                self.counts.credits += 1
                assert value > 0
                assert self.possible[type_] > 0, "credit out of nothing"
                self.possible[type_] -= 1
            case InEscrow(bill, _, value):
                self.in_escrow.append(bill)
                assert value > 0
            case PayoutTaken(id_):
                assert id_ in self.paying
                self.open.append(id_)
            case PayoutRefused(id_):
                assert id_ in self.paying
                assert id_ not in self.open, "refused after it was taken up"
                self.ended.append(id_)
            case PayoutDone(id_, paid, _, _):
                assert id_ in self.open
                assert id_ not in self.ended, "ended twice"
                assert all(count > 0 for _, count in paid)
                self.ended.append(id_)
            case _:
                pass

    def order(self, name: str) -> None:
        machine = self.machine
        try:
            match name:
                case "pay":
                    machine.pay_out(f"p{len(self.paying)}", ((1, 2), (0, 1)))
                    self.paying.append(f"p{len(self.paying)}")
                case "stack" | "give_back" if self.in_escrow:
                    getattr(machine, name)(self.in_escrow[-1])
                    self.orders += name == "stack"
                case "bills on" | "bills off":
                    machine.accept(frozenset(range(16) if name == "bills on" else ()))
                case "stores":
                    machine.read_stores()
                case _:
                    pass
        except Declined:
            pass

    def settled(self) -> bool:
        return sorted(self.ended) == sorted(self.paying)

    def falls_silent(self) -> None:
        """Nothing answers any more: every payout comes to its one end all the same."""
        for _ in range(300):
            if self.settled():
                return
            self.exchange(SILENT)
        raise AssertionError(f"payouts {self.paying}, ended {self.ended}")


def run(case: Case, counts: Counts) -> None:
    table, up, end, script = case
    talk = BillTalk(BillValidatorMachine(EUR), table=table)
    if up:
        talk.machine.accept(frozenset(range(16)))
        talk.up()
    for step in script:
        talk.step(step)
    if end == "silent":
        talk.falls_silent()
    else:
        talk.recovers()
    counts.add(talk.counts)
