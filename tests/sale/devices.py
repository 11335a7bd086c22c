"""What validator and readers make of reports and orders: which order their port would take now.

Kept beside the bench: they hear every report before the machine does and see every act after it.
An order that a port refuses, a vend that is answered twice or not at all and a bill that is
forgotten in escrow fail the test that caused them.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from vendd.core.sale.acts import (
    Act,
    CancelVend,
    CheckAge,
    CompleteSession,
    ConfirmVend,
    FailVend,
    ReleaseReader,
    RequestVend,
    ReturnBill,
    StackBill,
    StopAgeCheck,
)
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillReturned,
    BillStacked,
    BillUnclear,
    BillValidatorLost,
    RecyclerChange,
    RecyclerHandled,
)
from vendd.core.sale.card_reports import (
    CardReaderReady,
    RefundState,
    RevalueSettled,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
)
from vendd.core.sale.pieces import BillDoing, Order
from vendd.core.sale.reports import Report, Started
from vendd.core.sale.states import Refunding, State
from vendd.core.snapshot import Snapshot


@dataclass
class Validator:
    """`waiting`: the bill in escrow. `ordered`: it was told what to do with that one.

    `stacked`: the value of the bills that it says are in its stacker.
    """

    seen: int = 0  # bills so far in this life of the driver
    waiting: int | None = None
    ordered: int | None = None
    stacked: int = 0
    returned: bool = False  # the last thing heard of a bill: its customer has it

    def resume(self, state: State) -> None:
        """A test that starts in the middle of things."""
        if state.bill is not None and state.bill.doing is BillDoing.ESCROW:
            self.waiting = state.bill.bill
        elif state.bill is not None and state.bill.doing is not BillDoing.AWAITED:
            self.ordered = state.bill.bill
        self.seen = self.waiting or self.ordered or 0

    def hear(self, report: Report) -> None:
        match report:
            case BillInEscrow(bill):
                self.seen = max(self.seen, bill)
                self.waiting, self.ordered = bill, None
                self.returned = False
            case BillStacked(bill, _, value, path):
                self._gone(bill)
                self.stacked += value if path is BillPath.STACKER else 0
            case BillReturned(bill):
                self._gone(bill, returned=True)
            case BillInterrupted(bill) | BillUnclear(bill):
                self._gone(bill)
            case BillValidatorLost() | Started():
                self.waiting = self.ordered = None
                self.seen = 0 if isinstance(report, Started) else self.seen
            case RecyclerHandled(_, value, RecyclerChange.TO_BOX) if value > 0:
                self.stacked += value
            case _:
                pass

    def _gone(self, bill: int | None, *, returned: bool = False) -> None:
        self.returned = returned
        if bill is not None and bill == self.waiting:
            self.waiting = None
        if bill is not None and bill == self.ordered:
            self.ordered = None

    def see(self, act: Act) -> None:
        match act:
            case StackBill(bill) | ReturnBill(bill):
                assert bill == self.waiting, f"{act}: that bill is not in escrow"
                self.waiting, self.ordered = None, bill
            case _:
                pass

    def check(self, state: State) -> None:
        bill = state.bill
        if self.waiting is not None:
            assert bill is not None, "a bill is forgotten in escrow"
            assert (bill.bill, bill.doing) == (self.waiting, BillDoing.ESCROW)
        elif bill is not None:
            assert bill.doing is not BillDoing.ESCROW, "a bill is spent that is not in escrow"


class Is(StrEnum):
    """How far a vend by card has come."""

    ASKED = "asked"
    APPROVED = "approved"
    LATE = "approved when nobody waited for it"
    DENIED = "denied"
    CANCELLED = "cancelled"
    FAILED = "failed"
    CONFIRMED = "confirmed"


@dataclass
class Vend:
    reader: int
    is_: Is
    approved: int = 0
    asked: int = 0
    settled: RefundState | None = None
    doubtful: bool = False
    over: bool = False  # answered in an earlier life: nobody can approve it any more
    known: bool = True  # False: of an earlier life, no session is ended by it


@dataclass
class Readers:
    """All card readers. `sessions`: those with a card; `engaged`: those that would refuse a
    request without one, because they are not at rest."""

    vends: dict[str, Vend] = field(default_factory=dict)
    sessions: set[int] = field(default_factory=set)
    engaged: set[int] = field(default_factory=set)
    revalued: set[str] = field(default_factory=set)  # put on a card
    checks: dict[int, str] = field(default_factory=dict)  # age checks, by reader
    starting: bool = False  # held until they are told what is open
    refused: bool = False  # just now

    def resume(self, state: State) -> None:
        """A test that starts in the middle of things."""
        orders = {Order.FAIL: Is.FAILED, Order.CONFIRM: Is.CONFIRMED, Order.CANCEL: Is.CANCELLED}
        for entry in state.open_vends:
            part = entry.card
            is_ = orders.get(entry.order, Is.DENIED)
            self.vends[entry.vend_id] = Vend(part.reader, is_, part.approved or 0)
        sale = state.sale
        if sale is not None and sale.card is not None:
            approved = sale.card.approved
            is_ = Is.ASKED if approved is None else Is.APPROVED
            is_ = Is.FAILED if isinstance(state.phase, Refunding) else is_
            self.vends.setdefault(sale.id, Vend(sale.card.reader, is_, approved or 0))
        session = getattr(state.phase, "session", None) or (sale.session if sale else None)
        if session is not None:
            self.sessions.add(session.reader)
            self.engaged.add(session.reader)

    def hear(self, report: Report) -> None:
        self.starting = isinstance(report, Started)
        self.refused = isinstance(report, VendDenied) and report.why == "refused"
        match report:
            case Started():
                for vend in self.vends.values():
                    vend.over = vend.is_ is Is.DENIED
                self.sessions.clear()
                self.engaged.clear()
                self.checks.clear()
            case SessionBegun(reader):
                self.sessions.add(reader)
                self.engaged.add(reader)
            case SessionEnded(reader) | CardReaderReady(reader):
                self.sessions.discard(reader)
                self.engaged.discard(reader)
            case VendApproved(reader, vend_id, amount):
                self._approved(
                    self.vends.setdefault(vend_id, Vend(reader, Is.CANCELLED, known=False)), amount
                )
            case VendDenied(reader, vend_id, why, doubtful):
                vend = self.vends.get(vend_id)
                if vend is not None and vend.is_ in (Is.ASKED, Is.CANCELLED):
                    vend.is_, vend.doubtful = Is.DENIED, doubtful
                    if why == "refused":
                        self.engaged.discard(reader)
                    self.sessions.discard(reader)
            case RevalueSettled(_, revalue_id, True, False):
                self.revalued.add(revalue_id)
            case VendFailureSettled(reader, vend_id, refund) if vend_id in self.vends:
                vend = self.vends[vend_id]
                if vend.reader == reader and vend.settled is None:
                    vend.settled = refund
            case _:
                pass

    def _approved(self, vend: Vend, amount: int) -> None:
        if vend.is_ is Is.ASKED:
            vend.is_, vend.approved = Is.APPROVED, amount
        elif vend.is_ in (Is.CANCELLED, Is.DENIED):
            vend.is_, vend.approved = Is.LATE, amount

    def see(self, act: Act, world: Snapshot, delivered: set[str]) -> None:
        match act:
            case RequestVend(reader, vend_id, price):
                assert vend_id not in self.vends, "asked twice"
                assert price >= 0
                fitted = world.reader(reader)
                assert fitted.ready
                if reader not in self.sessions:
                    assert fitted.selection_first
                    assert reader not in self.engaged, "it is not free"
                self.engaged.add(reader)
                self.vends[vend_id] = Vend(reader, Is.ASKED, asked=price)
            case CancelVend(_, vend_id):
                again = self.starting and self._is(vend_id, Is.CANCELLED)
                assert again or self._is(vend_id, Is.ASKED), f"{act}: nothing asked"
                self.vends[vend_id].is_ = Is.CANCELLED
            case ConfirmVend(reader, vend_id, keep):
                self.sessions -= set() if keep else {reader}
                assert vend_id in delivered, "VEND SUCCESS without proof"
                self._answer(vend_id, Is.CONFIRMED, Is.APPROVED)
            case FailVend(reader, vend_id):
                self.sessions -= {reader} if self.vends[vend_id].known else set()
                assert vend_id not in delivered, "VEND FAILURE for what was delivered"
                self._answer(vend_id, Is.FAILED, Is.APPROVED, Is.LATE)
            case CheckAge(reader, check_id):
                assert reader not in self.checks or self.checks[reader] != check_id
                assert world.reader(reader).ready
                self.checks[reader] = check_id
            case StopAgeCheck(reader):
                assert reader in self.checks
            case CompleteSession(reader):
                assert reader in self.engaged or self.refused, "no session to complete"
                self.sessions.discard(reader)
            case ReleaseReader(reader):
                assert self.starting
                assert not any(
                    v.reader == reader
                    and v.is_ in (Is.ASKED, Is.APPROVED, Is.FAILED)
                    and not v.settled
                    for v in self.vends.values()
                ), "released with a vend open"
            case _:
                pass

    def _is(self, vend_id: str, *states: Is) -> bool:
        return vend_id in self.vends and self.vends[vend_id].is_ in states

    def _answer(self, vend_id: str, answer: Is, *states: Is) -> None:
        """Once; after a start again, for the reader may not have heard it."""
        again = self.starting and self._is(vend_id, answer)
        assert again or self._is(vend_id, *states), f"{vend_id} is {self.vends.get(vend_id)}"
        self.vends[vend_id].is_ = answer

    def check(self, state: State) -> None:
        """No vend is left between the states, and the machine's picture is theirs."""
        sale = state.sale
        mine = sale.id if sale is not None and sale.card is not None else None
        for vend_id, vend in self.vends.items():
            assert vend.is_ is not Is.LATE, f"{vend_id}: a late approval that nobody fails"
            assert vend.is_ is not Is.ASKED or vend_id == mine, f"{vend_id} is forgotten"
            assert vend.is_ is not Is.APPROVED or vend_id == mine, f"{vend_id} is forgotten"
