"""A card reader on a Qibixx adapter of its own: `ports.Cashless` over `NativeReader`.

The adapter is the reader's master; nothing else hangs on it. Owns the serial line (opening,
reopening with back-off). Is NOT responsible for the conversation (`vendd.wire.qibixx_cashless`),
or for how long a customer may take.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final

from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.drivers.cashless import report
from vendd.ports import Refused, Sink, Wire, WireLost, WireOpener
from vendd.wire.mdb.cashless_news import CashlessNews, ReaderReady
from vendd.wire.qibixx_cashless import Declined, NativeReader
from vendd.wire.qibixx_native import BAUD

REOPEN_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
FAULT_AFTER: Final = 2  # failed openings before people are told
ADAPTER_LOST: Final = "adapter_lost"


class QibixxCashless:
    """A `ports.Cashless` with a line of its own. `alive` is called whenever it did something."""

    def __init__(
        self,
        opener: WireOpener,
        port: str,
        sink: Sink,
        number: int,
        machine: NativeReader,
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._opener = opener
        self._port = port
        self._sink = sink
        self._alive = alive
        self.number = number
        self.device: Final = f"card_reader_{number}"
        self.machine = machine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failures = 0
        self._faulty = False
        self._enabled = False

    def start(self) -> None:
        """Open the line. Never raises: a missing port is tried again."""
        self._loop = asyncio.get_running_loop()
        self._open()

    def close(self) -> None:
        """Stop at once; nothing more is sent or reported."""
        self._loop = None
        self._set_timer(inf)
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    # --- ports.Cashless ------------------------------------------------------------------

    def enable(self, on: bool) -> None:
        """See `ports.Cashless`. Cheap when nothing changes."""
        if on is not self._enabled:
            self._enabled = on
            self._order(lambda: self.machine.enable(on))

    def show_prices(self, highest: int, lowest: int) -> None:
        """See `ports.Cashless`; the adapter has no way to tell them."""

    def request(self, vend_id: str, price: int, item: int) -> None:
        self._order(lambda: self.machine.request(vend_id, price, item))

    def cancel(self, vend_id: str) -> None:
        self._order(lambda: self.machine.cancel(vend_id))

    def succeeded(self, vend_id: str, *, keep_session: bool = False) -> None:
        """See `ports.Cashless`; no session is kept."""
        self._order(lambda: self.machine.succeeded(vend_id))

    def failed(self, vend_id: str) -> None:
        self._order(lambda: self.machine.failed(vend_id))

    def end_session(self) -> None:
        self._order(self.machine.end_session)

    def recall(self) -> None:
        """See `ports.Cashless`; the adapter shows nothing to a customer."""

    def cash_sale(self, price: int, item: int) -> None:
        """See `ports.Cashless`; it does not want to know."""

    def revalue(self, revalue_id: str, amount: int) -> None:
        raise Refused("no revalue through this adapter")

    def ask_revalue_limit(self) -> None:
        raise Refused("no revalue through this adapter")

    def check_age(self, check_id: str, years: int) -> None:
        raise Refused("no age check through this adapter")

    def stop_age_check(self) -> None:
        """See `ports.Cashless`; none was begun."""

    def release(self) -> None:
        self._order(self.machine.release)

    def _order(self, give: Callable[[], None]) -> None:
        try:
            give()
        except Declined as error:
            raise Refused(str(error)) from error
        self._turn()

    # --- the line --------------------------------------------------------------------------

    def _open(self) -> None:
        loop = self._loop
        if loop is None:
            return
        try:
            self._wire = self._opener(self._port, BAUD, self._received, self._lost)
        except WireLost as error:
            self._lost(error)
            return
        self.machine.opened(loop.time())
        self._turn()

    def _received(self, data: bytes) -> None:
        self._tell(self.machine.feed(data))
        self._turn()

    def _lost(self, error: Exception) -> None:
        loop, wire = self._loop, self._wire
        if loop is None:
            return
        self._wire = None
        if wire is not None:
            wire.close()
        self._tell(self.machine.closed(str(error)))
        delay = REOPEN_S[min(self._failures, len(REOPEN_S) - 1)]
        self._failures += 1
        if self._failures >= FAULT_AFTER and not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted(ADAPTER_LOST, self.device, str(error)))
        self._set_timer(loop.time() + delay, self._open)
        self._alive()

    def _turn(self) -> None:
        """Whatever is due: news, lines, the next time to look."""
        loop = self._loop
        if loop is None:
            return
        now = loop.time()
        self._alive()
        self._tell(self.machine.tick(now))
        if self._wire is None:
            return  # opening again has the timer
        if self.machine.deaf:
            self._lost(WireLost("the adapter does not answer"))
            return
        lines = self.machine.due(now)
        if lines:
            try:
                self._wire.write(lines)
            except WireLost as error:
                self._lost(error)
                return
        self._set_timer(self.machine.wake_at, self._turn)

    def _tell(self, news: list[CashlessNews]) -> None:
        for one in news:
            if isinstance(one, ReaderReady):
                self._failures = 0
                if self._faulty:
                    self._faulty = False
                    self._sink.put(FaultEnded(ADAPTER_LOST, self.device))
            self._sink.put(report(one, self.number, self.device))

    def _set_timer(self, at: float, then: Callable[[], None] = lambda: None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = self._loop
        self._timer = None if loop is None or at == inf else loop.call_at(at, then)
