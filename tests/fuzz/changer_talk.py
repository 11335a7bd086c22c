"""The coin changer's machine against arbitrary answers: a coin is credited once per report of
one, a payout that was taken up ends once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.mdb_steps import DATA, WORDS, SaneDevice, Step, Talk, likely, steps
from vendd.wire.mdb.changer import ChangerMachine, Declined
from vendd.wire.mdb.changer_news import CoinIn, PayoutDone, PayoutRefused, PayoutTaken
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay
from vendd.wire.mdb.exchange import SILENT, Answer, Reply

RULES = {
    "value": ChangerRules(currency=978, exponent=2),
    "coins": ChangerRules(currency=978, exponent=2, payout=PayoutWay.COINS),
}
SETUP = "1978 05 02 001F 01 02 04 0A 14 28 00 00 00 00 00 00 00 00 00 00"
TABLES = {
    "level 3": {
        "09": "03" + SETUP,
        "0F00": b"MEI000000000042CF7900MDB   ".hex() + "0127 00000007",
        "0F03": "00 01 00 02",
        "0F05": "0300",
        "0A": "0000 0A0A0A0A0A 00000000000000000000 00",
    },
    "level 2": {"09": "02" + SETUP, "0A": "0000 0A0A0A0A0A"},
}
# Bytes that mean something are more interesting than the rest.
MEANING = bytes.fromhex("01 02 03 04 07 0B 41 52 55 73 92 0A 00 FF")
REPLIES = st.one_of(WORDS, DATA, likely([bytes((byte,)) for byte in MEANING], most=18))
ORDERS = ("pay", "pay", "tubes", "coins on", "coins off")
CASES = st.tuples(
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["", *sorted(TABLES)]),  # where it stands: power-on, or initialised so
    st.sampled_from(["silent", "sane"]),  # what it is in the end
    steps(REPLIES, ORDERS),
)
Case = tuple[str, str, str, list[Step]]


TUBES = range(5)  # the types that have one
FOUND = 4  # coins that a tube may tell of when the answer to a POLL was lost


def deposits(data: bytes) -> Iterator[int]:
    """Types of the coins that a POLL answer can mean: 01yyxxxx zz, not rejected or unused."""
    at = 0
    while at < len(data):
        if 0x40 <= data[at] < 0x60:
            yield data[at] & 0x0F
        at += 2 if data[at] >= 0x40 else 1


class ChangerTalk(Talk):
    address = 0x08

    def __init__(self, machine: ChangerMachine, now: float = 100.0, table: str = "level 3") -> None:
        super().__init__(machine, SaneDevice(TABLES[table], "08", "0B", "0B"), now)
        self.possible: Counter[int] = Counter()  # coins that were reported, less the credited
        self.paying: list[str] = []
        self.open: list[str] = []
        self.ended: list[str] = []

    @property
    def coins(self) -> int:
        return self.counts.credits

    def heard(self, command: bytes, reply: Reply) -> None:
        if reply.answer is not Answer.DATA:
            return
        if command == b"\x0b":
            self.possible.update(deposits(reply.data))
        elif command == b"\x0a" and self.machine.poll._lost:
            known = self.machine.poll.levels.counts
            counts = reply.data[2:].ljust(16, b"\0")
            found = {t: counts[t] - known[t] for t in TUBES if 0 < counts[t] - known[t] <= FOUND}
            self.possible.update(found)

    def check(self, news: Any) -> None:
        match news:
            case CoinIn(type_, value, _, _):
                self.counts.credits += 1
                assert value > 0
                assert self.possible[type_] > 0, "credit out of nothing"
                self.possible[type_] -= 1
            case PayoutTaken(id_):
                assert id_ in self.paying
                assert id_ not in self.open + self.ended
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
        try:
            match name:
                case "pay":
                    self.machine.pay_out(f"p{len(self.paying)}", ((3, 2), (0, 1)))
                    self.paying.append(f"p{len(self.paying)}")
                case "tubes":
                    self.machine.read_tubes()
                case _:
                    self.machine.accept(frozenset(range(16) if name == "coins on" else ()))
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
    rules, level, end, script = case
    talk = ChangerTalk(ChangerMachine(RULES[rules]), table=level or "level 3")
    if level:
        talk.up()
    for step in script:
        talk.step(step)
    if end == "silent":
        talk.falls_silent()
    else:
        talk.recovers()
    counts.add(talk.counts)
