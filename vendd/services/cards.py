"""The card side of the payment service: orders to the readers, and a report for each refusal.

An order to a reader returns at once and its outcome is a report under a deadline of the
machine's, so there is nothing to time out and nothing to repeat: no guard. What a reader
refuses now it may take a second later, from another card.
"""

from collections.abc import Mapping

import structlog

from vendd.core.sale.acts import CheckAge, ConfirmVend, RequestVend, Revalue
from vendd.core.sale.card_reports import (
    AgeVerified,
    RefundState,
    RevalueLimitRead,
    RevalueSettled,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import Report
from vendd.ports import Cashless, Refused, Sink

_log = structlog.get_logger()


class Cards:
    """The readers by number. A reader that the machine does not have (any more) refuses."""

    def __init__(self, readers: Mapping[int, Cashless], sink: Sink) -> None:
        self._readers = readers
        self._sink = sink

    def bring(self, enabled: frozenset[int], prices: tuple[int, int] | None) -> None:
        """Enable exactly these readers; `prices` (highest, lowest) None: nothing is sold."""
        for number, reader in self._readers.items():
            if prices is not None:
                reader.show_prices(*prices)
            reader.enable(number in enabled)

    def request(self, act: RequestVend) -> None:
        """Ask the holder to pay; refused is denied, and nothing was asked."""
        try:
            self._there(act.reader).request(act.vend_id, act.price, act.item_no)
        except Refused as refusal:
            denied = VendDenied(act.reader, act.vend_id, "refused")
            self._refused("request", act.reader, refusal, denied)

    def cancel(self, reader: int, vend_id: str) -> None:
        """Take a request back. A reader that is not there has nothing to take back."""
        try:
            self._there(reader).cancel(vend_id)
        except Refused as refusal:
            denied = VendDenied(reader, vend_id, "gone") if reader not in self._readers else None
            self._refused("cancel", reader, refusal, denied)

    def confirm(self, act: ConfirmVend) -> None:
        """Delivered."""
        try:
            self._there(act.reader).succeeded(act.vend_id, keep_session=act.keep_session)
        except Refused as refusal:
            settled = VendSuccessSettled(act.reader, act.vend_id, acknowledged=False)
            self._refused("confirm", act.reader, refusal, settled)

    def fail(self, reader: int, vend_id: str) -> None:
        """Not delivered; refused leaves the refund due."""
        try:
            self._there(reader).failed(vend_id)
        except Refused as refusal:
            settled = VendFailureSettled(reader, vend_id, RefundState.UNCONFIRMED)
            self._refused("fail", reader, refusal, settled)

    def end_session(self, reader: int) -> None:
        try:
            self._there(reader).end_session()
        except Refused as refusal:
            self._refused("end_session", reader, refusal)

    def end_sessions(self) -> None:
        """Send every holder away who waits for nothing."""
        for number in self._readers:
            self.end_session(number)

    def release(self, reader: int) -> None:
        """No vend of an earlier life is open on this reader."""
        try:
            self._there(reader).release()
        except Refused as refusal:
            self._refused("release", reader, refusal)

    def recall(self) -> None:
        """The lever was pressed: a reader that shows something to a customer starts over."""
        for number, reader in self._readers.items():
            try:
                reader.recall()
            except Refused as refusal:
                self._refused("recall", number, refusal)

    def cash_sale(self, price: int, item_no: int) -> None:
        """Tell every reader; those that don't want to know say nothing of it."""
        for number, reader in self._readers.items():
            try:
                reader.cash_sale(price, item_no)
            except Refused as refusal:
                self._refused("cash_sale", number, refusal)

    def check_age(self, act: CheckAge) -> None:
        """Refused is not old enough."""
        try:
            self._there(act.reader).check_age(act.check_id, act.years)
        except Refused as refusal:
            answer = AgeVerified(act.reader, act.check_id, verified=False)
            self._refused("check_age", act.reader, refusal, answer)

    def stop_age_check(self, reader: int) -> None:
        try:
            self._there(reader).stop_age_check()
        except Refused as refusal:
            self._refused("stop_age_check", reader, refusal)

    def revalue(self, act: Revalue) -> None:
        """Refused: nothing is on the card."""
        try:
            self._there(act.reader).revalue(act.revalue_id, act.amount)
        except Refused as refusal:
            settled = RevalueSettled(act.reader, act.revalue_id, approved=False)
            self._refused("revalue", act.reader, refusal, settled)

    def ask_revalue_limit(self, reader: int) -> None:
        """Refused: it takes nothing."""
        try:
            self._there(reader).ask_revalue_limit()
        except Refused as refusal:
            self._refused("revalue_limit", reader, refusal, RevalueLimitRead(reader, None))

    def _there(self, number: int) -> Cashless:
        reader = self._readers.get(number)
        if reader is None:
            raise Refused(f"no card reader {number}")
        return reader

    def _refused(
        self, order: str, reader: int, refusal: Refused, report: Report | None = None
    ) -> None:
        _log.warning("reader_refused", reader=reader, order=order, why=str(refusal))
        if report is not None:
            self._sink.put(report)
