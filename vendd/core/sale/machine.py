"""The purchase machine: `step(state, report, snapshot) -> (state, records, acts)`.

Pure: it never waits, reads a clock, logs or touches a device. Every report kind
has one handler; a report that means nothing in a state changes nothing. Three
rules hold after every report, whatever it was: out of service no credit stays
(section 6), the exact-change sign is right (section 3), and whoever touched the
machine notices that it noticed (R9).
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final, Literal

from vendd.core.facts import CreditEnd, Door, Reason
from vendd.core.rows import Record
from vendd.core.sale import (
    age,
    bills,
    card,
    cash,
    drops,
    lever,
    outputs,
    paying,
    recycler,
    refund,
    revalue,
    selecting,
    tubes,
    vending,
)
from vendd.core.sale.acts import Acknowledge, Act
from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPayoutEnded,
    BillReading,
    BillRejected,
    BillReturned,
    BillsRemoved,
    BillStacked,
    BillUnclear,
    BillValidatorLost,
    BillValidatorReady,
    RecyclerHandled,
    RecyclerRead,
)
from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    ReaderFault,
    RevalueSettled,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.closing import open_claim, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.exact_change import watch_exact_change
from vendd.core.sale.recovery import on_started
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinRejected,
    DoorMoved,
    DropSeen,
    KeyPressed,
    LeftHome,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    Report,
    ServiceChanged,
    Started,
    Timer,
    TimerFired,
    TubesRead,
    TurnEnded,
)
from vendd.core.sale.states import (
    EPHEMERAL,
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    State,
    WaitingForTap,
)
from vendd.core.snapshot import Snapshot

_TOUCHES: Final = (
    KeyPressed,
    LeverPressed,
    CoinAccepted,
    CoinRejected,
    BillReading,
    BillStacked,
    BillRejected,
    SessionBegun,
)
_CREDIT_STANDS: Final = (Credit, ChooseAgain, Hold, OverpayAsked, Owed)


def step(
    state: State, report: Report, snapshot: Snapshot
) -> tuple[State, tuple[Record, ...], tuple[Act, ...]]:
    """Decide. `snapshot` is what is committed, with the moment of the report in `now`."""
    d = Draft(state, snapshot)
    handler = _HANDLERS.get(type(report))
    if handler is not None:
        handler(d, report)
    _return_when_shut(d)
    _settle_origin(d)
    watch_exact_change(d)
    if isinstance(report, _TOUCHES):
        _show_that_it_was_noticed(d, state, snapshot)
    return d.state, tuple(d.records), tuple(d.acts)


def durable_changed(old: State, new: State) -> bool:
    """Whether the part that must survive a power cut differs."""
    return any(getattr(old, name) != getattr(new, name) for name in _DURABLE)


def _settle_origin(d: Draft) -> None:
    """Coins are spent first; what is left of bills can't be more than what is left."""
    on_its_way = isinstance(d.state.phase, Paying)
    if d.state.credit_bills > d.state.credit and not on_its_way:
        d.set(credit_bills=d.state.credit)


def _return_when_shut(d: Draft) -> None:
    """Out of service with credit: returned first. While the door is open money rests."""
    if not d.selling:
        if isinstance(d.state.phase, AgeCheck):
            age.stop(d)
        card.let_go(d)
    if d.shut and not d.world.door_open and isinstance(d.state.phase, _CREDIT_STANDS):
        paying.give_back(d, CreditEnd.OUT_OF_SERVICE)


def _show_that_it_was_noticed(d: Draft, before: State, world: Snapshot) -> None:
    if outputs.screen(before, world) == outputs.screen(d.state, d.world):
        d.do(Acknowledge())


def _on_timer(d: Draft, report: TimerFired) -> None:
    match report.timer:
        case Timer.ENTRY:
            d.set(entry="")
        case Timer.NOTICE:
            d.set(notice=None)
        case Timer.READ:
            d.set(unread=False)
        case Timer.DROP_WINDOW:
            vending.on_drop_window(d)
        case Timer.PAYOUT:
            paying.on_overdue(d)
        case Timer.TUBES:
            tubes.look_again(d)
        case Timer.LEVER:
            lever.quiet(d)
        case Timer.BILL:
            bills.on_bill_time(d)
        case Timer.JACKPOT:
            drops.unlock(d, "anti_jackpot")
        case _:
            _phase_timed_out(d, report.timer)
    selecting.forget_if_gone(d)


def _phase_timed_out(d: Draft, timer: Timer) -> None:
    match d.state.phase, timer:
        case Stacking() | Returning(), Timer.STACK:
            bills.on_stack_time(d)
        case WaitingForTap(), Timer.TAP:
            card.cancel(d, Reason.CUSTOMER_TIMEOUT)
        case Authorising(), Timer.AUTHORISE:
            card.cancel(d, Reason.READER_TIMEOUT, "declined")
        case SessionOpen(), Timer.SESSION:
            card.end_session(d)
        case Revaluing(), Timer.AUTHORISE:
            revalue.unknown(d, power_loss=False)
        case AgeCheck(), Timer.AGE:
            age.stop(d)
        case Refunding(), Timer.REFUND:
            refund.on_time(d)
        case _:
            _customer_timed_out(d, timer)


def _customer_timed_out(d: Draft, timer: Timer) -> None:
    match d.state.phase, timer:
        case Owed(), Timer.IDLE if d.state.money > d.state.credit:  # first the bill in escrow
            paying.give_back(d, CreditEnd.IDLE)
        case Owed(), Timer.IDLE:
            open_claim(d, CreditEnd.IDLE, "payout_incomplete")
        case Credit(), Timer.IDLE:
            paying.give_back(d, CreditEnd.IDLE)
        case ChooseAgain(), Timer.CHOOSE_AGAIN:
            paying.give_back(d, CreditEnd.VEND_FAILED)
        case Hold(), Timer.HOLD:
            paying.pay(d, "change", CreditEnd.IDLE, None)
        case OverpayAsked(), Timer.OVERPAY:
            to_credit(d)
        case ClaimShown(), Timer.CLAIM:
            d.go(Idle())
        case _:
            pass


def _on_door(d: Draft, report: DoorMoved) -> None:
    opened = d.state.door_opened_ms
    open_s = None if opened is None or report.open else (d.now_ms - opened) // 1000
    state: Literal["opened", "closed"] = "opened" if report.open else "closed"
    d.record(Door(state, d.state.credit, d.state.sale is not None, open_s))
    if report.open:
        _door_opened(d)
    else:
        _door_closed(d)


def _door_opened(d: Draft) -> None:
    d.set(door_opened_ms=d.now_ms)
    d.clear_entry()
    d.hush()
    match d.state.phase:
        case Paying(payout) as phase:
            d.update(replace(phase, payout=replace(payout, door_opened=True)))
        case Owed() as owed:
            d.go(owed)  # kept: no time runs while the door is open
        case Credit() | ChooseAgain() | Hold() | OverpayAsked():
            to_credit(d)
        case _:
            pass


def _door_closed(d: Draft) -> None:
    d.set(door_opened_ms=None)
    drops.unlock(d)
    if not isinstance(d.state.phase, _CREDIT_STANDS):
        return
    if d.policy.return_credit_on_door:
        paying.give_back(d, CreditEnd.DOOR)
    elif isinstance(d.state.phase, Owed):
        d.go(d.state.phase, d.policy.idle_credit_ms)
    else:
        to_credit(d)


def _on_service(d: Draft, report: ServiceChanged) -> None:
    if not report.active:
        drops.unlock(d, report.reason)


_HANDLERS: Final[dict[type[Report], Callable[[Draft, Any], None]]] = {
    KeyPressed: selecting.on_key,
    LeverPressed: lever.on_lever,
    TimerFired: _on_timer,
    CoinAccepted: cash.on_coin,
    CoinRejected: cash.on_rejected,
    ManuallyDispensed: cash.on_manual,
    ChangerReady: cash.on_ready,
    ChangerLost: cash.on_lost,
    TubesRead: tubes.on_tubes_read,
    PayoutEnded: paying.on_ended,
    LeftHome: vending.on_left_home,
    TurnEnded: vending.on_turn_ended,
    DropSeen: vending.on_drop,
    DoorMoved: _on_door,
    ServiceChanged: _on_service,
    Started: on_started,
    BillReading: bills.on_reading,
    BillInEscrow: bills.on_escrow,
    BillStacked: bills.on_stacked,
    BillReturned: bills.on_returned,
    BillRejected: bills.on_rejected,
    BillInterrupted: bills.on_interrupted,
    BillUnclear: bills.on_unclear,
    BillValidatorReady: recycler.on_ready,
    BillValidatorLost: bills.on_lost,
    BillsRemoved: recycler.on_removed,
    RecyclerRead: recycler.on_stores_read,
    RecyclerHandled: recycler.on_handled,
    BillPayoutEnded: paying.on_bills_ended,
    SessionBegun: card.on_session,
    SessionEnded: card.on_session_ended,
    VendApproved: card.on_approved,
    VendDenied: card.on_denied,
    VendSuccessSettled: refund.on_success,
    VendFailureSettled: refund.on_settled,
    AgeVerified: selecting.on_age,
    RevalueSettled: revalue.on_settled,
    CardReaderReady: card.on_ready,
    CardReaderLost: card.on_lost,
    ReaderFault: card.on_fault,
}
_DURABLE: Final = tuple(f.name for f in fields(State) if f.name not in EPHEMERAL)
