"""A route driver's handheld on the DEX port: its own idea of the protocol, byte by byte.

It begins (ENQ), says who it is and what it wants, listens to the machine, then to the data. It
can misbehave: `garble` says NAK to the n-th block of data,
`lose_ack` leaves the n-th unanswered until it is asked again, `vanish_after` goes away.
"""

import asyncio
from collections.abc import Callable

ENQ, EOT, NAK, DLE = b"\x05", b"\x04", b"\x15", 0x10
THINK_S = 0.02
GIVE_UP_S = 10.0


def bcc(data: bytes) -> bytes:
    """The check characters, bit by bit as a shift register does it: low byte first."""
    register = 0
    for byte in data:
        for bit in range(8):
            feedback = (register ^ (byte >> bit)) & 1
            register >>= 1
            if feedback:
                register ^= 0b1010_0000_0000_0001
    return bytes((register & 0xFF, register >> 8))


class Handheld:
    """`read`: what it has read, complete or not; `ended`: set when the conversation is over."""

    def __init__(
        self,
        name: str = "6150210000",
        wants: str = "R",
        *,
        lose_ack: frozenset[int] = frozenset(),
        garble: frozenset[int] = frozenset(),
        vanish_after: int | None = None,
    ) -> None:
        assert len(name) == 10
        text = f"{name}{wants}R01L01".encode()
        self._hello = b"\x10\x01" + text + b"\x10\x03" + bcc(text + b"\x03")
        self._loop = asyncio.get_running_loop()
        self._lose_ack, self._garble, self.vanish_after = lose_ack, garble, vanish_after
        self._send: Callable[[bytes], None] = lambda _: None
        self._heard = bytearray()
        self._session = 0  # 0: ours, 1: the machine's handshake, 2: the data
        self._acks = 0
        self._blocks = 0
        self._unanswered = b""
        self.log: list[tuple[str, bytes]] = []
        self.greeting = b""
        self.read = b""
        self.complete = False
        self.ended = asyncio.Event()

    # --- as a device on a line ------------------------------------------------------------

    def connect(self, transmit: Callable[[bytes], None]) -> None:
        self._send = transmit

    def power_on(self) -> None:
        """Nothing: it is the driver who begins."""

    def begin(self) -> None:
        """The driver presses the key."""
        self._heard.clear()
        self._session, self._acks, self._blocks = 0, 0, 0
        self.read, self.complete, self.greeting = b"", False, b""
        self.ended.clear()
        self._say(ENQ)

    def received(self, data: bytes) -> None:
        self._heard += data
        self.log.append(("machine", bytes(data)))
        while self._heard and not self.ended.is_set():
            used = self._one(bytes(self._heard))
            if not used:
                return
            del self._heard[:used]

    # --- the conversation -------------------------------------------------------------------

    def _say(self, data: bytes) -> None:
        self.log.append(("handheld", data))
        self._loop.call_later(THINK_S, self._send, data)

    def _ack(self) -> None:
        answer = b"\x101" if self._acks % 2 else b"\x100"
        self._acks += 1
        self._unanswered = answer
        self._say(answer)

    def _one(self, heard: bytes) -> int:
        """How many bytes were one thing that was said; 0: more are needed."""
        if heard[:1] == EOT:
            self._over()
            return 1
        if heard[:1] == ENQ:
            if self._acks and self._blocks:
                self._say(self._unanswered)  # the last answer again
            else:
                self._acks = 0
                self._ack()
            return 1
        if heard[0] == DLE and len(heard) >= 2:
            return self._after_dle(heard)
        return 0 if heard[0] == DLE else 1

    def _after_dle(self, heard: bytes) -> int:
        if heard[1:2] in (b"0", b"1"):
            if self._session == 0:
                self._say(self._hello if heard[1:2] == b"0" else EOT)
                if heard[1:2] == b"1":
                    self._next_session()
            return 2
        if heard[1] not in (1, 2):
            return 2
        end = max(heard.find(b"\x10\x03"), heard.find(b"\x10\x17"))
        if end < 0 or len(heard) < end + 4:
            return 0
        text, stop, check = heard[2:end], heard[end + 1 : end + 2], heard[end + 2 : end + 4]
        self._block(text, bcc(text + stop) == check, last=stop == b"\x03")
        return end + 4

    def _block(self, text: bytes, sound: bool, *, last: bool) -> None:
        number = self._blocks if self._session == 2 else -1
        if self.vanish_after is not None and number >= self.vanish_after:
            self.ended.set()
            return
        if not sound or number in self._garble:
            self._garble -= {number}
            self._say(NAK)
            return
        self._blocks += 1
        if self._session == 2:
            self.read += text
            self.complete = last
        else:
            self.greeting = text
        if number in self._lose_ack:
            self._lose_ack -= {number}
            self._unanswered = b"\x101" if self._acks % 2 else b"\x100"
            self._acks += 1
            return
        self._ack()

    def _next_session(self) -> None:
        self._session += 1
        self._acks, self._blocks = 0, 0

    def _over(self) -> None:
        """The machine has said EOT."""
        if self._session == 1 and self.greeting.startswith(b"00"):
            self._next_session()
        else:
            self.ended.set()
