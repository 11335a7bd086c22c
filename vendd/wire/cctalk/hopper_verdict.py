"""What became of a dispense command: evidence before against evidence after, and nothing else.

ccTalk 4.7, part 2, 3.89 and 3.90: the event counter moves with every valid dispense command
and is 0 only after a power-up or reset; paid and unpaid coins survive it. So a command is
sent again only where the counter proves that it never counted.
"""

from dataclasses import dataclass, replace
from enum import Enum

from vendd.wire.cctalk.event_log import following
from vendd.wire.cctalk.hopper_data import COUNT_WRAPS
from vendd.wire.cctalk.news import Evidence


class Verdict(Enum):
    NOT_TAKEN = "not_taken"  # certainly nothing moved: it may be sent again
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`paid` coins, for sure at least; exactly when `certain`."""

    verdict: Verdict
    paid: int = 0
    certain: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Dispense:
    """One command: `coins` asked for. `before` None: nobody knows any more how it stood.

    `acknowledged`: the hopper said yes. `seen`: coins it told as paid while it ran.
    """

    coins: int
    before: Evidence | None
    acknowledged: bool = False
    seen: int = 0


def judge(asked: Dispense, after: Evidence, flags: frozenset[str]) -> Judgement:
    """`flags`: of the test (163) after it."""
    before = asked.before
    ours = before is not None and after.counter == following(before.counter)
    if after.remaining:  # whosever payout it is: it has to end first
        paid = min(after.paid, asked.coins) if ours else asked.seen
        return Judgement(Verdict.RUNNING, max(paid, asked.seen), certain=ours)
    if before is None:
        return _unknown_start(asked, after)
    if ours:
        return _ended(asked, after, "", trusted=True)
    if after.counter == 0:
        return _powered_up(asked, before, after, flags)
    if after.counter != before.counter:
        # more than one command counted: whose coins they were, nobody can say
        return replace(_ended(asked, after, "other_payout", trusted=False), certain=False)
    if asked.acknowledged:  # it said yes and did not count: believe the coins only
        return _ended(asked, after, "not_counted", trusted=False)
    return Judgement(Verdict.NOT_TAKEN, why=_reason(flags))


def _powered_up(
    asked: Dispense, before: Evidence, after: Evidence, flags: frozenset[str]
) -> Judgement:
    """Power was lost, before the command counted or after."""
    moved = _delta(before, after)
    cut = "power_down_in_payout" in flags
    changed = (after.paid, after.unpaid) != (before.paid, before.unpaid)
    if before.counter == 0 and not (asked.acknowledged or cut or changed or moved or asked.seen):
        return Judgement(Verdict.NOT_TAKEN, why=_reason(flags))
    return _ended(asked, after, "power_loss", trusted=cut or changed)


def _unknown_start(asked: Dispense, after: Evidence) -> Judgement:
    """Nothing to compare with: what the hopper says of its last payout, never for certain."""
    fits = after.paid + after.unpaid == asked.coins
    paid = max(asked.seen, after.paid) if fits and asked.seen else asked.seen
    return Judgement(Verdict.ENDED, min(paid, asked.coins), certain=False, why="restart")


def _ended(asked: Dispense, after: Evidence, why: str, *, trusted: bool) -> Judgement:
    """No more coins come. `trusted`: its paid and unpaid coins are those of this command."""
    moved = None if asked.before is None else _delta(asked.before, after)
    told = after.paid if trusted and after.paid + after.unpaid == asked.coins else None
    plausible = [n for n in (moved, told) if n is not None and asked.seen <= n <= asked.coins]
    agreed = len(set(plausible)) == 1 and (moved is None or moved in plausible)
    paid = min(plausible, default=min(asked.seen, asked.coins))
    if not why and paid < asked.coins:
        why = "short"
    return Judgement(Verdict.ENDED, paid, certain=agreed, why=why)


def _delta(before: Evidence, after: Evidence) -> int | None:
    """Coins by the lifetime count; None where it is not told."""
    if before.dispensed is None or after.dispensed is None:
        return None
    return (after.dispensed - before.dispensed) % COUNT_WRAPS


def _reason(flags: frozenset[str]) -> str:
    for name in ("cipher_key_wrong", "pin_wrong", "single_coin", "payout_disabled"):
        if name in flags:
            return name
    return "not taken up"
