"""Coins coming in, and a changer that comes and goes."""

from dataclasses import replace
from typing import Final

from vendd.core import ledger
from vendd.core.facts import CashMoved, CoinCount, DeviceFound
from vendd.core.rows import BoxChanged, CountersAdded, Posted, TubeSet
from vendd.core.sale import card, security, sources
from vendd.core.sale.closing import owe, restart_time, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import ask_again, on_tubes_after
from vendd.core.sale.payout_books import take_from_tube
from vendd.core.sale.pieces import Payout, Sale
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    ManuallyDispensed,
    Timer,
    Tube,
)
from vendd.core.sale.states import (
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
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.tubes import take_tubes

COINS_IN_FLIGHT: Final = 10
"""More new ones were put there by hand. Behind an adapter that polls by itself a customer's coins
go on falling while the daemon starts; few of a technician's shown as credit come out by the lever,
a customer's kept as a difference would be lost."""

ROLLING_MS: Final = 3_000
"""A coin that arrives so soon after the door opened was inserted by a customer."""


def on_coin(d: Draft, report: CoinAccepted) -> None:
    """Credit for a coin that is in, wherever the machine is at that moment."""
    if _counted_already(d, report):
        return
    if is_fill(d):
        _fill(d, report)
        return
    _book_coin(d, report.type, report.value, report.path)
    add_credit(d, report.value)


def _counted_already(d: Draft, report: CoinAccepted) -> bool:
    """A coin that fell while the changer came up is in its tube's count before its own report
    comes. That report adds nothing to the count: then the money is booked already."""
    ahead = dict(d.state.tubes_ahead)
    coins = ahead.pop(report.type, 0)
    tube = next((t for t in d.world.tubes if t.type == report.type), None)
    if not coins or tube is None or report.path is not CoinPath.TUBE:
        return False
    if report.tube_count > tube.count:  # a coin more: the others never get a report
        d.set(tubes_ahead=tuple(ahead.items()))
        return False
    if coins > 1:
        ahead[report.type] = coins - 1
    d.set(tubes_ahead=tuple(ahead.items()))
    return True


def is_fill(d: Draft) -> bool:
    """A coin through the open door's acceptor, with no customer there, is the technician's."""
    if not d.world.door_open or d.state.customer is not None:
        return False
    opened = d.state.door_opened_ms
    rolling = opened is not None and d.now_ms - opened <= ROLLING_MS
    return isinstance(d.state.phase, Idle | ClaimShown) and not rolling


def _fill(d: Draft, report: CoinAccepted) -> None:
    in_tube = report.path is CoinPath.TUBE
    _store_coin(d, report.type, report.value, report.path, ledger.FILLS, "fill")
    count = (CoinCount(report.value, 1),)
    dst = "tube" if in_tube else "coin_box"
    d.record(CashMoved("operator", dst, count, report.value, "fill", door_open=True))


def add_credit(d: Draft, amount: int, *, bills: bool = False) -> None:
    """The money is booked; now it is somebody's credit. `bills`: it came as one."""
    customer = d.customer()
    d.customer_with(
        inserted=customer.inserted + amount, bills=customer.bills + (amount if bills else 0)
    )
    d.set(
        credit=d.state.credit + amount,
        credit_bills=d.state.credit_bills + (amount if bills else 0),
    )
    match d.state.phase:
        case Idle() | ClaimShown() | OverpayAsked():
            d.hush()
            to_credit(d)
        case Credit() | Hold() | Owed():
            d.hush()
            restart_time(d)
        case ChooseAgain():
            d.hush()
            d.arm(Timer.CHOOSE_AGAIN, d.policy.choose_again_ms)
        case SessionOpen():
            d.hush()
        case WaitingForTap():
            card.cancel_for_cash(d)
        case Vending(sale) | Stacking(sale) | Authorising(sale) | Refunding(sale) as phase:
            d.update(replace(phase, sale=sale.with_money(amount, bills=bills)))
        case Paying(Payout(asked=False), Sale() as sale) | Returning(_, _, Sale() as sale) as phase:
            d.update(replace(phase, sale=sale.with_money(amount, bills=bills)))  # change of it too
        case _:
            pass


def _book_coin(d: Draft, type_: int, value: int, path: CoinPath) -> None:
    _store_coin(d, type_, value, path, ledger.CUSTOMER, "coin_in")
    d.record(CountersAdded(cash_in=value))


def _store_coin(d: Draft, type_: int, value: int, path: CoinPath, source: str, reason: str) -> None:
    if path is CoinPath.BOX:
        d.record(
            Posted(ledger.COIN_BOX, source, value, reason), BoxChanged(ledger.COIN_BOX, value, 1)
        )
        return
    tube = next((t for t in d.world.tubes if t.type == type_), Tube(type_, value, 0))
    d.record(
        Posted(ledger.tube(value), source, value, reason),
        TubeSet(type_, value, tube.count + 1, tube.full, tube.defective),
    )


def on_rejected(d: Draft, report: CoinRejected) -> None:
    """No money moved: counted, and somebody stands there."""
    kind = report.why if report.why in ("slug", "lost", "double_arrival") else "rejected"
    security.tell(d, f"coin_{kind}", "changer", report.count, "no_credit")
    restart_time(d)


def on_manual(d: Draft, report: ManuallyDispensed) -> None:
    """Someone used the changer's own buttons: the operator's account, never a customer's."""
    tube = next((t for t in d.world.tubes if t.type == report.type), None)
    if tube is None or report.count <= 0:
        return
    value = tube.value * report.count
    d.record(Posted(ledger.MANUAL_DISPENSE, ledger.tube(tube.value), value, "manual_dispense"))
    take_from_tube(d, tube, report.count)
    counts = (CoinCount(tube.value, report.count),)
    opened = d.world.door_open
    d.record(CashMoved("tube", "operator", counts, value, "manual_dispense", opened))


def on_ready(d: Draft, report: ChangerReady) -> None:
    """The changer is up: its tubes decide what nobody saw, then business goes on."""
    who = report.identity
    d.record(
        DeviceFound(
            "changer",
            who.manufacturer,
            who.model,
            who.serial,
            who.firmware,
            who.level,
            who.options,
            who.currency,
            who.scale,
            who.decimals,
        )
    )
    d.set(booting=False, tubes_ahead=())
    match d.state.phase:
        case Paying(payout) if payout.asked and payout.out == "bills":
            take_tubes(d, report.tubes, "restart_difference")
        case Paying(payout) if payout.asked and not payout.unknown:
            pass  # its own end is still to come: these counts may be from before or after it
        case Paying(payout) if payout.asked:
            on_tubes_after(d, report.tubes)
            take_tubes(d, report.tubes, "restart_difference")
        case _:
            _settle_in(d, report.tubes)


def _settle_in(d: Draft, tubes: tuple[Tube, ...]) -> None:
    """Whether we were away or the changer was: a coin may have fallen whose report is lost."""
    known = bool(d.world.tubes)
    if known:
        _credit_coins_in_flight(d, tubes)
    filled = not known or d.world.door_open  # with the door open somebody may be filling them
    take_tubes(d, tubes, "fill" if filled else "restart_difference")
    phase = d.state.phase
    if isinstance(phase, Paying):
        ask_again(d)
    elif isinstance(phase, Owed) and phase.dead:
        to_credit(d)


def _credit_coins_in_flight(d: Draft, now: tuple[Tube, ...]) -> None:
    """Coins in the tubes that no commit knows: credit, if nobody had the door open (section 9)."""
    before = {t.type: t.count for t in d.world.tubes}
    more = {t: t.count - before.get(t.type, 0) for t in now if not t.defective}
    if d.world.door_open or any(n < 0 for n in more.values()):
        return
    if not 0 < sum(more.values()) <= COINS_IN_FLIGHT:
        return
    d.set(tubes_ahead=tuple((tube.type, count) for tube, count in more.items() if count))
    for tube, count in more.items():
        for _ in range(count):
            _book_coin(d, tube.type, tube.value, CoinPath.TUBE)
            add_credit(d, tube.value)


def on_lost(d: Draft, _: ChangerLost) -> None:
    """No changer: credit can still be spent, the lever leads to a claim."""
    phase = d.state.phase
    if not isinstance(phase, Paying):
        d.set(booting=False)
    standing = isinstance(phase, Credit | ChooseAgain | Hold | OverpayAsked)
    if standing and d.state.credit and not sources.ready(d.world):
        owe(d, dead=True)
