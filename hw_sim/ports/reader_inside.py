"""Inside a card reader at the port: starts, sessions, approvals, refunds.

A charge that the machine has heard of counts as sold when the reader starts anew (field note 14).
"""

import random
from typing import Final

from hw_sim.clock import WorldClock
from hw_sim.devices.card_reader_parts import Card, CardTruth, Outcome, ReaderModel
from hw_sim.devices.faults import Faults
from hw_sim.ports.device import Device
from hw_sim.ports.reader_parts import PortCardFault, Vend
from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    RefundState,
    RevalueSettled,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import DeviceIdentity
from vendd.ports import Sink

STARTS_S: Final = 1.0
BEGINS_S: Final = 0.1
SETTLES_S: Final = 0.1
TELLS_S: Final = 0.02
SILENCE_S: Final = 10.0
HELD_S: Final = 60.0
DROPS_S: Final = 1.0
CUT_S: Final = 1.0
MOST_PRICE: Final = 6_553_400


class ReaderInside(Device):
    """What the reader does by itself; `PortCardReader` is what others do with it."""

    def __init__(
        self,
        clock: WorldClock,
        rng: random.Random,
        number: int = 1,
        model: ReaderModel | None = None,
        *,
        selection_first: bool = True,
    ) -> None:
        super().__init__(clock)
        self.number = number
        self.model = model or ReaderModel()
        self.truth = CardTruth()
        self.faults = Faults(PortCardFault, rng)
        self.selection_first = selection_first
        self.card: Card | None = None
        self.declines_next = False
        self._rng = rng
        self._enabled = False
        self._held = False
        self._open = False  # somebody waits for a `SessionEnded`
        self._vend: Vend | None = None
        self._age: tuple[str, int] | None = None
        self._who = DeviceIdentity("SIM", self.model.serial, "CARDS", "0001", 3, 0, "1978", 1, 2)

    # --- power and lives ----------------------------------------------------------------------

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self._forget()
            self.later(SILENCE_S, self._lost)

    def plug(self) -> None:
        if not self.plugged:
            self.plugged = True
            self._era += 1
            if self.heard:
                self.later(STARTS_S, self._started)

    def reset(self) -> None:
        """A reset of its own: what it has approved counts as sold."""
        self._forget()
        self._over("reset", doubtful=False)
        self.ready = False
        self.later(STARTS_S, self._started)

    def begin(self, sink: Sink) -> None:
        """The reader itself has lost nothing; whoever listens settles its vend first."""
        super().begin(sink)
        self._open = self._enabled = False
        self._held = True
        self._age = None
        if self.plugged:
            self.later(HELD_S, self.release)
        else:
            self.later(SILENCE_S, self._lost)

    def release(self) -> None:
        if self._held:
            self._held = False
            self._era += 1
            self._counts_as_sold()
            self.later(STARTS_S, self._started)

    # --- starts ----------------------------------------------------------------------------------

    def _there(self) -> bool:
        return self.ready and self.plugged and not self._held

    def _in_session(self) -> bool:
        return self._there() and self._open and self._vend is None and self.card is not None

    def _approved(self, vend_id: str) -> Vend | None:
        vend = self._vend
        if vend is None or vend.id != vend_id or vend.charge is None:
            return None
        return vend if vend.charge.outcome is Outcome.HELD else None  # settled by a loss of power

    def _started(self) -> None:
        self._over("reset", doubtful=False)
        self._held = False
        self.ready = True
        model = self.model
        self.tell(
            CardReaderReady(
                self.number,
                self._who,
                model.max_response_s,
                model.refunds,
                model.multi_vend,
                self.selection_first,
                model.wants_cash_sales,
            )
        )

    def _lost(self) -> None:
        self._over("no answer", doubtful=True)
        self.ready = False
        self.tell(CardReaderLost(self.number, "no answer"))

    def _forget(self) -> None:
        """Program or power is gone."""
        self._era += 1
        self._counts_as_sold(keep=True)
        self.card = None

    def _counts_as_sold(self, *, keep: bool = False) -> None:
        """A charge of which the machine has heard; any other is let go."""
        vend = self._vend
        if vend is not None and vend.charge is not None:
            outcome = Outcome.PAID if vend.charge.heard else Outcome.RELEASED
            self.truth.settle(vend.charge, outcome)
        if not keep:
            self._vend = self.card = None

    def _over(self, why: str, *, doubtful: bool) -> None:
        """Settle what can be; an approved vend is settled by whoever asked for it."""
        vend, self._vend = self._vend, None
        if vend is not None and (vend.charge is None or not vend.charge.heard):
            self.tell(VendDenied(self.number, vend.id, why, doubtful))
        elif vend is not None and vend.settling:
            self.tell(VendFailureSettled(self.number, vend.id, RefundState.UNCONFIRMED))
        self._age_over(verified=False)
        self._end(why)

    # --- sessions --------------------------------------------------------------------------------

    def _begin(self, card: Card) -> None:
        if self.card is card and self._open:
            funds = None if not self.model.tells_funds else card.balance
            begun = SessionBegun(self.number, funds, self.model.hides_funds, f"{card.number:08x}")
            self.tell(begun)

    def _bored(self, card: Card) -> None:
        if self.card is card and self._vend is None:
            self._end("reader")

    def _drop(self, card: Card) -> None:
        if self.card is card and self._vend is None and self._open:
            self._end("reader")

    def _end(self, why: str) -> None:
        if self._vend is not None:
            return
        self.card = None
        if self._open:
            self._open = False
            self.tell(SessionEnded(self.number, why))

    def _age_over(self, *, verified: bool) -> None:
        asked, self._age = self._age, None
        if asked is not None:
            self.later(TELLS_S, self.tell, AgeVerified(self.number, asked[0], verified))

    def _revalued(self, revalue_id: str, amount: int) -> None:
        approved = amount <= self.model.revalues_up_to and self.card is not None
        if approved and self.card is not None:
            self.card.balance += amount
            self.truth.loaded += amount
        self.tell(RevalueSettled(self.number, revalue_id, approved))

    # --- a vend ----------------------------------------------------------------------------------

    def _authorise_soon(self, vend: Vend) -> None:
        if not self.faults.due(PortCardFault.NO_ANSWER):
            self.later(self._rng.uniform(*self.model.authorises_s), self._authorise, vend)

    def _authorise(self, vend: Vend) -> None:
        card = self.card
        if vend.cancelled or card is None or self._vend is not vend:
            return
        declined, self.declines_next = self.declines_next or card.declined, False
        if declined or vend.price > card.balance:
            self._denied(vend, "denied")
            return
        less = self.faults.due(PortCardFault.OTHER_AMOUNT)
        amount = vend.price * 4 // 5 if less else vend.price
        vend.charge = self.truth.hold(card, amount, vend.item, vend.price)
        self.later(TELLS_S, self._tell_approval, vend)

    def _tell_approval(self, vend: Vend) -> None:
        if vend.cancelled or vend.charge is None or not self.heard:
            return
        vend.charge.heard = True
        self.tell(VendApproved(self.number, vend.id, vend.charge.amount))
        if self.faults.due(PortCardFault.POWER_CUT_APPROVED):
            self.unplug()
            self.clock.later(CUT_S, self.plug)
        elif self.faults.due(PortCardFault.RESET_APPROVED):
            self.reset()

    def _denied(self, vend: Vend, why: str) -> None:
        if self._vend is not vend:
            return
        doubtful = not self._taken_back(vend)
        self._vend = None
        self.tell(VendDenied(self.number, vend.id, why, doubtful))
        self.later(SETTLES_S, self._end, "completed")

    def _sold(self, vend: Vend, keep: bool) -> None:
        self._settle(vend, Outcome.PAID)
        self._vend = None
        self.tell(VendSuccessSettled(self.number, vend.id, acknowledged=True))
        if not (keep and self.model.multi_vend):
            self.later(SETTLES_S, self._end, "completed")

    def _settle(self, vend: Vend, outcome: Outcome) -> None:
        if vend.charge is not None:
            self.truth.settle(vend.charge, outcome)

    def _refund(self, vend: Vend) -> RefundState:
        """The holder has the money again, or not."""
        if not self.model.refunds:
            self._settle(vend, Outcome.PAID)
            return RefundState.UNSUPPORTED
        if self.faults.due(PortCardFault.REFUND_ERROR):
            self._settle(vend, Outcome.PAID)
            return RefundState.FAILED
        self._settle(vend, Outcome.REFUNDED)
        return RefundState.CONFIRMED

    def _taken_back(self, vend: Vend) -> bool:
        """Nothing is charged for it any more."""
        return vend.charge is None or self._refund(vend) is RefundState.CONFIRMED

    def _refund_soon(self, vend: Vend) -> None:
        due = self.faults.due
        if due(PortCardFault.REFUND_SILENT):
            self.later(float(self.model.max_response_s), self.reset)
        elif due(PortCardFault.REFUND_UNHEARD):
            self.later(SETTLES_S, self._settle, vend, Outcome.REFUNDED)
            self.later(float(self.model.max_response_s), self.reset)
        elif due(PortCardFault.REFUND_SLOW):
            self.later(self.model.max_response_s * 0.8, self._refunded, vend)
        else:
            self.later(self._rng.uniform(*self.model.refunds_s), self._refunded, vend)

    def _refunded(self, vend: Vend) -> None:
        state = self._refund(vend)
        self._vend = None
        self.tell(VendFailureSettled(self.number, vend.id, state))
        self.later(SETTLES_S, self._end, "completed")

    # --- a vend of an earlier life ---------------------------------------------------------------

    def _cancel_earlier(self, vend_id: str) -> None:
        vend = self._vend
        if vend is None or vend.id != vend_id:
            doubtful = True  # it started anew meanwhile, and can't tell
        else:
            doubtful = not self._taken_back(vend)
        self._settle_earlier(VendDenied(self.number, vend_id, "cancelled", doubtful))

    def _settle_earlier(self, report: VendSuccessSettled | VendFailureSettled | VendDenied) -> None:
        """Then the start that waited for it."""
        self._held = False
        self._vend = self.card = None
        self._era += 1
        self.later(SETTLES_S, self.tell, report)
        self.later(STARTS_S, self._started)
