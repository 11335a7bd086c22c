"""The host's side of one bill validator, sans-IO (ccTalk 4.7, part 2, headers 152 to 159).

Whoever owns the wire asks `next(now)` for a request once `wake_at` has come, and hands what
came back to `answered`. A bill in escrow is no credit: only the stacked event is, and each
one counts once, by the event counter. A route whose answer was lost is sent again only after
the events have shown that the same bill still waits.

Is NOT responsible for credit, or for deciding what becomes of a held bill.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

from vendd.wire.cctalk import bill_codes, codes
from vendd.wire.cctalk.contact import BUSY_S, Contact, Declined, Malformed, Question
from vendd.wire.cctalk.escrow import Bill, Escrow, Route, Turn
from vendd.wire.cctalk.event_log import BadReading, EventLog, Events
from vendd.wire.cctalk.exchange import BUSIED, SLOW_S, Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.news import (
    BillHeld,
    BillInterrupted,
    BillKind,
    BillRefused,
    BillReturned,
    BillsReady,
    BillStacked,
    BillUnclear,
    EventsLost,
    News,
)

ADDRESS: Final = 40
POSITIONS: Final = 16
STACKER_AND_ESCROW: Final = b"\x03"
VERIFY_S: Final = 5.0
_BY_BILL: Final = ("bill_jam", "bill_fraud", "unknown_bill", "events_lost", "bill_alarm")


@dataclass(frozen=True, slots=True)
class BillRules:
    """`country`: the first two letters of the bill ids that count; `exponent`: decimals of the
    machine's minor unit."""

    country: str
    exponent: int = 2
    address: int = ADDRESS
    checksum: Checksum = Checksum.SUM
    poll_s: float = 0.2


class BillValidatorMachine(Contact):
    """`counter`: the event counter of an earlier life, when known: bills that were stacked in
    between are credited then. See the module."""

    categories = ("bill validator", "bill acceptor", "note acceptor")

    def __init__(self, rules: BillRules, counter: int | None = None) -> None:
        super().__init__(rules.address, rules.checksum, rules.poll_s)
        self._rules = rules
        self.log = EventLog(counter)
        self.bills: dict[int, BillKind] = {}
        self.escrow = Escrow()
        self._hold: frozenset[int] | None = None
        self._scaling = (0, 0)
        self._wanted: frozenset[int] = frozenset()
        self._mask: bytes | None = None
        self._enabled = False
        self._reads_back = False
        self._verify_at = inf
        self._ready_told = False
        self._asked = Request(codes.BILL_EVENTS)

    # --- orders ---------------------------------------------------------------

    def accept(self, positions: frozenset[int], hold: frozenset[int] | None = None) -> None:
        """Exactly these bills from now on, also after resets. `hold`: those of them that wait in
        escrow for a decision, None for all; the others are stacked at once."""
        self._wanted = positions
        self._hold = hold
        self._hurry()

    def stack(self, bill: int) -> None:
        """Take the bill of that `BillHeld`: `BillStacked`, `BillReturned`, `BillUnclear` or
        another `BillHeld` follows. Raises `Declined` when it does not wait there."""
        self._decide(bill, Route.STACK)

    def give_back(self, bill: int) -> None:
        """Return the bill of that `BillHeld`; otherwise as `stack`."""
        self._decide(bill, Route.RETURN)

    def _decide(self, bill: int, route: Route) -> None:
        held = self.escrow.bill
        if held is None or held.number != bill or self.escrow.interrupted:
            raise Declined("that bill is not in escrow")
        if self.escrow.order is not None:
            raise Declined("the bill is on its way")
        self.escrow.decide(route, self._sent_at)
        self._hurry()

    # --- start ----------------------------------------------------------------

    def _start(self) -> Iterator[Question]:
        self.bills = {}
        self._mask = None
        self._enabled = self._reads_back = self._ready_told = False
        yield Question(Request(codes.SET_INHIBITS, b"\0\0"), self._all_off)
        country = self._rules.country.encode("ascii")
        yield Question(Request(codes.BILL_SCALING, country), self._hear_scaling)
        for position in range(1, POSITIONS + 1):
            hear = self._hear_bill_id(position)
            yield Question(Request(codes.BILL_ID, bytes((position,))), hear, optional=True)
        yield Question(Request(codes.BILL_MODE, STACKER_AND_ESCROW), _nothing)
        yield Question(Request(codes.INHIBITS), self._hear_inhibits, optional=True)

    def _all_off(self, data: bytes) -> None:
        self._mask = b"\0\0"

    def _hear_scaling(self, data: bytes) -> None:
        if len(data) != 3 or not any(data[:2]):
            raise Malformed(f"no bills of {self._rules.country}")
        self._scaling = (codes.number(data[:2]), data[2])

    def _hear_bill_id(self, position: int) -> Callable[[bytes], None]:
        def hear(data: bytes) -> None:
            name = "".join(chr(b) if 32 <= b < 127 else "?" for b in data)
            value = codes.bill_value(name, *self._scaling, self._rules.exponent)
            if value is not None and name[:2] == self._rules.country:
                self.bills[position] = BillKind(position, value, name)

        return hear

    def _hear_inhibits(self, data: bytes) -> None:
        self._reads_back = len(data) >= 2

    def _started(self, now: float, news: list[News]) -> None:
        self._verify_at = now + VERIFY_S if self._reads_back else inf
        if self.escrow.interrupted:
            self.escrow.resume(now)

    def _gone(self, why: str, now: float, news: list[News]) -> None:
        self._mask = None
        self._interrupted(why, news)

    def _interrupted(self, why: str, news: list[News]) -> None:
        bill, phase = self.escrow.bill, self.escrow.phase
        if bill is not None and not self.escrow.interrupted:
            self.escrow.interrupt()
            kind = bill.kind
            if kind.value:
                news.append(BillInterrupted(bill.number, kind.position, kind.value, phase, why))

    # --- operation ------------------------------------------------------------

    def _ask(self, now: float) -> Request:
        polled = self._asked.header == codes.BILL_EVENTS
        route = self.escrow.due(now)
        if not self._ready_told:
            self._asked = Request(codes.BILL_EVENTS)
        elif self._mask != self._mask_wanted():
            self._asked = Request(codes.SET_INHIBITS, self._mask_wanted())
        elif not self._enabled:
            self._asked = Request(codes.MASTER_INHIBIT, b"\x01")
        elif polled and route is not None:
            data = bytes((route,))
            self._asked = Request(codes.ROUTE_BILL, data, repeat=False, reply_s=SLOW_S)
        elif polled and now >= self._verify_at:
            self._asked = Request(codes.INHIBITS)
        else:
            self._asked = Request(codes.BILL_EVENTS)
        return self._asked

    def _mask_wanted(self) -> bytes:
        wanted = self._wanted & self.bills.keys()
        return sum(1 << p - 1 for p in wanted if 1 <= p <= POSITIONS).to_bytes(2, "little")

    def _hear(self, reply: Reply, now: float, news: list[News]) -> float | None:
        asked = self._asked
        match asked.header:
            case codes.BILL_EVENTS:
                return self._hear_events(reply, now, news)
            case codes.SET_INHIBITS if reply.valid:
                self._mask = asked.data
            case codes.MASTER_INHIBIT:
                self._enabled = reply != BUSIED
            case codes.INHIBITS:
                self._verify_at = now + VERIFY_S
                if reply.valid and reply.data[:2] != self._mask:
                    self._mask = None
                    self._enabled = False
            case codes.ROUTE_BILL:
                self._hear_route(reply, now, news)
        return 0.0 if reply.valid else BUSY_S

    def _hear_route(self, reply: Reply, now: float, news: list[News]) -> None:
        """The events tell what became of the bill; the answer only whether it still waits."""
        turn = self.escrow.routed(Route(self._asked.data[0]), reply, now)
        bill = self.escrow.bill
        if turn is None or bill is None:
            return
        if turn is Turn.UNCLEAR:
            self._unclear("no event", news)
            return
        if turn is Turn.FAILED:
            news += self.faults.begin("bill_route", "failed to route")
        self._present(bill, now, news)

    def _unclear(self, why: str, news: list[News]) -> None:
        bill = self.escrow.left()
        if bill is not None and bill.kind.value:
            news.append(BillUnclear(bill.number, bill.kind.position, bill.kind.value, why))

    def _hear_events(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if not reply.valid:
            return None
        try:
            events = self.log.read(reply.data)
        except BadReading:
            return None
        if events is None:
            return self._poll_s / 4
        if not self._ready_told:
            self._ready_told = True
            kinds = tuple(self.bills.values())
            news.append(BillsReady(self.identity, kinds, self.log.last or 0))
        self._tell(events, now, news)
        if events.restarted:
            news.append(EventsLost(None))
            self._interrupted("power_loss", news)
            return self._begin()
        if self.escrow.overdue(now):
            self._unclear("no event", news)
        return 0.0 if self._mask != self._mask_wanted() else None

    def _tell(self, events: Events, now: float, news: list[News]) -> None:
        for (first, second), counter in events.numbered():
            if first == 0:
                self._status(second, news)
            elif second == bill_codes.STACKED:
                self._stacked(first, counter, news)
            elif second == bill_codes.ESCROW:
                kind = self.bills.get(first) or BillKind(first, 0, "")
                self._present(self.escrow.arrived(kind, now), now, news)
        if events.lost:
            news.append(EventsLost(events.lost))
            news += self.faults.begin("events_lost", f"{events.lost} events unread")

    def _stacked(self, position: int, counter: int, news: list[News]) -> None:
        bill, kind = self.escrow.left(), self.bills.get(position)
        if kind is None:
            news += self.faults.begin("unknown_bill", f"position {position} has no value")
            return
        seen = bill is not None and bill.kind.position == position
        news += self.faults.end((*_BY_BILL, "bill_route"))
        number = bill.number if bill is not None and seen else None
        news.append(BillStacked(number, position, kind.value, counter))

    def _present(self, bill: Bill, now: float, news: list[News]) -> None:
        """Somebody has to decide about this bill."""
        kind = bill.kind
        if not kind.value:  # a coupon, or a bill without a value: it can't be credit
            self.escrow.decide(Route.RETURN, now)
        elif self._hold is not None and kind.position not in self._hold:
            self.escrow.decide(Route.STACK, now)
        else:
            news.append(BillHeld(bill.number, kind.position, kind.value))

    def _status(self, code: int, news: list[News]) -> None:
        if code == bill_codes.RETURNED:
            self._returned(news)
            return
        status = bill_codes.bill_status(code)
        if code in (bill_codes.JAM_SAFE, bill_codes.JAM_UNSAFE):
            self._unclear(f"event {code}", news)
        if status.refused:
            news.append(BillRefused(status.refused))
        if status.fault:
            news += self.faults.begin(status.fault, f"event {code}")
        news += self.faults.end(status.over)

    def _returned(self, news: list[News]) -> None:
        why = "ordered" if self.escrow.order is Route.RETURN else "returned"
        bill = self.escrow.left()
        news += self.faults.end(("bill_route",))
        if bill is None:
            news.append(BillReturned(None, 0, 0, why))
        else:
            kind = bill.kind
            news.append(BillReturned(bill.number, kind.position, kind.value, why))


def _nothing(data: bytes) -> None:
    """An ACK is all there is to say."""
