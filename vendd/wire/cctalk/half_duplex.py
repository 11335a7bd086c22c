"""The shared wire: our own echo, then the answer, with at most 50 ms between two bytes.

Sans-IO (ccTalk 4.7, part 1, sections 10 and 11). Everything that is sent comes back before
the answer, unless the interface swallows it; which of the two is learnt from the first
answer after `restart`. ccTalk numbers nothing, so an answer that comes without its echo
where echoes are usual is an answer to something else, and counts as garbage.

Is NOT responsible for sending again: garbage is reported when the line is quiet.
"""

from typing import Final

from vendd.wire.cctalk.exchange import (
    BUSY,
    GARBLED,
    NAK,
    NO_ECHO,
    REPLY,
    SILENT,
    Answer,
    Reply,
)
from vendd.wire.cctalk.frame import HOST, LONGEST, SHORTEST, Checksum, Frame, FrameError

INTER_BYTE_S: Final = 0.05
BITS_PER_BYTE: Final = 10  # 8N1
_ANSWERS: Final = {REPLY: Answer.REPLY, NAK: Answer.NAK, BUSY: Answer.BUSY}


class HalfDuplex:
    """One exchange at a time: `begin`, then `feed` until it returns a reply, or `expire` at
    `deadline`. Times are seconds on the caller's clock."""

    def __init__(self, baud: int = 9600) -> None:
        self._byte_s = BITS_PER_BYTE / baud
        self._request = b""
        self._device = 0
        self._checksum = Checksum.SUM
        self._got = bytearray()
        self._open = False
        self._damaged = False
        self._sent_by = 0.0  # when the last bit of the request has passed
        self._reply_s = 0.0
        self._last = float("-inf")  # time of the newest byte
        self.echoes: bool | None = None  # None: not known yet
        self.stray = 0  # bytes that belonged to no exchange
        self.quiet_at = float("-inf")  # a request before that may meet leftovers of another

    def restart(self) -> None:
        """The wire was opened anew; what was under way is over."""
        self._open = False
        self._got.clear()
        self.echoes = None

    def begin(self, frame: Frame, checksum: Checksum, reply_s: float, now: float) -> bytes:
        """The bytes to write now. The exchange under way, if any, is forgotten."""
        self._request = frame.to_bytes(checksum)
        self._device = frame.dest
        self._checksum = checksum
        self._got.clear()
        self._open = True
        self._damaged = False
        self._sent_by = now + len(self._request) * self._byte_s
        self._reply_s = reply_s
        return self._request

    @property
    def deadline(self) -> float:
        """When `expire` has to be called if nothing more arrives."""
        if not self._between_bytes():
            return self._sent_by + self._reply_s
        hard = self._sent_by + self._reply_s + LONGEST * self._byte_s + INTER_BYTE_S
        return min(hard, max(self._last, self._sent_by) + INTER_BYTE_S)

    def feed(self, data: bytes, now: float) -> Reply | None:
        """Bytes from the wire, in any pieces; the answer once it is complete."""
        if not data:
            return None
        if not self._open:
            self.quiet_at = now + INTER_BYTE_S
            self.stray += len(data)
            return None
        if self._between_bytes() and now - self._last > INTER_BYTE_S:
            self._damaged = True
        self._last = now
        if self._damaged or len(self._got) + len(data) > 2 * LONGEST:
            self._damaged = True
            return None
        self._got += data
        return self._judge()

    def expire(self) -> Reply:
        """No (more) bytes came in time: what that means."""
        self._open = False
        self.quiet_at = self._last + INTER_BYTE_S
        if self._damaged or self._between_bytes():
            return GARBLED
        if not self._got and self.echoes is not False:
            return NO_ECHO
        return SILENT

    def _between_bytes(self) -> bool:
        """A message has begun and is not at its end."""
        return bool(self._got) and (self._damaged or self._got != self._request)

    def _judge(self) -> Reply | None:
        got = bytes(self._got)
        echoed = got.startswith(self._request)
        if echoed:
            answer = got[len(self._request) :]
        elif self._request.startswith(got):
            return None  # the echo is still arriving
        elif not self.echoes and got[0] == HOST:
            answer = got
        else:
            self._damaged = True
            return None
        if len(answer) < SHORTEST or len(answer) < SHORTEST + answer[1]:
            return None
        reply = self._read(answer)
        if reply is None:
            self._damaged = True
            return None
        self.echoes = echoed
        self._open = False
        return reply

    def _read(self, raw: bytes) -> Reply | None:
        try:
            frame = Frame.from_bytes(raw, self._checksum)
        except FrameError:
            return None
        answer = _ANSWERS.get(frame.header)
        if frame.dest != HOST or frame.source not in (None, self._device) or answer is None:
            return None
        return Reply(answer, frame.data if answer is Answer.REPLY else b"")
