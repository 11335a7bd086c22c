"""The host's side of one hopper, sans-IO (ccTalk 4.7, part 2, headers 160 to 172).

Whoever owns the wire asks `next(now)` for a request once `wake_at` has come, and hands what
came back to `answered`. A payout ends in exactly one `PayoutRefused` or `PayoutDone`, also
when the hopper loses its power in the middle: it is waited for, and asked.

Is NOT responsible for how many coins lie in the hopper, or for what follows from a payout
that ended short.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from vendd.wire.cctalk import codes, hopper_data
from vendd.wire.cctalk.contact import BUSY_S, Contact, Declined, Malformed, Phase, Question
from vendd.wire.cctalk.exchange import Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper_payout import HopperPayout, Outcome, Security, Serial
from vendd.wire.cctalk.news import (
    Evidence,
    HopperReady,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
)

ADDRESS: Final = 3
MAX_COINS: Final = 255
RETURN_S: Final = 20.0  # a hopper that vanished in a payout is waited for


@dataclass(frozen=True, slots=True)
class HopperRules:
    """`poll_s`: how often it is looked at while it pays nothing."""

    address: int = ADDRESS
    checksum: Checksum = Checksum.SUM
    security: Security = Serial()  # noqa: RUF009  # has no state
    poll_s: float = 1.0


class HopperMachine(Contact):
    """See the module. `evidence`: how it stands between payouts; whoever keeps it together with
    the intent to pay can have the payout settled in another life (`recover`)."""

    categories = ("payout", "hopper")

    def __init__(self, rules: HopperRules) -> None:
        super().__init__(rules.address, rules.checksum, rules.poll_s)
        self._rules = rules
        self.evidence: Evidence | None = None
        self._serial = b""
        self._counts = False
        self._flags: frozenset[str] = frozenset()
        self._dispensed = 0
        self._payout: HopperPayout | None = None
        self._told_taken = False
        self._return_by = inf

    # --- orders ---------------------------------------------------------------

    def pay_out(self, payout_id: str, coins: int) -> None:
        """Begin: `PayoutRefused`, or `PayoutTaken` and later one `PayoutDone`.

        Raises `Declined` when it can't even be tried.
        """
        if self.phase is not Phase.RUNNING or self._payout is not None:
            busy = "paying" if self._payout is not None else self.phase.value
            raise Declined(f"hopper is {busy}")
        if not 1 <= coins <= MAX_COINS:
            raise Declined(f"a hopper pays 1 to {MAX_COINS} coins at once, not {coins}")
        security = self._rules.security
        self._payout = HopperPayout(payout_id, coins, self._serial, security, counts=self._counts)
        self._told_taken = False
        self._hurry()

    def recover(self, payout_id: str, coins: int, before: Evidence | None) -> None:
        """Find out what became of a payout of an earlier life; ends in one `PayoutDone`.

        `before`: the evidence kept with it; without it the outcome is never certain. Nothing
        is sent again. Before the machine runs, or while it is idle; raises `Declined` else.
        """
        if self._payout is not None:
            raise Declined("hopper is paying")
        counts = before is not None and before.dispensed is not None
        self._payout = HopperPayout.recovered(payout_id, coins, before, counts=counts)
        self._told_taken = True
        self._return_by = inf
        self._hurry()

    def withdraw(self, payout_id: str) -> bool:
        """Forget a payout of which no command was sent yet. False: it goes its way."""
        payout = self._payout
        if payout is None or payout.id != payout_id or payout.committed:
            return False
        self._payout = None
        return True

    # --- start ----------------------------------------------------------------

    def _start(self) -> Iterator[Question]:
        self._counts = False
        yield Question(Request(codes.TEST_HOPPER), self._hear_flags)
        yield Question(Request(codes.DISPENSE_COUNT), self._hear_count, optional=True)
        yield Question(Request(codes.HOPPER_STATUS), self._hear_status)

    def _hear_serial(self, data: bytes) -> None:
        super()._hear_serial(data)
        self._serial = data

    def _hear_flags(self, data: bytes) -> None:
        self._flags = hopper_data.flags(data)

    def _hear_count(self, data: bytes) -> None:
        self._dispensed = hopper_data.dispense_count(data)
        self._counts = True

    def _hear_status(self, data: bytes) -> None:
        dispensed = self._dispensed if self._counts else None
        self.evidence = replace(hopper_data.status(data), dispensed=dispensed)

    def _started(self, now: float, news: list[News]) -> None:
        assert self.evidence is not None
        self._return_by = inf
        self._show_faults(news)
        news.append(HopperReady(self.identity, self.evidence))
        if self._payout is not None:
            self._payout.came_back()

    def _gone(self, why: str, now: float, news: list[News]) -> None:
        payout = self._payout
        if payout is None:
            return
        if payout.committed:
            self._return_by = min(self._return_by, now + RETURN_S)
            self._tell_taken(payout, news)
        else:
            self._payout = None
            news.append(PayoutRefused(payout.id, why))

    def _sought(self, now: float, news: list[News]) -> None:
        payout = self._payout
        if payout is None:
            return
        if self._return_by == inf:
            self._return_by = now + RETURN_S
        elif now >= self._return_by:
            self._end(payout, payout.at_least("lost"), news)

    # --- operation ------------------------------------------------------------

    def _ask(self, now: float) -> Request:
        if self._payout is not None:
            return self._payout.next(now)
        return Request(codes.TEST_HOPPER)

    def _hear(self, reply: Reply, now: float, news: list[News]) -> float | None:
        payout = self._payout
        if payout is None:
            return self._hear_idle(reply, news)
        outcome = payout.answered(reply, now)
        if payout.taken:
            self._tell_taken(payout, news)
        if outcome is not None:
            self._end(payout, outcome, news)
            return self._begin()  # what it says now is compared with next time
        return payout.wait_s

    def _hear_idle(self, reply: Reply, news: list[News]) -> float | None:
        if not reply.valid:
            return BUSY_S
        before = self._flags
        try:
            self._hear_flags(reply.data)
        except Malformed:
            return None
        self._show_faults(news)
        fresh = self._flags - before
        return self._begin() if fresh & {"power_up", "power_down_in_payout"} else None

    def _show_faults(self, news: list[News]) -> None:
        wrong = {f"hopper_{flag}" for flag in self._flags & hopper_data.FAULTS}
        shown = {code for code in self.faults.active if code.startswith("hopper_")}
        news += self.faults.end(shown - wrong)
        for code in sorted(wrong):
            news += self.faults.begin(code)

    def _end(self, payout: HopperPayout, outcome: Outcome, news: list[News]) -> None:
        self._payout = None
        self._return_by = inf
        if not outcome.moved and not self._told_taken:
            news.append(PayoutRefused(payout.id, outcome.why))
            return
        self._tell_taken(payout, news)
        news.append(PayoutDone(payout.id, outcome.paid, outcome.certain, outcome.why))

    def _tell_taken(self, payout: HopperPayout, news: list[News]) -> None:
        if not self._told_taken:
            self._told_taken = True
            news.append(PayoutTaken(payout.id))
