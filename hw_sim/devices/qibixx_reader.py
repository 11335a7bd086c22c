"""A Qibixx adapter that is master of a card reader by itself, with reader and holder.

Lines as the maker documents them: ``D,0|1|2``, ``D,READER,0|1``, ``D,REQ,<price>,<item>|-1``,
``D,END[,<item>|-1]``, ``V``; answers ``d,STATUS,...``, ``d,ERR,...``, ``v,...``.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """`deaf`: nothing is answered. `mute_end`: D,END is taken and never ends. `refuses`: the next
    request is an error."""

    deaf: bool = False
    mute_end: bool = False
    refuses: bool = False


@dataclass(slots=True)
class Account:
    """What the holder was charged and got back, minor units."""

    charged: int = 0
    refunded: int = 0
    sold: list[str] = field(default_factory=list)


class QibixxReader:
    """A byte-stream device. `tap` puts a card there; `pays` None: what is asked, 0: declined."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, init_s: float = 0.5) -> None:
        self._loop = loop
        self._init_s = init_s
        self._transmit: Callable[[bytes], None] = lambda data: None
        self._partial = b""
        self._mode = "0"
        self._running = False
        self._enabled = False
        self._card: str | None = None  # funds as text
        self._asked: int | None = None
        self._approved: int | None = None
        self.pays: int | None = None
        self.thinks_s = 1.0
        self.bus_powered = False
        self.faults = Faults()
        self.account = Account()
        self.heard: list[str] = []

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        """Where the adapter's own bytes go."""
        self._transmit = transmit

    def power_on(self) -> None:
        """The USB plug is in again; all is forgotten where the adapter had its power from there."""
        if not self.bus_powered:
            self._forget()

    def _forget(self) -> None:
        """A vend that was approved counts as sold."""
        self._running = self._enabled = False
        self._card = self._asked = self._approved = None

    def received(self, data: bytes) -> None:
        """Bytes from the host, in any pieces."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._obey(line.decode("ascii", "replace").strip())

    def tap(self, funds: str = "10.00") -> None:
        """A card is held to the reader."""
        if not (self._running and self._enabled) or self._card is not None:
            return
        self._card = funds
        self._say(f"d,STATUS,CREDIT,{funds}")
        if self._asked is not None:
            self._loop.call_later(self.thinks_s, self._answer, self._asked)

    def reader_resets(self) -> None:
        """The reader lost its power for a moment; the adapter starts it again by itself."""
        self._forget()
        self._begin()

    # --- commands -------------------------------------------------------------------------

    def _obey(self, line: str) -> None:
        if line:
            self.heard.append(line)
        if self.faults.deaf:
            return
        match line.split(","):
            case ["V"]:
                self._say("v,4.0.2.0,4d4442000001")
            case ["D", "1" | "2" as mode]:
                self._mode = mode
                self._forget()
                self._begin()
            case ["D", "READER", on]:
                self._enabled = on == "1"
                if self._running and self._enabled:
                    self._say("d,STATUS,IDLE")
            case ["D", "REQ", "-1"]:
                self._cancel()
            case ["D", "REQ", price, _]:
                self._request(round(float(price) * 100))
            case ["D", "END", "-1"]:
                self._end(refund=True)
            case ["D", "END", *item]:
                self._end(refund=False, item=item[0] if item else "")
            case _:
                pass

    def _begin(self) -> None:
        self._say("d,STATUS,RESET")
        self._loop.call_later(self._init_s, self._initialised)

    def _initialised(self) -> None:
        self._running = True
        self._say("d,STATUS,INIT,1")

    def _request(self, price: int) -> None:
        possible = self._running and (self._card is not None or self._mode == "2")
        if self.faults.refuses or not possible or self._asked is not None:
            self.faults.refuses = False
            self._say('d,ERR,"-1"')
            return
        self._asked = price
        self._say("d,STATUS,VEND")
        if self._card is not None:
            self._loop.call_later(self.thinks_s, self._answer, price)

    def _answer(self, price: int) -> None:
        if self._asked != price or self._approved is not None:
            return
        amount = price if self.pays is None else self.pays
        if amount == 0:
            self._say("d,STATUS,RESULT,-1")
            self._idle()
            return
        self._approved = amount
        self.account.charged += amount
        self._say(f"d,STATUS,RESULT,1,{amount // 100}.{amount % 100:02}")

    def _cancel(self) -> None:
        if self._approved is not None:
            return  # too late: the approval is on its way
        if self._asked is not None:
            self._say("d,STATUS,RESULT,-1")
        self._idle()

    def _end(self, *, refund: bool, item: str = "") -> None:
        if self._approved is None:
            self._say('d,ERR,"-1"')
            return
        if self.faults.mute_end:
            return
        if refund:
            self.account.refunded += self._approved
        else:
            self.account.sold.append(item)
        self._idle()

    def _idle(self) -> None:
        self._card = self._asked = self._approved = None
        self._say("d,STATUS,IDLE")

    def _say(self, line: str) -> None:
        if not self.faults.deaf:
            self._transmit(line.encode("ascii") + b"\n")
