"""What a cashless device can be asked to do: the orders of `CashlessMachine`; not used alone."""

from collections import deque
from math import inf
from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_age import AgeCheck
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    FailureSettled,
    Refund,
    SuccessTold,
    VendNot,
)
from vendd.wire.mdb.cashless_start import OPERATING, CashlessRules, State
from vendd.wire.mdb.cashless_vend import ASKED_S, Vend, Vending

HELD_S: Final = 60.0  # for the books to say what has to be settled
CASH_SALES: Final = 32  # that wait to be told


class Declined(Exception):
    """The machine can't take this order now; nothing was sent. The text says why."""


class Orders(Vending):
    """`held`: begin with POLLs only, until a vend of an earlier life is settled
    by `failed`, `cancel` or `succeeded`, or `release` says that there is none."""

    def __init__(self, rules: CashlessRules, *, held: bool = False) -> None:
        super().__init__(rules)
        self.wake_at = 0.0
        self._pending: list[CashlessNews] = []  # told with the next exchange
        self._cash_sales: deque[tuple[int, int]] = deque(maxlen=CASH_SALES)
        self._age = AgeCheck(rules.age_approved)
        self._time = b""
        self._revalue_id: str | None = None
        if held:
            self._enter(State.HELD, limit=HELD_S)

    def enable(self, on: bool) -> None:
        """Take cards or not, also after resets. A session under way is not ended by it."""
        self._wanted = on
        self._hurry()

    def show_prices(self, highest: int, lowest: int) -> None:
        """The range of card prices, told to the device at the next rest."""
        self._prices = (highest, lowest)
        self._hurry()

    def request(self, vend_id: str, price: int, item: int) -> None:
        """Ask the holder to pay: exactly one `VendTaken` or `VendNot` follows.

        Raises `Declined` where that is impossible now. An item above FFFE is undefined.
        """
        ready = self.state is State.SESSION
        ready = ready or (self.state is State.ENABLED and self.selection_first and self._wanted)
        if not ready:
            raise Declined(f"reader is {self.state.value}")
        units = self._units.units(price)
        if units is None:
            raise Declined(f"reader can't charge {price}")
        item = item if 0 <= item < cd.NO_ITEM else cd.NO_ITEM
        self._vend, self._denied, self._open = Vend(vend_id, price, item), None, True
        due = cd.vend_request(units, item, wide=self._units.wide)
        self._enter(State.REQUESTED, due, ASKED_S)
        self._hurry()

    def cancel(self, vend_id: str) -> None:
        """Take a request back: its answer is a `VendNot`. Too late once it was approved."""
        if self.state is State.HELD:
            self._resume(vend_id)
            self._cancel("cancelled")
        elif self.state is State.REQUESTED and self._vend is not None:
            if self._vend.id != vend_id:
                return
            if self._vend.sent:
                self._cancel("cancelled")
            else:
                self._vend = None
                self._pending.append(VendNot(vend_id, "cancelled"))
                if self._session:
                    self._enter(State.SESSION)
                else:
                    self._to_rest("cancelled", self._pending)
        self._hurry()

    def succeeded(self, vend_id: str, *, keep: bool = False) -> None:
        """Delivered: one `SuccessTold` follows. `keep`: go on with the session if it can."""
        if self.state is State.HELD:
            self._resume(vend_id)
        elif self.state is not State.APPROVED or self._vend is None or self._vend.id != vend_id:
            self._pending.append(SuccessTold(vend_id, acknowledged=False))
            return
        assert self._vend is not None
        self._vend.keep = keep
        due = cd.vend_success(self._vend.item)
        self._enter(State.SUCCEEDING, due, self.non_response_s)
        self._hurry()

    def failed(self, vend_id: str) -> None:
        """Not delivered: one `FailureSettled` follows. Not for requests without an answer.

        Settling an earlier life, whether the device can refund at all is not known: CONFIRMED
        means that it took VEND FAILURE without complaint.
        """
        if self.state is State.HELD:
            self._resume(vend_id)
        elif self.state is State.FAILING and self._vend is not None and self._vend.id == vend_id:
            return
        elif self.state is not State.APPROVED or self._vend is None or self._vend.id != vend_id:
            self._pending.append(FailureSettled(vend_id, Refund.UNCONFIRMED))
            return
        assert self._vend is not None
        self._vend.told = True
        self._fail()
        self._hurry()

    def end_session(self) -> None:
        """SESSION COMPLETE when nothing is asked; `SessionOver` follows if one was open."""
        if self.state is State.SESSION:
            self._complete()
            self._hurry()

    def recall(self) -> None:
        """READER CANCEL: whatever the reader shows to a customer before a session ends."""
        if self.state is State.ENABLED:
            self._enter(State.RECALLING, cd.READER_CANCEL, self.non_response_s)
            self._hurry()

    def revalue(self, revalue_id: str, amount: int) -> None:
        """Put money on the card: one `Revalued` follows. Raises `Declined`."""
        units = self._units.units(amount)
        if self.state is not State.SESSION or not self._rules.revalue or not units:
            raise Declined(f"no revalue of {amount} now")
        self._revalue_id = revalue_id
        due = cd.revalue(units, wide=self._units.wide)
        self._enter(State.REVALUING, due, self.non_response_s)
        self._hurry()

    def ask_revalue_limit(self) -> None:
        """One `RevalueUpTo` follows, unless the session ends. Raises `Declined`."""
        if self.state is not State.SESSION or not self._rules.revalue:
            raise Declined("no revalue now")
        self._enter(State.REVALUING, cd.REVALUE_LIMIT, self.non_response_s)
        self._hurry()

    def cash_sale(self, price: int, item: int) -> None:
        """Something was sold for cash: told if the device wants to know. `item` with its flags."""
        units = self._units.units(price)
        if self._config.wants_cash_sales and units is not None:
            self._cash_sales.append((units, item & cd.NO_ITEM))
            self._hurry()

    def check_age(self, check_id: str, years: int) -> None:
        """Let the device verify an age, 1..254: one `AgeChecked` follows. Raises `Declined`."""
        at_rest = self.state is State.ENABLED or self.state is State.SESSION
        if self._age.busy or not at_rest or not 0 < years < 0xFF:
            raise Declined(f"no age check now, reader is {self.state.value}")
        self._age.begin(check_id, years)
        self._hurry()

    def stop_age_check(self) -> None:
        self._pending += self._age.stop()

    def write_time(self, bcd: bytes) -> None:
        """Answer to `TimeAsked`: YY MM DD hh mm ss weekday week summer holiday, FF unknown."""
        self._time = bcd[:10].ljust(10, b"\xff")
        self._hurry()

    def release(self) -> None:
        """Nothing of an earlier life has to be settled."""
        if self.state is State.HELD:
            self._enter(State.RESETTING)

    def _resume(self, vend_id: str) -> None:
        """A vend of an earlier life: what the device answered then is not known."""
        self._vend = Vend(vend_id, blind=True)
        self._must_reset = True

    def _hurry(self) -> None:
        if self.wake_at != inf and (self.state in OPERATING):
            self.wake_at = 0.0
