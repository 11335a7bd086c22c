"""A reader's side of a session and its payments (NAMA MDB/ICP 4.2, section 7.2).

Is NOT responsible for bytes on the wire: it queues messages, and `CardReader` sends them.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from enum import IntEnum

from hw_sim.devices.card_reader_parts import (
    Card,
    CardFault,
    CardTruth,
    Charge,
    Outcome,
    ReaderModel,
)
from hw_sim.devices.faults import Faults

CANCEL_REQUEST, DENIED, END, OUT_OF_SEQUENCE = b"\x04", b"\x06", b"\x07", 0x0B
REFUND_FAILED = b"\x0a\xc0"
REPEATS = 5
DROPS_AFTER_S = 1.0


class Stage(IntEnum):
    """The states of the standard, by its numbers."""

    INACTIVE = 1
    DISABLED = 2
    ENABLED = 3
    SESSION = 4
    VEND = 5
    REVALUE = 6


class ReaderSession:
    """Sessions, approvals, refunds. `said` are the messages that wait for a POLL."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rng: random.Random,
        model: ReaderModel,
        truth: CardTruth,
        faults: Faults[CardFault],
    ) -> None:
        self._loop = loop
        self._rng = rng
        self.model = model
        self.truth = truth
        self.faults = faults
        self.stage = Stage.INACTIVE
        self.said: deque[bytes] = deque()
        self.card: Card | None = None
        self.charge: Charge | None = None  # approved, not settled
        self.request: tuple[int, int] | None = None  # amount, item; waits for card or bank
        self.mute = False  # answers no POLL: authorising, or refunding
        self.level = 1
        self.wide = False
        self.always_idle = False
        self.disable_later = False
        self.decline_next = False
        self.on_approved: Callable[[CardFault], None] = lambda fault: None
        self._timers: list[asyncio.TimerHandle] = []

    # --- the holder -----------------------------------------------------------------

    def tap(self, card: Card) -> bool:
        """A card is presented. False: nobody was interested."""
        if self.stage is Stage.VEND and self.request is not None and self.card is None:
            self.card = card
            self._authorise_soon()
            return True
        if self.stage is not Stage.ENABLED:
            return False
        self.card = card
        self.stage = Stage.SESSION
        times = REPEATS if self.faults.due(CardFault.REPEAT_BEGIN) else 1
        self.said.extend([self._begin(card)] * times)
        if self.faults.due(CardFault.DROP_SESSION):
            self._later(DROPS_AFTER_S, self._drop)
        self._later(self.model.session_s, self.leave)
        return True

    def leave(self) -> None:
        """The card is taken away, or the reader's cancel button pressed."""
        if self.stage is Stage.SESSION:
            self.said.append(CANCEL_REQUEST)
        elif self.stage is Stage.VEND and self.request is not None:
            self.deny()

    def _drop(self) -> None:
        if self.stage is Stage.SESSION:
            self.close()
            self.said.append(END)

    def _begin(self, card: Card) -> bytes:
        funds = self.model.units(card.balance) if self.model.tells_funds else None
        if self.wide:
            flags = (0x01 if self.model.hides_funds else 0) | (0x02 if self.model.refunds else 0)
            head = b"\x03" + _amount(funds, 4) + card.number.to_bytes(4, "big")
            money = self.model.currency.to_bytes(2, "big")
            return head + b"\x00\x00\x00en" + money + bytes([flags])
        begin = b"\x03" + _amount(funds, 2)
        if self.model.begin_bytes:
            return begin.ljust(self.model.begin_bytes, b"\xff")
        if self.level == 1:
            return begin
        return begin + card.number.to_bytes(4, "big") + b"\x00\x00\x00"

    # --- a payment --------------------------------------------------------------------

    def ask(self, amount: int, item: int) -> bytes:
        """VEND REQUEST: an answer for the wire, empty for ACK."""
        direct = self.stage is Stage.ENABLED and self.always_idle
        if self.stage is not Stage.SESSION and not direct:
            return self.out_of_sequence()
        if self.faults.due(CardFault.REQUEST_OUT_OF_SEQUENCE):
            return self.out_of_sequence()
        self.stage = Stage.VEND
        self.request = (amount, item)
        if self.card is not None:
            self._authorise_soon()
        return b""

    def _authorise_soon(self) -> None:
        if self.faults.due(CardFault.NO_ANSWER):
            return
        self.mute = self.faults.due(CardFault.SILENT_AUTHORISING)
        self._later(self._rng.uniform(*self.model.authorises_s), self._authorise)

    def _authorise(self) -> None:
        card, request = self.card, self.request
        if card is None or request is None:
            return
        self.mute = False
        amount, item = request
        declined, self.decline_next = self.decline_next or card.declined, False
        if declined or amount > card.balance:
            self.deny()
            return
        if self.faults.due(CardFault.OTHER_AMOUNT):
            amount = self.model.minor(self.model.units(amount) * 4 // 5)
        self.request = None
        self.charge = self.truth.hold(card, amount, item, request[0])
        size = 4 if self.wide else 2
        self.said.append(b"\x05" + _amount(self.model.units(amount), size))

    def deny(self) -> None:
        self.request = None
        self.mute = False
        self.said.append(DENIED)

    def heard(self, message: bytes) -> None:
        """The machine acknowledged a message."""
        if message[:1] == b"\x05" and self.charge is not None and not self.charge.heard:
            self.charge.heard = True
            for fault in (CardFault.POWER_CUT_APPROVED, CardFault.RESET_APPROVED):
                if self.faults.due(fault):
                    self.on_approved(fault)
                    return
        elif message == DENIED and self.stage is Stage.VEND:
            self._to_session()

    def cancel(self) -> bytes:
        """VEND CANCEL."""
        if self.stage is not Stage.VEND or (self.charge is not None and self.charge.heard):
            return self.out_of_sequence()
        crossing = self.request is not None and self.card is not None
        if crossing and self.charge is None and self.faults.due(CardFault.CROSSING):
            self._authorise()
        if self.charge is not None:
            return b""  # the approval is on its way already; the machine has to give it back
        self._stop_timers()
        self.request = None
        self.said.clear()
        self._to_session()
        return DENIED

    def succeed(self) -> bytes:
        """VEND SUCCESS."""
        if self.charge is None:
            return self.out_of_sequence()
        self._settle(Outcome.PAID)
        self._to_session()
        return b""

    def fail(self) -> bytes:
        """VEND FAILURE: the money goes back; POLLs stay unanswered meanwhile."""
        if self.charge is None:
            if self.stage is not Stage.VEND:
                return self.out_of_sequence()
            self._stop_timers()
            self.request = None
            self._to_session()
            return b""
        self.said.clear()
        self.mute = True
        if self.faults.due(CardFault.REFUND_SILENT):
            return b""
        took = self._rng.uniform(*self.model.refunds_s)
        if self.faults.due(CardFault.REFUND_SLOW):
            took = self.model.max_response_s * 0.8
        self._later(took, self._refund)
        return b""

    def _refund(self) -> None:
        self.mute = False
        if self.faults.due(CardFault.REFUND_ERROR):
            self._settle(Outcome.PAID)
            self.said.append(REFUND_FAILED)
        else:
            self._settle(Outcome.REFUNDED if self.model.refunds else Outcome.PAID)
        self._to_session()

    def _settle(self, outcome: Outcome) -> None:
        charge, self.charge = self.charge, None
        if charge is not None:
            self.truth.settle(charge, outcome)

    def _to_session(self) -> None:
        self.stage = Stage.SESSION if self.card is not None else Stage.ENABLED

    # --- ends ---------------------------------------------------------------------------

    def complete(self) -> bytes | None:
        """SESSION COMPLETE: END SESSION, or ACK now and that later. None: never."""
        idle = self.stage is Stage.ENABLED and self.always_idle
        if self.stage is not Stage.SESSION and not idle:
            return self.out_of_sequence()
        if self.faults.due(CardFault.NEVER_END):
            return b""
        self.close()
        if self.model.answers == "at once":
            return END
        self.said.append(END)
        return b""

    def close(self) -> None:
        self._stop_timers()
        self.card = None
        self.said.clear()
        self.stage = Stage.DISABLED if self.disable_later else Stage.ENABLED
        self.disable_later = False

    def restart(self) -> None:
        """RESET, or power came back. What the machine knows to be approved counts as sold."""
        if self.charge is not None:
            self._settle(Outcome.PAID if self.charge.heard else Outcome.RELEASED)
        self._stop_timers()
        self.said.clear()
        self.card = self.request = None
        self.mute = self.disable_later = False
        self.wide = self.always_idle = False
        self.stage = Stage.INACTIVE

    def out_of_sequence(self) -> bytes:
        return bytes([OUT_OF_SEQUENCE] if self.level == 1 else [OUT_OF_SEQUENCE, self.stage])

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timers.append(self._loop.call_later(seconds, what))

    def _stop_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def _amount(units: int | None, size: int) -> bytes:
    """All ones when it is not told, or too large to be said."""
    most = (1 << 8 * size) - 1
    return (most if units is None else min(units, most)).to_bytes(size, "big")
