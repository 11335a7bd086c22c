"""What a cashless device says: one message after the other in one answer (NAMA MDB/ICP 4.2, 7.4).

Readers are tolerant, because devices are not: a BEGIN SESSION of four bytes (PAX D200),
level 2 messages from a level 1 device, 16 bit amounts in 32 bit mode. Lengths are taken
from the mode, unless what is left of the block says better. Any bytes give some list.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from vendd.wire.mdb.cashless_data import CONFIG_LENGTH, ReaderConfig
from vendd.wire.mdb.changer_data import Identity, Malformed


class Word(Enum):
    """Messages without content."""

    JUST_RESET = 0x00
    CANCEL_REQUEST = 0x04
    VEND_DENIED = 0x06
    END_SESSION = 0x07
    CANCELLED = 0x08
    REVALUE_APPROVED = 0x0D
    REVALUE_DENIED = 0x0E
    TIME_REQUEST = 0x11
    DATA_ENTRY_CANCEL = 0x13


@dataclass(frozen=True, slots=True)
class Text:
    """DISPLAY REQUEST: `text` for `seconds`."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BeginSession:
    """BEGIN SESSION. `funds` in the device's units, None when it does not say.

    `kind` and `data`: payment type and its data (level 2 on). `flags`: expanded only.
    """

    funds: int | None
    media_id: bytes = b""
    kind: int = 0
    data: int = 0
    language: str = ""
    currency: int | None = None
    flags: int | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """VEND APPROVED, `units` None for a token."""

    units: int | None


@dataclass(frozen=True, slots=True)
class Malfunction:
    """`code` 0..15 says what, `detail` is the maker's own."""

    code: int
    detail: int


@dataclass(frozen=True, slots=True)
class OutOfSequence:
    """COMMAND OUT OF SEQUENCE; `state` 1..7 in which the device is, None from level 1."""

    state: int | None


@dataclass(frozen=True, slots=True)
class RevalueLimit:
    units: int


@dataclass(frozen=True, slots=True)
class AgeAnswer:
    """The answer to DRAVP (`status` False) or DRAVS; `bits` are what stands before the name."""

    status: bool
    bits: bytes


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes without a meaning, or an old message nobody needs; the rest of the block is lost."""

    data: bytes


Message = (
    Word
    | ReaderConfig
    | Identity
    | Text
    | BeginSession
    | Approved
    | Malfunction
    | OutOfSequence
    | RevalueLimit
    | AgeAnswer
    | Noise
)


@dataclass(frozen=True, slots=True)
class Mode:
    """What lengths depend on: level, 32 bit amounts, and the display that we lent."""

    level: int = 1
    wide: bool = False
    cells: int = 0  # of the display, columns x rows; 0: none


_WORDS: Final = {word.value: word for word in Word}
_SESSIONS: Final = (3, 4, 10, 17)  # lengths in the field; 4 is 3 and a byte without a meaning
_ID, _ID_OPTIONS = 30, 34
_TEXT: Final = 32


def messages(data: bytes, mode: Mode) -> list[Message]:
    """One answer in order."""
    found: list[Message] = []
    while data:
        message, used = _first(data, mode)
        found.append(message)
        data = data[used:]
    return found


def parts(data: bytes, mode: Mode) -> list[tuple[Message, bytes]]:
    """As `messages`, each with the bytes that it is."""
    found: list[tuple[Message, bytes]] = []
    while data:
        message, used = _first(data, mode)
        found.append((message, data[:used]))
        data = data[used:]
    return found


def _first(data: bytes, mode: Mode) -> tuple[Message, int]:
    word = _WORDS.get(data[0])
    if word is not None:
        return word, 1
    match data[0]:
        case 0x01:
            return _config(data)
        case 0x02:
            return _text(data, mode)
        case 0x03:
            return _session(data, mode)
        case 0x05:
            return _approved(data, mode)
        case 0x09:
            return _identity(data, mode)
        case 0x0A if len(data) > 1:
            return Malfunction(data[1] >> 4, data[1] & 0x0F), 2
        case 0x0B:
            return _out_of_sequence(data)
        case 0x0F:
            return _limit(data, mode)
        case 0x12 if len(data) > 1:
            return Noise(data[:2]), 2
        case 0xFF:
            return _diagnosis(data), len(data)
        case _:
            return Noise(data), len(data)


def _config(data: bytes) -> tuple[Message, int]:
    try:
        return ReaderConfig.from_bytes(data), CONFIG_LENGTH
    except Malformed:
        return Noise(data), len(data)


def _text(data: bytes, mode: Mode) -> tuple[Message, int]:
    if len(data) < 2:
        return Noise(data), len(data)
    used = 2 + min(mode.cells or _TEXT, _TEXT)
    shown = "".join(chr(b) if 32 <= b < 127 else " " for b in data[2:used])
    return Text(shown.rstrip(), data[1] / 10), used


def _session(data: bytes, mode: Mode) -> tuple[Message, int]:
    size = len(data)
    if size == 4 and data[3] and data[3] in _WORDS:
        size = 3  # a level 1 session, and the next message
    if size not in _SESSIONS:
        usual = 17 if mode.wide else 3 if mode.level < 2 else 10
        size = min(size, usual)
    if size < 3:
        return Noise(data), len(data)
    if size < 10:
        return BeginSession(_known(data[1:3])), size
    if size < 17:
        kind, more = data[7], data[8] << 8 | data[9]
        return BeginSession(_known(data[1:3]), _media(data[3:7]), kind, more), size
    language = "".join(chr(b) for b in data[12:14] if 32 <= b < 127)
    return (
        BeginSession(
            _known(data[1:5]),
            _media(data[5:9]),
            data[9],
            data[10] << 8 | data[11],
            language,
            data[14] << 8 | data[15],
            data[16],
        ),
        17,
    )


def _approved(data: bytes, mode: Mode) -> tuple[Message, int]:
    size = 5 if mode.wide and len(data) >= 5 else 3
    if len(data) < size:
        return Noise(data), len(data)
    return Approved(_known(data[1:size])), size


def _identity(data: bytes, mode: Mode) -> tuple[Message, int]:
    size = _ID_OPTIONS if mode.level >= 3 and len(data) >= _ID_OPTIONS else _ID
    try:
        return Identity.from_bytes(data[1:size]), size
    except Malformed:
        return Noise(data), len(data)


def _out_of_sequence(data: bytes) -> tuple[Message, int]:
    if len(data) > 1 and 1 <= data[1] <= 7:
        return OutOfSequence(data[1]), 2
    return OutOfSequence(None), 1


def _limit(data: bytes, mode: Mode) -> tuple[Message, int]:
    size = 5 if mode.wide and len(data) >= 5 else 3
    if len(data) < size:
        return Noise(data), len(data)
    return RevalueLimit(int.from_bytes(data[1:size], "big")), size


def _diagnosis(data: bytes) -> Message:
    if data[1:3] == b"\x05\x06" and data[-5:] == b"DRAVP":
        return AgeAnswer(status=False, bits=data[3:-5])
    if data[1:2] == b"\x06" and data[-5:] == b"DRAVS" and len(data) >= 9:
        return AgeAnswer(status=True, bits=data[3:-5])
    return Noise(data)


def _known(raw: bytes) -> int | None:
    value = int.from_bytes(raw, "big")
    return None if value == (1 << 8 * len(raw)) - 1 else value


def _media(raw: bytes) -> bytes:
    return b"" if raw == b"\xff\xff\xff\xff" else raw
