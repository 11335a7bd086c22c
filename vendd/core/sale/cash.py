"""Coins coming in, tubes as they really are, and a changer that comes and goes."""

from vendd.core import ledger
from vendd.core.facts import CashMoved, CoinCount, CreditEnd, DeviceFound, Fault, Security, Severity
from vendd.core.rows import CountersAdded, Posted, TubeSet
from vendd.core.sale.acts import Acknowledge
from vendd.core.sale.closing import owe, restart_idle
from vendd.core.sale.draft import Draft
from vendd.core.sale.paying import ask_again, give_back, on_tubes_after
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    LeverPressed,
    ManuallyDispensed,
    Timer,
    Tube,
    TubesRead,
)
from vendd.core.sale.states import (
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
)

# A power cut can swallow the report of coins that were just falling; more than
# this many new coins at start-up were put there by a person.
COINS_IN_FLIGHT = 2
_LEVER_GAP_MS = 3_000
_LEVER_STUCK_MS = 30_000


def on_coin(d: Draft, report: CoinAccepted) -> None:
    """Credit for a coin that is in, wherever the machine is at that moment."""
    _book_coin(d, report.type, report.value, report.path)
    add_credit(d, report.value)


def add_credit(d: Draft, amount: int) -> None:
    """The money is booked; now it is somebody's credit."""
    customer = d.customer()
    d.customer_with(inserted=customer.inserted + amount)
    d.set(credit=d.state.credit + amount)
    phase = d.state.phase
    if isinstance(phase, Idle | ClaimShown):
        d.hush()
        d.go(Credit(), None if d.world.door_open else d.policy.idle_credit_ms)
    elif isinstance(phase, OverpayAsked):
        d.go(Credit(), d.policy.idle_credit_ms)
    elif isinstance(phase, Hold):
        d.arm(Timer.HOLD, d.policy.multi_vend_hold_ms)
    elif isinstance(phase, ChooseAgain):
        d.arm(Timer.CHOOSE_AGAIN, d.policy.choose_again_ms)
    if isinstance(d.state.phase, Credit | ChooseAgain | Hold | Owed):
        d.hush()
        restart_idle(d)
    if d.world.out_of_service and isinstance(d.state.phase, Credit | ChooseAgain | Hold):
        give_back(d, CreditEnd.OUT_OF_SERVICE)


def _book_coin(d: Draft, type_: int, value: int, path: CoinPath) -> None:
    tube = next((t for t in d.world.tubes if t.type == type_), None)
    if path is CoinPath.TUBE:
        d.record(Posted(ledger.tube(value), ledger.CUSTOMER, value, "coin_in"))
        count = (tube.count if tube else 0) + 1
        defective = tube.defective if tube else False
        d.record(TubeSet(type_, value, count, tube.full if tube else False, defective))
    else:
        d.record(Posted(ledger.COIN_BOX, ledger.CUSTOMER, value, "coin_in"))
    d.record(CountersAdded(cash_in=value))


def on_rejected(d: Draft, report: CoinRejected) -> None:
    """No money moved; counted, and the customer sees that the machine noticed."""
    kind = report.why if report.why in ("slug", "lost", "double_arrival") else "rejected"
    d.record(Security(f"coin_{kind}", "changer", report.count, "no_credit"))
    d.do(Acknowledge())


def on_manual(d: Draft, report: ManuallyDispensed) -> None:
    """Someone used the changer's own buttons: the operator's account, never a customer's."""
    tube = next((t for t in d.world.tubes if t.type == report.type), None)
    if tube is None:
        return
    value = tube.value * report.count
    d.record(Posted(ledger.MANUAL_DISPENSE, ledger.tube(tube.value), value, "manual_dispense"))
    left = tube.count - report.count
    if left < 0:
        d.record(
            Posted(ledger.tube(tube.value), ledger.UNEXPLAINED, -left * tube.value, "undercounted")
        )
    d.record(
        TubeSet(tube.type, tube.value, max(0, left), False, tube.defective),
        CashMoved(
            "tube",
            "operator",
            (CoinCount(tube.value, report.count),),
            value,
            "manual_dispense",
            d.world.door_open,
        ),
    )


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
    booting = d.state.booting
    d.set(booting=False, tubes_doubted=())
    phase = d.state.phase
    if isinstance(phase, Paying) and phase.payout.asked:
        on_tubes_after(d, report.tubes)
        take_tubes(d, report.tubes, "restart_difference")
        return
    if booting and d.world.tubes:
        _credit_coins_in_flight(d, report.tubes)
    take_tubes(d, report.tubes, "restart_difference" if d.world.tubes else "fill")
    if isinstance(d.state.phase, Paying):
        ask_again(d)


def _credit_coins_in_flight(d: Draft, now: tuple[Tube, ...]) -> None:
    """Coins in the tubes that no commit knows: credit, if nobody had the door open (section 9)."""
    before = {t.type: t.count for t in d.world.tubes}
    more = [(t, t.count - before.get(t.type, 0)) for t in now if t.count != before.get(t.type, 0)]
    if d.world.door_open or any(n < 0 for _, n in more):
        return
    if not 0 < sum(n for _, n in more) <= COINS_IN_FLIGHT:
        return
    for tube, count in more:
        for _ in range(count):
            _book_coin(d, tube.type, tube.value, CoinPath.TUBE)
            add_credit(d, tube.value)


def on_lost(d: Draft, _: ChangerLost) -> None:
    """No changer: credit can still be spent, the lever leads to a claim."""
    phase = d.state.phase
    if isinstance(phase, Credit | ChooseAgain | Hold | OverpayAsked) and d.state.credit:
        d.clear_entry()
        owe(d)


def on_tubes_read(d: Draft, report: TubesRead) -> None:
    """A status taken at rest. A difference counts when it is seen twice running: a coin may
    have fallen into its tube a moment before its report."""
    if isinstance(d.state.phase, Paying):
        return
    odd = tuple((t.type, t.count) for t in report.tubes if t.count != _book_count(d, t.type))
    if odd and odd != d.state.tubes_doubted:
        d.set(tubes_doubted=odd)
        return
    d.set(tubes_doubted=())
    take_tubes(d, report.tubes, "fill" if d.world.door_open else "correction")


def _book_count(d: Draft, type_: int) -> int:
    return next((t.count for t in d.world.tubes if t.type == type_), 0)


def take_tubes(d: Draft, now: tuple[Tube, ...], reason: str) -> None:
    """Make the books say what the changer says; every difference has an account."""
    known = {t.type: t for t in d.world.tubes}
    account = ledger.FILLS if reason == "fill" else ledger.UNEXPLAINED
    for tube in now:
        book = known.get(tube.type)
        if book == tube:
            continue
        if book is not None and book.value != tube.value and book.count:
            value = book.count * book.value
            d.record(Posted(ledger.UNEXPLAINED, ledger.tube(book.value), value, "tube_replaced"))
            book = None
        delta = tube.count - (book.count if book else 0)
        value = abs(delta) * tube.value
        if delta > 0:
            d.record(Posted(ledger.tube(tube.value), account, value, reason))
        elif delta < 0:
            d.record(Posted(account, ledger.tube(tube.value), value, reason))
        d.record(TubeSet(tube.type, tube.value, tube.count, tube.full, tube.defective))
        if delta:
            _tell_moved(d, tube.value, delta, value, reason)


def _tell_moved(d: Draft, coin: int, delta: int, value: int, reason: str) -> None:
    other = "operator" if reason == "fill" else "unexplained"
    src, dst = (other, "tube") if delta > 0 else ("tube", other)
    counts = (CoinCount(coin, abs(delta)),)
    d.record(CashMoved(src, dst, counts, value, reason, d.world.door_open))


def lever_stuck(d: Draft, _: LeverPressed) -> bool:
    """Presses without a pause for 30 s are a stuck lever: one fault, and no meaning any more."""
    now = d.world.now.uptime_ms
    since, last = d.state.lever_since, d.state.lever_last
    if since is None or last is None or now - last > _LEVER_GAP_MS:
        since = now
    was_stuck = last is not None and d.state.lever_since == since and _stuck(last, since)
    d.set(lever_since=since, lever_last=now)
    if _stuck(now, since) and not was_stuck:
        d.record(
            Fault(
                "lever_stuck:changer", "started", "lever_stuck", "changer", Severity.DEGRADED, (), 1
            )
        )
    return _stuck(now, since)


def _stuck(at: int, since: int) -> bool:
    return at - since >= _LEVER_STUCK_MS
