"""Which MDB adapter is it? Asked at the port, again and again until one answers.

At 115200 the Qibixx is asked for its version (``V`` -> ``v,``). Without an answer the line is
opened at 9600, where a Waferstar passes the SETUP of a changer or a bill validator on to the bus
(``09``, ``31``) and writes the answer as hex pairs; what it tells unasked counts as well. On a bus
where neither is fitted a Waferstar can't be told from no adapter at all: name it then.

`AutoBus` is an `MdbBus` that searches before it opens, and again when the adapter that it knew
does not answer any more: it may be another one now.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from vendd.drivers.mdb_bus import MdbBus
from vendd.drivers.waferstar import quiet_opener
from vendd.ports import Sink, Wire, WireLost, WireOpener
from vendd.wire import qibixx, waferstar
from vendd.wire.qibixx import QibixxCodec
from vendd.wire.waferstar import WaferstarCodec

ANSWER_S: Final = 0.4  # SETUP of a slow device through a slow adapter; a version takes 10 ms
HEARD: Final = 512  # bytes of one answer that are looked at
FORGET_AFTER: Final = 3  # failures in a row of an adapter that was known


class Adapter(Enum):
    QIBIXX = "qibixx"
    WAFERSTAR = "waferstar"


@dataclass(frozen=True, slots=True)
class _Question:
    adapter: Adapter
    baud: int
    text: bytes
    answer: re.Pattern[bytes]


_VERSION: Final = re.compile(rb"(^|\n)v,[^\n]*\n")
_HEX: Final = re.compile(rb"(^|[\r\n])([0-9A-Fa-f]{2} ){0,35}[0-9A-Fa-f]{2} ?[\r\n]")
# The empty line ends whatever an earlier life, or another question, left half-written.
_QIBIXX: Final = _Question(Adapter.QIBIXX, qibixx.BAUD, b"\n" + qibixx.FENCE, _VERSION)
_QUESTIONS: Final = (
    _QIBIXX,
    _QIBIXX,
    _Question(Adapter.WAFERSTAR, waferstar.BAUD, b"\x09", _HEX),
    _Question(Adapter.WAFERSTAR, waferstar.BAUD, b"\x31", _HEX),
)


class AdapterSearch:
    """One round of questions. `done` is called once, with the adapter or with why not; not
    after `stop`."""

    def __init__(
        self,
        opener: WireOpener,
        port: str,
        done: Callable[[Adapter | None, str], None],
    ) -> None:
        self._opener = opener
        self._port = port
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._waiting = list(_QUESTIONS)
        self._asked: _Question | None = None
        self._wire: Wire | None = None
        self._heard = b""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Ask. `done` may be called at once, when the port can't be opened."""
        self._next()

    def stop(self) -> None:
        """Give up; the port is free afterwards."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _next(self) -> None:
        self.stop()
        if not self._waiting:
            self._done(None, "no adapter answers")
            return
        self._asked, self._heard = self._waiting.pop(0), b""
        try:
            self._wire = self._opener(self._port, self._asked.baud, self._received, self._lost)
            self._wire.write(self._asked.text)
        except WireLost as error:
            self._lost(error)
            return
        self._timer = self._loop.call_later(ANSWER_S, self._next)

    def _received(self, data: bytes) -> None:
        if self._asked is None or self._wire is None:
            return
        self._heard = (self._heard + data)[-HEARD:]
        if self._asked.answer.search(self._heard):
            self.stop()
            self._done(self._asked.adapter, "")

    def _lost(self, error: Exception) -> None:
        self.stop()
        self._done(None, str(error))


class AutoBus(MdbBus):
    """See the module. `adapter`: the one that was found."""

    def __init__(
        self,
        opener: WireOpener,
        port: str,
        sink: Sink,
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(opener, port, qibixx.BAUD, sink, alive=alive)
        self._plain_opener = opener
        self._search: AdapterSearch | None = None
        self.adapter: Adapter | None = None

    def close(self) -> None:
        """See `MdbBus`."""
        if self._search is not None:
            self._search.stop()
        super().close()

    def _open(self) -> None:
        if self._failures >= FORGET_AFTER:
            self.adapter = None
        if self.adapter is not None:
            super()._open()
            return
        self._link_timer = None
        self._search = AdapterSearch(self._plain_opener, self._port, self._found)
        self._search.start()
        self.kick()  # devices learn that there is no way to them

    def _found(self, adapter: Adapter | None, why: str) -> None:
        self._search = None
        if self._loop is None:
            return
        if adapter is None:
            self._link_failed(why)
            return
        self.adapter = adapter
        if adapter is Adapter.QIBIXX:
            self.codec = QibixxCodec()
            self._opener, self._baud = self._plain_opener, qibixx.BAUD
        else:
            codec = WaferstarCodec()
            # Both codecs have one face; see `waferstar_bus`.
            self.codec = cast(QibixxCodec, codec)
            self._opener, self._baud = quiet_opener(self._plain_opener, codec), waferstar.BAUD
        super()._open()
