"""A recording as it may be sent in: pieces in, the same pieces out, personal data masked.

What is masked: `vendd.wire.mdb.masking`. Bytes keep their number and their places, so torn
lines stay torn where they were; where a line carries a CHK it is made right again.

Is NOT responsible for ccTalk: coins and bills have no holders, and nothing that is asked
there names one.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from vendd.wire.mdb import masking
from vendd.wire.mdb.cashless_words import CashlessWords
from vendd.wire.mdb.exchange import ACKED, Answer, Reply
from vendd.wire.mdb.frame import checksum
from vendd.wire.mdb.words import ADDRESS, READER_1, READER_2
from vendd.wire.trace import Header, Piece, Way
from vendd.wire.words import adapter_of, request_of, unhexed

_PAIR: Final = re.compile(rb"[0-9A-Fa-f]{2}")
_CARDS: Final = (READER_1, READER_2)
_POLL: Final = {READER_1: b"\x12", READER_2: b"\x62"}
_HEX: Final = re.compile(rb"[0-9A-Fa-f\s]*")
_KEEP: Final = 4  # characters of a line that can't be read
_ADAPTER_WORDS: Final = (b"ACK", b"NAK", b"NACK", b"TIMEOUT", b"ERR,CHK")
_HELD: Final = 4096  # bytes without a line end


@dataclass(slots=True)
class _Slot:
    """A piece on its way out. `ready`: nothing of it will change any more."""

    piece: Piece
    ready: bool = True


class _Mask(Protocol):
    def sent(self, data: bytes) -> bytes: ...

    @property
    def secret(self) -> bool:
        """May what comes now have to be masked?"""

    def lines(self, data: bytes) -> bytes:
        """Received lines, masked; as long as before."""


def masked(header: Header, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """See the module. What hangs on a line is told by the header, or by what is sent first."""
    masks: dict[int, _Mask] = {}
    held: dict[int, list[_Slot]] = {}
    out: deque[_Slot] = deque()
    for piece in pieces:
        mask = masks.get(piece.line)
        if piece.way is Way.SENT:
            _settle(held.pop(piece.line, []), mask)
            if mask is None:
                mask = masks[piece.line] = _mask_for(header, piece)
            out.append(_Slot(replace(piece, data=mask.sent(piece.data))))
        elif piece.way is Way.RECEIVED and mask is not None and mask.secret:
            slot = _Slot(piece, ready=False)
            out.append(slot)
            held.setdefault(piece.line, []).append(slot)
            size = sum(len(one.piece.data) for one in held[piece.line])
            if piece.data.endswith((b"\n", b"\r")) or size > _HELD:
                _settle(held.pop(piece.line), mask)
        else:
            out.append(_Slot(piece))
            if piece.way is not Way.RECEIVED:
                _settle(held.pop(piece.line, []), mask)
        while out and out[0].ready:
            yield out.popleft().piece
    for line, slots in held.items():
        _settle(slots, masks.get(line))
    yield from (slot.piece for slot in out)


def _settle(slots: list[_Slot], mask: _Mask | None) -> None:
    """Mask what several pieces hold together, and give each its share back."""
    if not slots or mask is None:
        return
    hidden = mask.lines(b"".join(slot.piece.data for slot in slots))
    at = 0
    for slot in slots:
        size = len(slot.piece.data)
        slot.piece = replace(slot.piece, data=hidden[at : at + size])
        slot.ready = True
        at += size


def _mask_for(header: Header, first: Piece) -> _Mask:
    return _MASKS[adapter_of(header.lines[first.line], (first.data,))]()


class _Cards:
    """The two card readers of a bus, and what was asked last."""

    def __init__(self) -> None:
        self._readers = {address: CashlessWords() for address in _CARDS}
        self._command = b""

    @property
    def secret(self) -> bool:
        return _to_reader(self._command)

    def _asked(self, command: bytes) -> bytes:
        """The command as it may be shown."""
        self._command = command
        return masking.command(command) if self.secret else command

    def _answer(self, data: bytes, command: bytes, *, whole: bool = True) -> bytes:
        """The answer to it as it may be shown. `whole`: it has its line end."""
        reader = self._readers[command[0] & ADDRESS]
        if whole:
            reader.learn(_as_first(command), Reply(Answer.DATA, data))
        return masking.answer(data, reader.mode, sure=whole and reader.configured)


class _Qibixx(_Cards):
    def sent(self, data: bytes) -> bytes:
        return b"\n".join(self._request(text) for text in data.split(b"\n"))

    def _request(self, text: bytes) -> bytes:
        command = request_of(text)
        return text if command is None else _put(text, command, self._asked(command))

    def lines(self, data: bytes) -> bytes:
        *whole, rest = data.split(b"\n")
        shown = [self._line(line) for line in whole]
        return b"\n".join([*shown, self._line(rest, whole=False)])

    def _line(self, line: bytes, *, whole: bool = True) -> bytes:
        head, body = line[:2], line[2:].rstrip(b"\r")
        if head in (b"m,", b"v,"):
            return line
        if head not in (b"r,", b"p,"):
            return _unread(line)
        raw = unhexed(body)
        if raw:
            return head + _put(line[2:], raw, self._answer(raw, self._command, whole=whole))
        if body == b"ACK":
            reader = self._readers[self._command[0] & ADDRESS]
            reader.learn(_as_first(self._command), ACKED)
        return line if body in _ADAPTER_WORDS else _unread(line)


class _Waferstar(_Cards):
    @property
    def secret(self) -> bool:
        return True  # the adapter tells activity unasked

    def sent(self, data: bytes) -> bytes:
        self._command = data
        return masking.command(data) if _to_reader(data) else data

    def lines(self, data: bytes) -> bytes:
        *whole, rest = re.split(rb"([\r\n])", data)
        return b"".join([*map(self._line, whole), self._line(rest, whole=False)])

    def _line(self, line: bytes, *, whole: bool = True) -> bytes:
        raw, asked = unhexed(line), self._command
        if not _to_reader(asked):
            answered = len(raw) > 1 and bool(asked) and checksum(raw[:-1]) == raw[-1]
            if answered or not _to_reader(raw):
                return line
        if len(raw) > 1 and raw[0] in _CARDS:
            return _put(line, raw, raw[:1] + self._answer(raw[1:], _POLL[raw[0]], whole=whole))
        if len(raw) <= 1:
            return line if raw else _unread(line)
        hidden = self._answer(raw[:-1], asked, whole=whole)
        wrong = checksum(raw[:-1]) ^ raw[-1]  # a bad CHK stays as bad as it was
        return _put(line, raw, hidden + bytes((checksum(hidden) ^ wrong,)))


class _Nothing:
    secret = False

    def sent(self, data: bytes) -> bytes:
        return data

    def lines(self, data: bytes) -> bytes:
        return data


_MASKS: Final[dict[str, Callable[[], _Mask]]] = {
    "qibixx": _Qibixx,
    "waferstar": _Waferstar,
    "cctalk": _Nothing,
}


def _to_reader(command: bytes) -> bool:
    return bool(command) and command[0] & ADDRESS in _CARDS


def _as_first(command: bytes) -> bytes:
    return bytes((command[0] & 7 | READER_1,)) + command[1:]


def _put(text: bytes, before: bytes, after: bytes) -> bytes:
    """`text` with its hexadecimal pairs, those of `before`, replaced where `after` differs."""
    if before == after:
        return text
    values = iter(zip(before, after, strict=True))

    def pair(found: re.Match[bytes]) -> bytes:
        old, new = next(values)
        return found.group() if old == new else b"%02X" % new

    return _PAIR.sub(pair, text, count=len(before))


def _unread(line: bytes) -> bytes:
    """A line without a meaning may be a part of one that has: at most its start is kept."""
    kept = 0 if _HEX.fullmatch(line) else _KEEP
    return line[:kept] + re.sub(rb"[0-9A-Za-z]", b"E", line[kept:])
