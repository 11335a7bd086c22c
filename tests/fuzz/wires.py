"""Wires that carry anything at any time, and whole drivers on them.

The far end answers well, badly, late, never, twice, or unasked. Whatever arrives: no callback
raises, the wire is not flooded, reports keep pace with what came, and there is no money but for
well-formed messages that mean it.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hw_sim.loop import run_virtual
from tests.fuzz.counts import Counts
from tests.fuzz.edits import EDITS, Edits
from vendd.core.sale.bill_reports import BillInEscrow, BillStacked
from vendd.core.sale.reports import CoinAccepted, Report
from vendd.drivers.cashless import MdbCashless
from vendd.ports import Refused, Wire

ALL = frozenset(range(16))
LASTS_S = 20.0
WRITES_PER_S = 400  # the bus itself manages 9600 bits, so a hundred and something blocks
REPORTS = 60  # beside those that single messages bring


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of one thing that was sent to the wire: after `ms`, a good answer edited as
    data (`data`) and as it goes over the wire (`wire`); `raw`: these bytes instead."""

    ms: int = 2
    data: Edits = ()
    wire: Edits = ()
    raw: bytes | None = None


MS = st.sampled_from([1, 2, 2, 2, 5, 30, 79, 81, 120, 400, 1_500])
BABBLE = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\n", b"r,", b"r,41", b"v,", b"\0" * 40, b"\xff" * 40, b"A" * 300]),
)
TOLD = st.one_of(
    st.builds(Told),
    st.builds(Told, MS),
    st.builds(Told, MS, data=EDITS),
    st.builds(Told, MS, wire=EDITS),
    st.builds(Told, MS, raw=BABBLE),
)
UNASKED = st.lists(st.tuples(st.integers(0, 19_000), BABBLE), max_size=4)
ORDERS = st.lists(
    st.tuples(
        st.integers(0, 19_000),
        st.sampled_from(["pay", "pay", "ask", "failed", "cancel", "off", "on"]),
    ),
    max_size=8,
)
Case = tuple[bool, list[Told], list[bytes], list[tuple[int, bytes]], list[tuple[int, str]]]


class Inbox:
    """A `ports.Sink`; bills in escrow are stacked and given back in turn."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.decide: Callable[[int], None] = lambda bill: None

    def put(self, report: Report) -> None:
        self.reports.append(report)
        if isinstance(report, BillInEscrow):
            asyncio.get_running_loop().call_soon(self.decide, report.bill)

    def crowded(self) -> bool:
        return False

    def of(self, kind: type[Any]) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]


class Line:
    """A wire whose far end answers by a script, then well. `open` is a `ports.WireOpener`."""

    def __init__(self, answer: Callable[[bytes, Told], list[bytes]], case: Case) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer = answer
        self._good_until = self._loop.time() + (4.0 if case[0] else 0.0)
        self._script: Iterator[Told] = iter(case[1])
        self._received: Callable[[bytes], None] = lambda data: None
        self._free_at = 0.0  # answers keep their order, however long each of them takes
        self.sent = bytearray()  # by the far end, in the order it was sent
        self.origins: list[tuple[int, bytes]] = []  # from where on in `sent`, what was answered
        self.odd: Counter[bytes] = Counter()  # by what was asked: answers that were no good ones
        self.writes = 0
        for ms, raw in case[3]:
            self._loop.call_later(ms / 1000, self._send, raw, b"")

    def open(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        self._received = received
        return self

    def write(self, data: bytes) -> None:
        self.writes += 1
        told = Told()
        if self._loop.time() >= self._good_until:
            told = next(self._script, told)
        pieces = [told.raw] if told.raw is not None else self._answer(data, told)
        self.odd[data] += bool(told.data or told.wire or told.raw is not None)
        asked = data if told.raw is None else b""
        self._free_at = max(self._free_at, self._loop.time() + told.ms / 1000)
        for piece in pieces:
            self._loop.call_at(self._free_at, self._send, piece, asked)

    def close(self) -> None:
        self._received = lambda data: None

    def _send(self, data: bytes, asked: bytes) -> None:
        if data:
            self.origins.append((len(self.sent), asked))
            self.sent += data
            self._received(data)

    def asked_within(self, start: int, end: int) -> set[bytes]:
        """What the bytes from `start` to `end` answered; nothing at all: an empty one."""
        ends = [at for at, _ in self.origins[1:]] + [len(self.sent)]
        return {
            asked
            for (at, asked), until in zip(self.origins, ends, strict=True)
            if at < end and until > start
        }


class Wishes:
    """What a machine wants of its devices meanwhile; what they refuse is refused."""

    def __init__(
        self,
        inbox: Inbox,
        changer: Any,
        coins: tuple[tuple[int, int], ...],
        bills: Any,
        readers: Sequence[MdbCashless] = (),
    ) -> None:
        self._changer, self._coins = changer, coins
        self._bills, self._readers = bills, readers
        self._payouts: set[asyncio.Task[None]] = set()
        self.asked: list[str] = []
        inbox.decide = self._decide

    def follow(self, orders: list[tuple[int, str]]) -> None:
        self._accept("on")
        for reader in self._readers:
            reader.enable(True)
        for ms, name in orders:
            asyncio.get_running_loop().call_later(ms / 1000, getattr(self, f"_{name}"), name)

    def _accept(self, name: str) -> None:
        for device in (self._changer, self._bills):
            device.accept(ALL if name == "on" else frozenset())

    _on = _off = _accept

    def _pay(self, name: str) -> None:
        number = len(self._payouts)
        self._start(self._changer.pay_out(f"p{number}", self._coins))
        if hasattr(self._bills, "pay_out"):
            self._start(self._bills.pay_out(f"b{number}", ((1, 1),)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def until_refused() -> None:
            with contextlib.suppress(Refused):
                await work

        self._payouts.add(asyncio.ensure_future(until_refused()))

    def _ask(self, name: str) -> None:
        for reader in self._readers:
            self.asked.append(f"v{len(self.asked)}")
            with contextlib.suppress(Refused):
                reader.request(self.asked[-1], 150, 7)

    def _settle(self, name: str) -> None:
        for reader, vend in itertools.product(self._readers, self.asked):
            with contextlib.suppress(Refused):
                getattr(reader, name)(vend)

    _failed = _cancel = _settle

    def _decide(self, bill: int) -> None:
        with contextlib.suppress(Refused):
            (self._bills.stack if bill % 2 else self._bills.give_back)(bill)


def quietly(story: Callable[[], Any]) -> None:
    """Run it; what a callback or a task raised is raised here."""
    raised: list[BaseException] = []

    async def main() -> None:
        def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            raised.append(context.get("exception") or AssertionError(context["message"]))

        asyncio.get_running_loop().set_exception_handler(note)
        await story()

    run_virtual(main())
    if raised:
        raise raised[0]


def judge(inbox: Inbox, line: Line, counts: Counts, coins: int, bills: int, messages: int) -> None:
    counts.bytes += len(line.sent)
    counts.reports += len(inbox.reports)
    assert line.writes <= WRITES_PER_S * LASTS_S, "the wire is flooded"
    assert len(inbox.reports) <= REPORTS + 6 * messages, "a storm of reports"
    accepted, stacked = inbox.of(CoinAccepted), inbox.of(BillStacked)
    counts.credits += len(accepted) + len(stacked)
    assert len(accepted) <= coins, "coins out of nothing"
    assert len(stacked) <= bills, "bills out of nothing"
    assert all(report.value > 0 for report in (*accepted, *stacked))
