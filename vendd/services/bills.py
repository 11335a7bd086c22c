"""The bill side of the payment service: what becomes of a bill in escrow, and the recycler."""

import asyncio
import random

import structlog

from vendd.core.sale.acts import PayBills, ReadStores
from vendd.core.sale.bill_reports import BillPayoutEnded
from vendd.guard import BreakerOpen, Guard
from vendd.ports import BillValidator, Refused, Sink

_log = structlog.get_logger()


class Bills:
    """One bill validator, or none, behind its guard.

    An order about a bill in escrow is not guarded: it only says what the driver is to do, it
    can't hang, and a breaker that kept a bill from being given back would be worse than asking
    in vain. What became of the bill is the driver's report, also after a refusal.
    """

    def __init__(
        self,
        validator: BillValidator | None,
        sink: Sink,
        loop: asyncio.AbstractEventLoop,
        chance: random.Random,
    ) -> None:
        self._validator = validator
        self._sink = sink
        self._accepted: frozenset[int] | None = None
        self.guard = Guard("bill validator", loop, chance, (Refused, OSError))
        self._reading = Guard("bill stores", loop, chance, (Refused, OSError))

    def accept(self, bill_types: frozenset[int]) -> None:
        """Bring the validator to exactly these bill types; every bill waits in escrow."""
        if self._validator is not None and bill_types != self._accepted:
            self._accepted = bill_types
            self._validator.accept(bill_types)

    def forget(self) -> None:
        """The validator came up anew: what it was told before may be gone."""
        self._accepted = None

    def stack(self, bill: int) -> None:
        """Take the bill that waits in escrow."""
        try:
            self._there().stack(bill)
        except Refused as refusal:
            _log.warning("bill_not_stacked", bill=bill, why=str(refusal))

    def give_back(self, bill: int) -> None:
        """Give the bill in escrow back."""
        try:
            self._there().give_back(bill)
        except Refused as refusal:
            _log.warning("bill_not_given_back", bill=bill, why=str(refusal))

    async def pay_out(self, act: PayBills) -> None:
        """Ask once. Refused: certainly nothing moved. Silence: unknown, the counts decide."""
        try:
            await self.guard.call(
                lambda: self._there().pay_out(act.payout_id, act.bills), repeatable=act.repeatable
            )
        except (Refused, BreakerOpen) as refusal:
            _log.warning("bill_payout_refused", payout=act.payout_id, why=str(refusal))
            self._sink.put(BillPayoutEnded(act.payout_id, (), certain=True, why=str(refusal)))
        except (TimeoutError, OSError) as silence:
            _log.warning("bill_payout_unanswered", payout=act.payout_id, why=repr(silence))
            self._sink.put(BillPayoutEnded(act.payout_id, (), certain=False, why="no answer"))

    async def read_stores(self, act: ReadStores) -> None:
        """Ask for stacker and recycler counts. In vain is no harm."""
        try:
            await self._reading.call(lambda: self._there().read_stores(), repeatable=act.repeatable)
        except (Refused, BreakerOpen, TimeoutError, OSError) as failure:
            _log.warning("bill_stores_not_read", why=repr(failure))

    def _there(self) -> BillValidator:
        if self._validator is None:
            raise Refused("no bill validator")
        return self._validator
