"""A card reader at the port: a model with a session and holders' accounts, no bus, for tests of
what stands above.

Everything takes virtual time on the running loop. Held to the same contract as the real driver by
`test_mdb_card_contract*.py`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    RefundState,
    RevalueLimitRead,
    RevalueSettled,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import DeviceIdentity
from vendd.ports import Refused, Sink

STARTS_S = 1.0
BEGINS_S = 0.1
ANSWERS_S = 1.5
SETTLES_S = 0.3
SILENCE_S = 10.0
HELD_S = 60.0
MOST_PRICE = 65_534_00
MOST_REVALUE = 100_00


@dataclass
class Holder:
    """Whoever holds the card. Minor units."""

    balance: int = 5000


@dataclass
class Vend:
    """A request under way. `charged`: what the holder pays as things stand, from the approval on;
    `cancelled`: why it is on its way out."""

    id: str
    price: int
    charged: int | None = None
    settling: bool = False
    cancelled: bool = False


class FakeCardReader:
    """`start()` first. `prices` and `cash_sales` are what the reader was told.

    Faults: `decline` (the bank says no to the next request), `less` (it approves so much less),
    `mute` (the next request is never answered), `refund_fails`, `unplug()`, `plug()`, `reset()`.
    """

    def __init__(
        self,
        sink: Sink,
        number: int = 1,
        *,
        selection_first: bool = True,
        multi_vend: bool = False,
        refunds: bool = True,
    ) -> None:
        self._sink = sink
        self.number = number
        self.selection_first = selection_first
        self.multi_vend = multi_vend
        self.refunds = refunds
        self.held = False
        self.ready = False
        self.plugged = True
        self.enabled = False
        self.decline = self.mute = self.refund_fails = False
        self.less = 0
        self.prices: tuple[int, int] | None = None
        self.cash_sales: list[tuple[int, int]] = []
        self._holder: Holder | None = None  # who stands there with a card
        self._open = False  # somebody waits for a `SessionEnded`
        self._vend: Vend | None = None
        self._age: tuple[str, int] | None = None
        self._era = 0  # so that what was under way before a reset stays undone

    # --- ports.Cashless: cards and prices ------------------------------------------------

    def enable(self, on: bool) -> None:
        self.enabled = on

    def show_prices(self, highest: int, lowest: int) -> None:
        self.prices = (highest, lowest)

    def cash_sale(self, price: int, item: int) -> None:
        self.cash_sales.append((price, item))

    def recall(self) -> None:
        """It shows its advertisement and goes on."""

    # --- ports.Cashless: a vend ---------------------------------------------------------

    def request(self, vend_id: str, price: int, item: int) -> None:
        in_session = self._open and self._holder is not None
        first = self.selection_first and self.enabled and not self._open
        if not self._there() or self._vend is not None or not (in_session or first):
            raise Refused("reader is not ready for a request")
        if not 0 <= price <= MOST_PRICE:
            raise Refused(f"reader can't charge {price}")
        self._open = True
        self._vend = Vend(vend_id, price)
        if in_session:
            self._authorise_soon(self._vend)

    def cancel(self, vend_id: str) -> None:
        vend = self._vend
        if self.held:
            doubtful = self._refund_earlier(vend_id) is not RefundState.CONFIRMED
            self._settle_earlier(VendDenied(self.number, vend_id, "cancelled", doubtful))
        elif vend is not None and vend.id == vend_id and vend.charged is None:
            vend.cancelled = True
            self._later(SETTLES_S, self._denied, vend, "cancelled")

    def succeeded(self, vend_id: str, *, keep_session: bool = False) -> None:
        vend = self._approved(vend_id)
        if self.held:
            known = vend is not None
            self._settle_earlier(VendSuccessSettled(self.number, vend_id, acknowledged=known))
            return
        if vend is None:
            told = VendSuccessSettled(self.number, vend_id, acknowledged=False)
            self._later(0.05, self._sink.put, told)
            return
        vend.settling = True
        self._later(SETTLES_S, self._sold, vend, keep_session)

    def failed(self, vend_id: str) -> None:
        vend = self._approved(vend_id)
        if self.held:
            state = self._refund_earlier(vend_id)
            self._settle_earlier(VendFailureSettled(self.number, vend_id, state))
            return
        if vend is None:
            told = VendFailureSettled(self.number, vend_id, RefundState.UNCONFIRMED)
            self._later(0.05, self._sink.put, told)
            return
        vend.settling = True
        self._later(SETTLES_S, self._refunded, vend)

    def end_session(self) -> None:
        if self._open and self._vend is None:
            self._later(SETTLES_S, self._end, "completed")

    def release(self) -> None:
        if self.held:
            self._vend = None  # the reset that follows settles it: sold
            self.held = False
            self._later(STARTS_S, self._started)

    # --- ports.Cashless: beside a vend ----------------------------------------------------

    def revalue(self, revalue_id: str, amount: int) -> None:
        if not self._in_session() or amount <= 0:
            raise Refused("no revalue now")
        self._later(SETTLES_S, self._revalued, revalue_id, amount)

    def ask_revalue_limit(self) -> None:
        if not self._in_session():
            raise Refused("no revalue now")
        self._later(SETTLES_S, self._sink.put, RevalueLimitRead(self.number, MOST_REVALUE))

    def check_age(self, check_id: str, years: int) -> None:
        if not self._there() or self._vend is not None or self._age or not 0 < years < 255:
            raise Refused("no age check now")
        self._age = (check_id, years)

    def stop_age_check(self) -> None:
        self._age_over(verified=False)

    # --- the world's side ---------------------------------------------------------------

    def start(self) -> None:
        self._later(STARTS_S, self._started)

    def next_life(self, sink: Sink) -> None:
        """The machine dies and comes back, held; the reader does not, and goes on with its vend."""
        self._sink = sink
        self._era += 1
        self._open = self.ready = False
        self.held = True
        self._later(HELD_S, self.release)

    def tap(self, holder: Holder) -> bool:
        """A card is held to it. False: it takes no notice."""
        vend = self._vend
        if not self._there() or not self.enabled or self._holder is not None:
            return False
        if vend is not None and not vend.cancelled:
            self._holder = holder
            self._authorise_soon(vend)
            return True
        if self._open:
            return False
        self._holder, self._open = holder, True
        self._later(BEGINS_S, self._sink.put, SessionBegun(self.number, holder.balance))
        return True

    def leave(self) -> None:
        """The card is taken away."""
        vend = self._vend
        if vend is not None and vend.charged is None and not vend.cancelled:
            vend.cancelled = True
            self._later(SETTLES_S, self._denied, vend, "cancelled by reader")
        elif vend is None and self._open:
            self._later(SETTLES_S, self._end, "completed")

    def show_age(self, years: int) -> None:
        if self._age is not None:
            self._age_over(verified=years >= self._age[1])

    def unplug(self) -> None:
        self.plugged = False
        self._forget()
        self._later(SILENCE_S, self._lost)

    def plug(self) -> None:
        self.plugged = True
        self._era += 1
        self._later(STARTS_S, self._started)

    def reset(self) -> None:
        """A reset of its own: what it has approved counts as sold."""
        self._forget()
        self._over("reset", doubtful=False)
        self.ready = False
        self._later(STARTS_S, self._started)

    # --- inside -----------------------------------------------------------------------------

    def _later(self, delay: float, act: Callable[..., object], *args: object) -> None:
        loop, era = asyncio.get_running_loop(), self._era
        loop.call_later(delay, lambda: act(*args) if era == self._era else None)

    def _there(self) -> bool:
        return self.ready and self.plugged and not self.held

    def _in_session(self) -> bool:
        return self._there() and self._open and self._vend is None and self._holder is not None

    def _approved(self, vend_id: str) -> Vend | None:
        vend = self._vend
        known = vend is not None and vend.id == vend_id and vend.charged is not None
        return vend if known else None

    def _started(self) -> None:
        self._over("reset", doubtful=False)
        self.held = False
        self.ready = True
        identity = DeviceIdentity("FAK", "1", "FAKE", "0001", 3, 0, "1978", 1, 2)
        self._sink.put(
            CardReaderReady(
                self.number, identity, 10, self.refunds, self.multi_vend, self.selection_first, True
            )
        )

    def _lost(self) -> None:
        self._over("no answer", doubtful=True)
        self.ready = False
        self._sink.put(CardReaderLost(self.number, "no answer"))

    def _forget(self) -> None:
        """Program or power is gone; whoever was charged stays charged."""
        self._era += 1
        self._holder = None

    def _over(self, why: str, *, doubtful: bool) -> None:
        """Settle what can be; an approved vend is settled by whoever asked for it."""
        vend, self._vend = self._vend, None
        if vend is not None and vend.charged is None:
            self._sink.put(VendDenied(self.number, vend.id, why, doubtful))
        elif vend is not None and vend.settling:
            self._sink.put(VendFailureSettled(self.number, vend.id, RefundState.UNCONFIRMED))
        self._age_over(verified=False)
        self._end(why)

    def _end(self, why: str) -> None:
        self._holder = None
        if self._open:
            self._open = False
            self._sink.put(SessionEnded(self.number, why))

    def _refund_earlier(self, vend_id: str) -> RefundState:
        vend = self._approved(vend_id)
        if vend is None or vend.charged is None or self._holder is None:
            return RefundState.UNCONFIRMED
        self._holder.balance += vend.charged
        return RefundState.CONFIRMED

    def _settle_earlier(self, told: VendSuccessSettled | VendFailureSettled | VendDenied) -> None:
        """A vend of an earlier life, then the start that waited for it."""
        self.held = False
        self._vend = self._holder = None
        self._era += 1
        self._later(SETTLES_S, self._sink.put, told)
        self._later(STARTS_S, self._started)

    def _authorise_soon(self, vend: Vend) -> None:
        if self.mute:
            self.mute = False
        else:
            self._later(ANSWERS_S, self._authorised, vend)

    def _authorised(self, vend: Vend) -> None:
        if vend.cancelled or self._holder is None:
            return
        declined, self.decline = self.decline, False
        if declined or vend.price > self._holder.balance:
            self._denied(vend, "denied")
            return
        vend.charged = vend.price - self.less
        self._holder.balance -= vend.charged
        self._sink.put(VendApproved(self.number, vend.id, vend.charged))

    def _denied(self, vend: Vend, why: str) -> None:
        if self._vend is vend:
            self._vend = None
            self._sink.put(VendDenied(self.number, vend.id, why))
            self._later(SETTLES_S, self._end, "completed")

    def _sold(self, vend: Vend, keep: bool) -> None:
        self._vend = None
        self._sink.put(VendSuccessSettled(self.number, vend.id, acknowledged=True))
        if not (keep and self.multi_vend):
            self._later(SETTLES_S, self._end, "completed")

    def _refunded(self, vend: Vend) -> None:
        assert self._holder is not None
        assert vend.charged is not None
        self._vend = None
        state = RefundState.CONFIRMED
        if self.refund_fails or not self.refunds:
            state = RefundState.FAILED if self.refunds else RefundState.UNSUPPORTED
        else:
            self._holder.balance += vend.charged
        self.refund_fails = False
        self._sink.put(VendFailureSettled(self.number, vend.id, state))
        self._later(SETTLES_S, self._end, "completed")

    def _revalued(self, revalue_id: str, amount: int) -> None:
        approved = amount <= MOST_REVALUE and self._holder is not None
        if approved and self._holder is not None:
            self._holder.balance += amount
        self._sink.put(RevalueSettled(self.number, revalue_id, approved))

    def _age_over(self, *, verified: bool) -> None:
        asked, self._age = self._age, None
        if asked is not None:
            self._later(0.05, self._sink.put, AgeVerified(self.number, asked[0], verified))
