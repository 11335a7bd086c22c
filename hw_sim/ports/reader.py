"""A card reader at the port: `ports.Cashless` for the daemon, a place to hold cards to for people.

What holders really pay is in `truth`. A charge that the machine has heard of counts as sold when
the reader starts anew (field note 14).
"""

from hw_sim.devices.card_reader_parts import Card, Charge, Outcome
from hw_sim.devices.card_reader_session import Stage
from hw_sim.ports.reader_inside import (
    BEGINS_S,
    DROPS_S,
    MOST_PRICE,
    SETTLES_S,
    TELLS_S,
    ReaderInside,
)
from hw_sim.ports.reader_parts import PortCardFault, Vend
from vendd.core.sale.card_reports import (
    RefundState,
    RevalueLimitRead,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.ports import Refused


class PortCardReader(ReaderInside):
    """`model` tells its fixed properties. It begins each life held, as every driver does."""

    # --- ports.Cashless: cards and prices -----------------------------------------------------

    def enable(self, on: bool) -> None:
        self._enabled = on

    def show_prices(self, highest: int, lowest: int) -> None:
        """It shows none."""

    def cash_sale(self, price: int, item: int) -> None:
        if self.model.wants_cash_sales:
            self.truth.cash_sales.append((price, item))

    def recall(self) -> None:
        """It shows its advertisement and goes on."""

    # --- ports.Cashless: a vend ---------------------------------------------------------------

    def request(self, vend_id: str, price: int, item: int) -> None:
        in_session = self._open and self.card is not None
        first = self.selection_first and self._enabled and not self._open
        if not self._there() or self._vend is not None or not (in_session or first):
            raise Refused("reader is not ready for a request")
        if not 0 <= price <= MOST_PRICE:
            raise Refused(f"reader can't charge {price}")
        self._open = True
        self._vend = vend = Vend(vend_id, price, item)
        if self.faults.due(PortCardFault.OUT_OF_SEQUENCE):
            self.later(TELLS_S, self._denied, vend, "out of sequence")
        elif in_session:
            self._authorise_soon(vend)

    def cancel(self, vend_id: str) -> None:
        vend = self._vend
        if self._held:
            self._cancel_earlier(vend_id)
        elif vend is not None and vend.id == vend_id and vend.charge is None:
            crossing = self.card is not None and self.faults.due(PortCardFault.CROSSING)
            if crossing and self.card is not None and self.card.balance >= vend.price:
                vend.charge = self.truth.hold(self.card, vend.price, vend.item)
            vend.cancelled = True
            self.later(SETTLES_S, self._denied, vend, "cancelled")

    def succeeded(self, vend_id: str, *, keep_session: bool = False) -> None:
        vend = self._approved(vend_id)
        if self._held:
            if vend is not None:
                self._settle(vend, Outcome.PAID)
            known = vend is not None
            self._settle_earlier(VendSuccessSettled(self.number, vend_id, acknowledged=known))
        elif vend is None:
            unknown = VendSuccessSettled(self.number, vend_id, acknowledged=False)
            self.later(TELLS_S, self.tell, unknown)
        else:
            vend.settling = True
            self.later(SETTLES_S, self._sold, vend, keep_session)

    def failed(self, vend_id: str) -> None:
        vend = self._approved(vend_id)
        if self._held:
            state = RefundState.UNCONFIRMED if vend is None else self._refund(vend)
            self._settle_earlier(VendFailureSettled(self.number, vend_id, state))
        elif vend is None:
            unknown = VendFailureSettled(self.number, vend_id, RefundState.UNCONFIRMED)
            self.later(TELLS_S, self.tell, unknown)
        else:
            vend.settling = True
            self._refund_soon(vend)

    def end_session(self) -> None:
        if not self._open or self._vend is not None:
            return
        if self.faults.due(PortCardFault.NEVER_END):
            self.later(float(self.model.max_response_s), self.reset)
        else:
            self.later(SETTLES_S, self._end, "completed")

    # --- ports.Cashless: beside a vend ----------------------------------------------------------

    def revalue(self, revalue_id: str, amount: int) -> None:
        if not self._in_session() or amount <= 0:
            raise Refused("no revalue now")
        self.later(SETTLES_S, self._revalued, revalue_id, amount)

    def ask_revalue_limit(self) -> None:
        if not self._in_session():
            raise Refused("no revalue now")
        limit = RevalueLimitRead(self.number, self.model.revalues_up_to)
        self.later(SETTLES_S, self.tell, limit)

    def check_age(self, check_id: str, years: int) -> None:
        if not self._there() or self._vend is not None or self._age or not 0 < years < 255:
            raise Refused("no age check now")
        self._age = (check_id, years)

    def stop_age_check(self) -> None:
        self._age_over(verified=False)

    # --- people -------------------------------------------------------------------------------

    def tap(self, card: Card) -> bool:
        """A card is held to it. False: it takes no notice."""
        vend = self._vend
        if not self._there() or self.card is not None:
            return False
        if vend is not None and not vend.cancelled:
            self.card = card
            self._authorise_soon(vend)
            return True
        if self._open or not self._enabled:
            return False
        self.card, self._open = card, True
        self.later(BEGINS_S, self._begin, card)
        self.later(self.model.session_s, self._bored, card)
        if self.faults.due(PortCardFault.DROP_SESSION):
            self.later(DROPS_S, self._drop, card)
        return True

    def remove(self) -> None:
        """The card is taken away, or the reader's own button pressed."""
        vend = self._vend
        if not self.plugged:
            return
        if vend is not None and vend.charge is None and not vend.cancelled:
            vend.cancelled = True
            self.later(SETTLES_S, self._denied, vend, "cancelled by reader")
        elif vend is None and self._open:
            self.later(SETTLES_S, self._end, "completed")

    press_cancel = remove

    def show_age(self, years: int) -> None:
        if self._age is not None:
            self._age_over(verified=years >= self._age[1])

    def decline_next(self) -> None:
        self.declines_next = True

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        self.faults.arm(fault, times, after)

    def repair(self) -> None:
        self.faults.clear()

    # --- what auditors and people see of a session ------------------------------------------------

    @property
    def session(self) -> "PortCardReader":
        """As a reader on a wire has one."""
        return self

    @property
    def charge(self) -> Charge | None:
        """Approved, not settled."""
        return None if self._vend is None else self._vend.charge

    @property
    def stage(self) -> Stage:
        if not self.ready:
            return Stage.INACTIVE
        if self._vend is not None:
            return Stage.VEND
        if self._open:
            return Stage.SESSION
        return Stage.ENABLED if self._enabled else Stage.DISABLED

    @property
    def mute(self) -> bool:
        """A refund is under way."""
        return self._vend is not None and self._vend.settling
