"""The purchase machine: `step(state, report, snapshot) -> (state, records, acts)`.

Pure: it never waits, reads a clock, logs or touches a device. Every report kind
has one handler; a report that means nothing in a state changes nothing.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final

from vendd.core.facts import CreditEnd, Door
from vendd.core.rows import Record
from vendd.core.sale import cash, paying, selecting, vending
from vendd.core.sale.acts import Act
from vendd.core.sale.closing import open_claim
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
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    State,
)
from vendd.core.snapshot import Snapshot


def step(
    state: State, report: Report, snapshot: Snapshot
) -> tuple[State, tuple[Record, ...], tuple[Act, ...]]:
    """Decide. `snapshot` is what is committed, with the moment of the report in `now`."""
    handler = _HANDLERS.get(type(report))
    if handler is None:
        return state, (), ()
    d = Draft(state, snapshot)
    handler(d, report)
    if isinstance(report, TimerFired):
        selecting.forget_if_gone(d)
    watch_exact_change(d)
    return d.state, tuple(d.records), tuple(d.acts)


def durable_changed(old: State, new: State) -> bool:
    """Whether the part that must survive a power cut differs."""
    return any(getattr(old, name) != getattr(new, name) for name in _DURABLE)


def _on_lever(d: Draft, report: LeverPressed) -> None:
    if not cash.lever_stuck(d, report):
        selecting.on_lever(d, report)


def _on_timer(d: Draft, report: TimerFired) -> None:
    match report.timer:
        case Timer.ENTRY:
            d.set(entry="")
        case Timer.NOTICE:
            d.set(notice=None)
        case Timer.DROP_WINDOW:
            vending.on_drop_window(d)
        case Timer.PAYOUT:
            _payout_overdue(d)
        case Timer.CLAIM if isinstance(d.state.phase, ClaimShown):
            d.go(Idle())
        case _:
            _customer_timed_out(d, report.timer)


def _customer_timed_out(d: Draft, timer: Timer) -> None:
    phase = d.state.phase
    match timer:
        case Timer.IDLE if isinstance(phase, Owed):
            open_claim(d, CreditEnd.IDLE, "payout_incomplete")
        case Timer.IDLE if isinstance(phase, Credit):
            paying.give_back(d, CreditEnd.IDLE)
        case Timer.CHOOSE_AGAIN if isinstance(phase, ChooseAgain):
            paying.give_back(d, CreditEnd.VEND_FAILED)
        case Timer.HOLD if isinstance(phase, Hold):
            paying.give_back(d, CreditEnd.IDLE)
        case Timer.OVERPAY if isinstance(phase, OverpayAsked):
            d.go(Credit(), d.policy.idle_credit_ms)
        case _:
            pass


def _payout_overdue(d: Draft) -> None:
    """The changer neither answered nor came back: what it paid can't be known."""
    phase = d.state.phase
    if not isinstance(phase, Paying):
        return
    if phase.payout.asked:
        paying.cannot_know(d, "no answer")
    else:  # nothing was ever asked for: the money is all there
        d.set(booting=False)
        paying.ask_again(d)


def _on_door(d: Draft, report: DoorMoved) -> None:
    state = "opened" if report.open else "closed"
    d.record(Door(state, d.state.credit, d.state.sale is not None))
    phase = d.state.phase
    if isinstance(phase, Paying) and report.open:
        d.update(replace(phase, payout=replace(phase.payout, door_opened=True)))
    open_phases = (Credit, ChooseAgain, Hold, OverpayAsked)
    if not isinstance(phase, open_phases):
        return
    if report.open:
        d.clear_entry()
        d.hush()
        d.go(Credit())  # kept: no time runs while the door is open
    elif d.policy.return_credit_on_door:
        paying.give_back(d, CreditEnd.DOOR)
    else:
        d.go(Credit(), d.policy.idle_credit_ms)


def _on_service(d: Draft, report: ServiceChanged) -> None:
    """Out of service with credit: returned first. (The snapshot knows the reasons already.)"""
    if not report.active or not d.world.out_of_service or d.world.door_open:
        return
    if isinstance(d.state.phase, Credit | ChooseAgain | Hold | OverpayAsked | Owed):
        paying.give_back(d, CreditEnd.OUT_OF_SERVICE)


_HANDLERS: Final[dict[type[Report], Callable[[Draft, Any], None]]] = {
    KeyPressed: selecting.on_key,
    LeverPressed: _on_lever,
    TimerFired: _on_timer,
    CoinAccepted: cash.on_coin,
    CoinRejected: cash.on_rejected,
    ManuallyDispensed: cash.on_manual,
    ChangerReady: cash.on_ready,
    ChangerLost: cash.on_lost,
    TubesRead: cash.on_tubes_read,
    PayoutEnded: paying.on_ended,
    LeftHome: vending.on_left_home,
    TurnEnded: vending.on_turn_ended,
    DropSeen: vending.on_drop,
    DoorMoved: _on_door,
    ServiceChanged: _on_service,
    Started: on_started,
}
_DURABLE: Final = tuple(f.name for f in fields(State) if f.name not in EPHEMERAL)
