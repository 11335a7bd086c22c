"""The coin side of the payment service: payouts from the changer, and its coin types."""

import asyncio
import random

import structlog

from vendd.core.sale.acts import PayOut, ReadTubes
from vendd.core.sale.reports import PayoutEnded
from vendd.guard import BreakerOpen, Guard
from vendd.ports import Changer, Refused, Sink

_log = structlog.get_logger()


class Coins:
    """One changer, or none, behind its guard. A payout is asked for once; its result is a
    report."""

    def __init__(
        self,
        changer: Changer | None,
        sink: Sink,
        loop: asyncio.AbstractEventLoop,
        chance: random.Random,
    ) -> None:
        self._changer = changer
        self._sink = sink
        self._accepted: frozenset[int] | None = None
        self.guard = Guard("changer", loop, chance, (Refused, OSError))
        # apart from the payouts: counts that can't be read yet must not hold up a payout
        self._reading = Guard("changer tubes", loop, chance, (Refused, OSError))

    async def pay_out(self, act: PayOut) -> None:
        """Ask once. Refused: certainly nothing moved. Silence: unknown, tube counts decide."""
        try:
            await self.guard.call(
                lambda: self._there().pay_out(act.payout_id, act.coins), repeatable=act.repeatable
            )
        except (Refused, BreakerOpen) as refusal:
            _log.warning("payout_refused", payout=act.payout_id, why=str(refusal))
            self._sink.put(PayoutEnded(act.payout_id, (), certain=True, why=str(refusal)))
        except (TimeoutError, OSError) as silence:
            _log.warning("payout_unanswered", payout=act.payout_id, why=repr(silence))
            self._sink.put(PayoutEnded(act.payout_id, (), certain=False, why="no answer"))

    async def read_tubes(self, act: ReadTubes) -> None:
        """Ask for the tubes' counts. In vain is no harm: the machine's own timer decides then."""
        try:
            await self._reading.call(lambda: self._there().read_tubes(), repeatable=act.repeatable)
        except (Refused, BreakerOpen, TimeoutError, OSError) as failure:
            _log.warning("tubes_not_read", why=repr(failure))

    def accept(self, coin_types: frozenset[int]) -> None:
        """Bring the changer to exactly these coin types; told only when it differs."""
        if self._changer is not None and coin_types != self._accepted:
            self._accepted = coin_types
            self._changer.accept(coin_types)

    def forget(self) -> None:
        """The changer came up anew: what it was told before may be gone."""
        self._accepted = None

    def _there(self) -> Changer:
        if self._changer is None:
            raise Refused("no coin changer")
        return self._changer
