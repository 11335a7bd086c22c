r"""The ASCII protocol of the Qibixx MDB-USB and MDB Pi-HAT adapters, raw master commands only.

115200 8N1, one line each way, ended by ``\n``.

Documented by the maker (docs.qibixx.com, *API general* and *Generic master*):
``V`` is answered by ``v,<version>``; ``M,1`` starts master mode and is answered
by ``m,ACK``; ``R,<command>[,<data>]`` in hex sends one request to the bus, without
CHK: the adapter adds checksum and mode bit and gives the peripheral its ACK.
The answer is one line: ``p,ACK``, ``p,NACK`` (no answer), ``p,<hex>``.

Our reading, spoken by this project's simulator: exactly one line per request, in
order, with the prefix ``r`` or ``p``; beside the above ``NAK`` (the peripheral's
own), ``TIMEOUT`` (nothing within t-response) and ``ERR,CHK`` (bad checksum).

The protocol has no sequence numbers. Lines are answered in order, so ``V`` serves
as a fence: whatever comes before its ``v`` belongs to what was sent before it.
"""

from dataclasses import dataclass
from typing import Final

from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.mdb.frame import MAX_DATA, BadLength

BAUD: Final = 115200
MAX_LINE: Final = 128  # 35 data bytes are 72 characters; more is noise and must not pile up


@dataclass(frozen=True, slots=True)
class Version:
    """The adapter told its version: everything sent before the question is answered."""

    text: str


Item = Reply | Version

_WORDS: Final = {
    b"ACK": ACKED,
    b"NAK": NAKED,
    b"NACK": SILENT,
    b"TIMEOUT": SILENT,
    b"ERR,CHK": GARBLED,
}


def request(data: bytes) -> bytes:
    """The line for one bus command, 1..35 bytes; raises `BadLength` (the caller's fault)."""
    if not 1 <= len(data) <= MAX_DATA:
        raise BadLength(f"a bus command is 1..{MAX_DATA} bytes, not {len(data)}")
    text = data.hex().upper()
    return f"R,{text[:2]},{text[2:]}\n".encode() if len(data) > 1 else f"R,{text}\n".encode()


FENCE: Final = b"V\n"
# The empty line ends whatever an earlier life left half-written in the adapter's input.
GREETING: Final = b"\nM,1\n" + FENCE


class QibixxCodec:
    """Takes bytes, gives items. Never raises on input; what it can't read is counted.

    `noise`: lines that are none of ours. `oversized`: lines dropped at the limit.
    """

    greeting: Final = GREETING
    fence: Final = FENCE

    def __init__(self) -> None:
        self._buffer = b""
        self._skipping = False
        self.noise = 0
        self.oversized = 0

    def request(self, data: bytes) -> bytes:
        """See `vendd.wire.qibixx.request`."""
        return request(data)

    def restart(self) -> None:
        """A new connection: forget half a line."""
        self._buffer = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[Item]:
        """Items of all lines completed by `data`, in order."""
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        items: list[Item] = []
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            if len(line) > MAX_LINE:
                self.oversized += 1
                continue
            item = self._item(line.rstrip(b"\r"))
            if item is not None:
                items.append(item)
        if len(self._buffer) > MAX_LINE:
            # Dropped at the frame boundary so that a babbling line holds no memory;
            # the rest of it is skipped up to the next line end.
            self.oversized += not self._skipping
            self._buffer = b""
            self._skipping = True
        return items

    def _item(self, line: bytes) -> Item | None:
        kind, body = line[:2], line[2:]
        if kind in (b"r,", b"p,"):
            return _reply(body)
        if kind == b"v,":
            return Version(body.decode("ascii", "replace"))
        if line and kind != b"m,":
            self.noise += 1
        return None


def _reply(body: bytes) -> Reply:
    known = _WORDS.get(body)
    if known is not None:
        return known
    if not body.isalnum() or len(body) > 2 * MAX_DATA:
        return LOST
    try:
        return Reply(Answer.DATA, bytes.fromhex(body.decode("ascii")))
    except ValueError:
        return LOST
