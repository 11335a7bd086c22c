"""A card reader on the multi-drop bus: `ports.Cashless` over `CashlessMachine`.

Turns the machine's news into reports and nothing else. Is NOT responsible for the
conversation (`vendd.wire.mdb.cashless`), for the wire (`MdbBus`), for how long a
customer may take, or for what follows from a refund that was not confirmed.
"""

from collections.abc import Callable
from typing import Final

from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    CardReaderReady,
    Pricing,
    ReaderFault,
    ReaderMessage,
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
from vendd.core.sale.reports import DeviceIdentity, FaultEnded, FaultStarted, Report
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Refused, Sink, WallClock
from vendd.wire.mdb.cashless import CashlessMachine, CashlessRules, Declined
from vendd.wire.mdb.cashless_news import (
    AgeChecked,
    CashlessNews,
    FailureSettled,
    FaultBegan,
    FaultGone,
    Hiccup,
    Lost,
    ReaderDescription,
    ReaderReady,
    ReaderText,
    Revalued,
    RevalueUpTo,
    Session,
    SessionOver,
    SuccessTold,
    TimeAsked,
    VendNot,
    VendTaken,
)
from vendd.wire.mdb.exchange import Reply

__all__ = ["CashlessRules", "MdbCashless"]

_PRICING: Final = (
    Pricing.MACHINE,
    Pricing.PRICE_LIST,
    Pricing.DISCOUNT_GROUP,
    Pricing.DISCOUNT,
    Pricing.SURCHARGE,
)


class MdbCashless:
    """A `ports.Cashless` and a `BusDevice`; attaches itself to `bus`, which must not run yet.

    `held`: see `ports.Cashless.release`. `clock` answers a reader that asks for the time.
    """

    def __init__(
        self,
        bus: MdbBus,
        sink: Sink,
        rules: CashlessRules,
        *,
        held: bool = False,
        clock: WallClock | None = None,
    ) -> None:
        self._bus = bus
        self._sink = sink
        self._clock = clock
        self.number = rules.number
        self.device: Final = f"card_reader_{rules.number}"
        self.machine = CashlessMachine(rules, held=held)
        self._enabled = False
        self._prices: tuple[int, int] | None = None
        bus.attach(self)

    # --- ports.Cashless ---------------------------------------------------------------

    def enable(self, on: bool) -> None:
        """See `ports.Cashless`. Cheap when nothing changes."""
        if on is not self._enabled:
            self._enabled = on
            self.machine.enable(on)
            self._bus.kick()

    def show_prices(self, highest: int, lowest: int) -> None:
        """See `ports.Cashless`. Cheap when nothing changes."""
        if (highest, lowest) != self._prices:
            self._prices = (highest, lowest)
            self.machine.show_prices(highest, lowest)
            self._bus.kick()

    def request(self, vend_id: str, price: int, item: int) -> None:
        self._order(lambda: self.machine.request(vend_id, price, item))

    def cancel(self, vend_id: str) -> None:
        self._order(lambda: self.machine.cancel(vend_id))

    def succeeded(self, vend_id: str, *, keep_session: bool = False) -> None:
        self._order(lambda: self.machine.succeeded(vend_id, keep=keep_session))

    def failed(self, vend_id: str) -> None:
        self._order(lambda: self.machine.failed(vend_id))

    def end_session(self) -> None:
        self._order(self.machine.end_session)

    def recall(self) -> None:
        self._order(self.machine.recall)

    def cash_sale(self, price: int, item: int) -> None:
        self._order(lambda: self.machine.cash_sale(price, item))

    def revalue(self, revalue_id: str, amount: int) -> None:
        self._order(lambda: self.machine.revalue(revalue_id, amount))

    def ask_revalue_limit(self) -> None:
        self._order(self.machine.ask_revalue_limit)

    def check_age(self, check_id: str, years: int) -> None:
        self._order(lambda: self.machine.check_age(check_id, years))

    def stop_age_check(self) -> None:
        self._order(self.machine.stop_age_check)

    def release(self) -> None:
        self._order(self.machine.release)

    def _order(self, give: Callable[[], None]) -> None:
        try:
            give()
        except Declined as error:
            raise Refused(str(error)) from error
        self._bus.kick()

    # --- BusDevice --------------------------------------------------------------------

    @property
    def wake_at(self) -> float:
        return self.machine.wake_at

    def next(self, now: float) -> bytes | None:
        return self.machine.next(now)

    def answered(self, reply: Reply, now: float) -> None:
        for news in self.machine.answered(reply, now):
            if isinstance(news, TimeAsked):
                self.machine.write_time(self._time())
            else:
                self._sink.put(report(news, self.number, self.device))

    def _time(self) -> bytes:
        """UTC as ten BCD bytes; all unknown while the clock is not to be believed."""
        if self._clock is None or not self._clock.synchronised():
            return b"\xff" * 10
        digits = [c for c in self._clock.now()[2:19] if c.isdigit()]
        return bytes.fromhex("".join(digits)).ljust(10, b"\xff")


def report(news: CashlessNews, reader: int, device: str) -> Report:
    """One piece of news in the words of the sale machine."""
    match news:
        case Session():
            return _begun(news, reader)
        case SessionOver(why):
            return SessionEnded(reader, why)
        case VendTaken(id_, amount, token):
            return VendApproved(reader, id_, amount, token)
        case VendNot(id_, why, doubtful):
            return VendDenied(reader, id_, why, doubtful)
        case SuccessTold(id_, acknowledged):
            return VendSuccessSettled(reader, id_, acknowledged)
        case FailureSettled(id_, refund):
            return VendFailureSettled(reader, id_, RefundState(refund.value))
        case Lost(why):
            return CardReaderLost(reader, why)
        case ReaderReady(description):
            return _ready(description, reader)
        case _:
            return _aside(news, reader, device)


def _aside(news: CashlessNews, reader: int, device: str) -> Report:
    """News beside the vends."""
    match news:
        case FaultBegan(code, detail):
            return FaultStarted(code, device, detail)
        case FaultGone(code):
            return FaultEnded(code, device)
        case Hiccup(code, detail):
            return ReaderFault(reader, code, detail)
        case ReaderText(text, seconds):
            return ReaderMessage(reader, text, seconds)
        case Revalued(id_, approved, doubtful):
            return RevalueSettled(reader, id_, approved, doubtful)
        case RevalueUpTo(limit):
            return RevalueLimitRead(reader, limit)
        case AgeChecked(id_, verified, bits):
            return AgeVerified(reader, id_, verified, bits)
        case _:
            raise AssertionError("not a report")


def _begun(it: Session, reader: int) -> SessionBegun:
    return SessionBegun(
        reader,
        it.funds,
        it.hide_funds,
        it.media_id,
        _PRICING[it.pricing] if it.pricing < len(_PRICING) else Pricing.OTHER,
        it.pricing_data,
        it.free_card,
        it.test_card,
        it.refundable,
        it.revaluable,
        it.language,
    )


def _ready(it: ReaderDescription, reader: int) -> CardReaderReady:
    identity = DeviceIdentity(
        manufacturer=it.identity.manufacturer,
        serial=it.identity.serial,
        model=it.identity.model,
        firmware=it.identity.software,
        level=it.level,
        options=it.identity.options,
        currency=it.currency,
        scale=it.scale,
        decimals=it.decimals,
    )
    return CardReaderReady(
        reader,
        identity,
        it.max_response_s,
        it.refunds,
        it.multivend,
        it.selection_first,
        it.wants_cash_sales,
    )
