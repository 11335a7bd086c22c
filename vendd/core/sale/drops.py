"""Products that fall outside a vend, and refunds for products that are said not to have fallen."""

from dataclasses import replace
from typing import Final

from vendd.core.facts import Security, StockReason
from vendd.core.rows import LevelChanged
from vendd.core.sale import security
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    LastVend,
)

DOUBLE_MS: Final = 10_000
"""A second product that falls this soon after a sale came with it; later it is a theft."""

LOCKED_MS: Final = 24 * 3_600_000
"""A machine that sees nobody come is in service again after this time."""

REPEATED_MS: Final = 24 * 3_600_000
"""Anti-jackpot strikes again within this time after the last one: it is no accident."""


def remember(d: Draft, sale: Sale, *, delivered: bool, counted: bool = False) -> None:
    """A product that falls from now on belongs to this sale."""
    until = d.now_ms + DOUBLE_MS
    last = LastVend(sale.id, sale.selection, delivered, sale.drops > 0, counted, until)
    d.set(last_vend=last)


def late_drop(d: Draft) -> None:
    """Something fell while nothing was being vended."""
    last = d.state.last_vend
    if last is not None and last.selection not in d.world.slots:
        last = None  # that slot was taken out of the planogram since
    if last is None or (last.delivered and last.dropped and d.now_ms > last.until_ms):
        security.tell(d, "drop_without_sale", "drop_sensor", 1, "recorded")
    elif not last.delivered:
        reason = StockReason.DROPPED_AFTER_REFUND
        one_more(d, last.sale_id, last.selection, reason, "dropped_after_refund")
        d.set(last_vend=replace(last, delivered=True, dropped=True, counted=True))
        if not last.counted:
            count_no_drop(d)
    elif last.dropped:
        one_more(d, last.sale_id, last.selection, StockReason.DOUBLE_DROP, "double_drop")
        d.set(last_vend=replace(last, until_ms=d.now_ms))  # one such product, not a flicker's many
    else:  # the home switch had decided; this is the product it stood for
        d.set(last_vend=replace(last, dropped=True))


def one_more(d: Draft, sale_id: str, selection: str, reason: StockReason, kind: str) -> None:
    """A product more has left than was paid for."""
    if d.world.slots[selection].available > 0:
        d.record(LevelChanged(selection, -1, reason, sale_id))
    d.record(Security(kind, "drop_sensor", 1, "stock_corrected", slot=selection))


def count_no_drop(d: Draft) -> None:
    """Anti-jackpot: someone may be blocking the sensor to get refunds."""
    now, policy = d.now_ms, d.policy
    recent = (*(t for t in d.state.no_drop_refunds if now - t < policy.jackpot_window_ms), now)
    d.set(no_drop_refunds=recent)
    if policy.jackpot_refunds and len(recent) >= policy.jackpot_refunds:
        _jackpot(d, len(recent))


def _jackpot(d: Draft, refunds: int) -> None:
    """The home switch decides for a while; the second time nothing is sold until someone came."""
    last = d.state.home_decides_until
    action = "home_switch_decides"
    if last is not None and d.now_ms - last < REPEATED_MS:
        action = "out_of_service"
        locked = tuple(r for r in d.state.locked if r != "anti_jackpot")
        d.set(locked=(*locked, "anti_jackpot"))
        watch_lock(d)
    until = d.now_ms + d.policy.jackpot_home_ms
    d.set(home_decides_until=until, no_drop_refunds=())
    d.record(Security("repeated_refunds", "drop_sensor", refunds, action))


def watch_lock(d: Draft) -> None:
    """Locked now, or found locked at a start: without a door switch time has to lift it."""
    if "anti_jackpot" in d.state.locked and not d.policy.door_switch:
        d.arm(Timer.JACKPOT, LOCKED_MS)


def unlock(d: Draft, reason: str | None = None) -> None:
    """Someone has come: the machine's own reasons to be out of service are gone (None: all)."""
    if d.state.locked:
        kept = () if reason is None else tuple(r for r in d.state.locked if r != reason)
        d.set(locked=kept)
