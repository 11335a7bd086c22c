"""The port of a card reader."""

from typing import Protocol


class Cashless(Protocol):
    """One card reader. Reports are those of `core.sale.card_reports`, and `FaultStarted/Ended`.

    Orders return at once; what came of them is a report. Is NOT responsible for how long a
    customer may take: whoever requested cancels, and ends the session. No order is ever
    repeated towards a holder's money.
    """

    number: int

    def enable(self, on: bool) -> None:
        """Take cards, or not; kept across resets. Ends no session that is open."""

    def show_prices(self, highest: int, lowest: int) -> None:
        """The range of card prices, told to the reader now and after its resets."""

    def request(self, vend_id: str, price: int, item: int) -> None:
        """Ask the holder to pay. Exactly one `VendApproved` or `VendDenied` follows; raises
        `Refused` when nothing was asked (no session, reader busy, an amount it can't say)."""

    def cancel(self, vend_id: str) -> None:
        """Take the request back: `VendDenied` follows. An approval that crosses it is given
        back first. No effect once `VendApproved` was reported."""

    def succeeded(self, vend_id: str, *, keep_session: bool = False) -> None:
        """Delivered: one `VendSuccessSettled` follows. The session is ended unless it is to be
        kept and can be."""

    def failed(self, vend_id: str) -> None:
        """Not delivered: one `VendFailureSettled` follows; then the session is ended."""

    def end_session(self) -> None:
        """Send the holder away; nothing while a vend is under way. `SessionEnded` follows."""

    def recall(self) -> None:
        """The customer pressed the lever while no session is open."""

    def cash_sale(self, price: int, item: int) -> None:
        """Tell the reader of a cash sale, if it wants to know."""

    def revalue(self, revalue_id: str, amount: int) -> None:
        """Put money on the card: one `RevalueSettled` follows. Raises `Refused`."""

    def ask_revalue_limit(self) -> None:
        """`RevalueLimitRead` follows, unless the session ends. Raises `Refused`."""

    def check_age(self, check_id: str, years: int) -> None:
        """Let the reader verify an age: one `AgeVerified` follows. Raises `Refused`."""

    def stop_age_check(self) -> None:
        """Nobody waits for the answer any more."""

    def release(self) -> None:
        """A reader that was started held sends nothing but polls until a vend of an earlier
        life is settled by `failed`, `cancel` or `succeeded`; this says that there is none."""
