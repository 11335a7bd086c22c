"""A cashless device's exchanges as sentences (NAMA MDB/ICP 4.2/4.3, section 7).

Commands are those of device #1 (10h); `vendd.wire.mdb.words` brings #2 (60h) down to them.
"""

from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_data import ReaderConfig
from vendd.wire.mdb.cashless_poll import (
    AgeAnswer,
    Approved,
    BeginSession,
    Malfunction,
    Message,
    Mode,
    Noise,
    OutOfSequence,
    RevalueLimit,
    Text,
    Word,
    messages,
)
from vendd.wire.mdb.changer_data import Identity
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.phrases import FTL, amount, hexed, identity, listed, options, plain

OPTIONS: Final = ("FTL", "32 bit amounts", "multi currency", "negative vend", "data entry",
                  "always idle", "remote vend")  # fmt: skip
_MALFUNCTIONS: Final = (
    "payment media error", "invalid payment media", "tampering", "maker's error",
    "maker's error", "communications error", "needs service", "unassigned", "maker's error",
    "reader failure", "communications error", "payment media jammed", "maker's error",
    "refund error", "unassigned", "unassigned",
)  # fmt: skip
_WORDS: Final = {
    Word.JUST_RESET: "just reset",
    Word.CANCEL_REQUEST: "SESSION CANCEL REQUEST",
    Word.VEND_DENIED: "VEND DENIED",
    Word.END_SESSION: "END SESSION",
    Word.CANCELLED: "CANCELLED",
    Word.REVALUE_APPROVED: "REVALUE APPROVED",
    Word.REVALUE_DENIED: "REVALUE DENIED",
    Word.TIME_REQUEST: "TIME/DATE REQUEST",
    Word.DATA_ENTRY_CANCEL: "DATA ENTRY CANCEL",
}
_READER: Final = {0: "READER DISABLE", 1: "READER ENABLE", 2: "READER CANCEL"}
_VEND: Final = {
    0: "VEND REQUEST",
    1: "VEND CANCEL",
    2: "VEND SUCCESS",
    3: "VEND FAILURE",
    4: "SESSION COMPLETE",
    5: "CASH SALE",
    6: "NEGATIVE VEND REQUEST",
}


class CashlessWords:
    """Remembers what the amounts and lengths depend on: configuration, level, 32 bit mode."""

    def __init__(self) -> None:
        self._config: ReaderConfig | None = None
        self.mode = Mode()
        self._cells = 0
        self._level = 1

    @property
    def configured(self) -> bool:
        """Has it told its level?"""
        return self._config is not None

    def learn(self, command: bytes, reply: Reply) -> None:
        """What an exchange says about the device."""
        if command[:1] == cd.RESET and reply.valid:
            self.mode = Mode(cells=self._cells)
        elif command[:2] == b"\x11\x00" and len(command) >= 5:
            self._level, self._cells = command[2], command[3] * command[4]
            self.mode = Mode(self.mode.level, self.mode.wide, self._cells)
        elif command[:2] == b"\x17\x04" and reply.valid:
            wide = bool(int.from_bytes(command[2:6], "big") & cd.WIDE_AMOUNTS)
            self.mode = Mode(self.mode.level, wide, self._cells)
        if reply.answer is Answer.DATA:
            for message in messages(reply.data, self.mode):
                if isinstance(message, ReaderConfig):
                    self._config = message
                    level = min(max(message.level, 1), self._level)
                    self.mode = Mode(level, False, self._cells)

    def command(self, command: bytes) -> str:
        """The master's side."""
        code, data = command[0], command[1:]
        match code:
            case 0x10:
                return "RESET"
            case 0x12:
                return "POLL"
            case 0x11 if data:
                return self._setup(data)
            case 0x13 if data:
                return self._vend(data[0], data[1:])
            case 0x14 if data:
                return _reader(data)
            case 0x15 if data:
                return self._revalue(data)
            case 0x17 if data:
                return _expansion(data)
            case _:
                return f"command {hexed(command)}"

    def answer(self, command: bytes, reply: Reply) -> str:
        """The device's side."""
        if command == cd.POLL and reply.answer is Answer.ACK:
            return "nothing new"
        if reply.answer is not Answer.DATA:
            return plain(reply)
        return listed(self._message(one) for one in messages(reply.data, self.mode))

    def _setup(self, data: bytes) -> str:
        if data[0] == 0 and len(data) >= 4:
            lent = f"display {data[2]}x{data[3]}" if data[2] else "no display"
            return f"SETUP level {data[1]}, {lent}"
        size = 4 if len(data) >= 9 else 2
        high, low = data[1 : 1 + size], data[1 + size : 1 + 2 * size]
        if data[0] == 1 and len(low) == size:
            return f"MAX/MIN PRICES {self._amount(high)} / {self._amount(low)}"
        return f"SETUP {hexed(data)}"

    def _vend(self, sub: int, data: bytes) -> str:
        name = _VEND.get(sub) or f"VEND {sub:02X}"
        if sub == 2 and len(data) >= 2:
            return f"{name} {_item(data[:2])}"
        size = 4 if len(data) >= 6 else 2
        if sub in (0, 5, 6) and len(data) >= size + 2:
            return f"{name} {self._amount(data[:size])} for {_item(data[size : size + 2])}"
        return f"{name} {hexed(data)}" if data else name

    def _revalue(self, data: bytes) -> str:
        if data[0] == 0:
            return f"REVALUE {self._amount(data[1:])}"
        return "REVALUE LIMIT" if data[0] == 1 else f"REVALUE {hexed(data)}"

    def _message(self, one: Message) -> str:
        match one:
            case Word():
                return _WORDS[one]
            case BeginSession():
                return self._session(one)
            case Approved(units):
                return f"VEND APPROVED {self._told(units)}"
            case RevalueLimit(units):
                return f"REVALUE LIMIT {self._told(units)}"
            case ReaderConfig():
                return _config(one)
            case Malfunction(code, detail):
                return f"MALFUNCTION {code} ({_MALFUNCTIONS[code]}), detail {detail}"
            case OutOfSequence(state):
                return f"COMMAND OUT OF SEQUENCE{'' if state is None else f' in state {state}'}"
            case _:
                return _aside(one)

    def _session(self, it: BeginSession) -> str:
        told = f"BEGIN SESSION, funds {self._told(it.funds)}"
        if it.media_id:
            told += f", media {hexed(it.media_id)}"
        if it.kind or it.data:
            told += f", payment type {it.kind:02X} data {it.data}"
        return told + (f", language {it.language}" if it.language else "")

    def _amount(self, raw: bytes) -> str:
        units = int.from_bytes(raw, "big")
        return self._told(None if units == (1 << 8 * len(raw)) - 1 else units)

    def _told(self, units: int | None) -> str:
        if units is None:
            return "unknown"
        it = self._config
        return f"{units} units" if it is None else amount(units, it.scale, it.decimals)


def _item(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    return "no item" if number == cd.NO_ITEM else f"item {number}"


def _reader(data: bytes) -> str:
    if data[0] == 3:
        return "DATA ENTRY RESPONSE"  # what was typed is nobody's business
    return _READER.get(data[0]) or f"READER {hexed(data)}"


def _expansion(data: bytes) -> str:
    sub, rest = data[0], data[1:]
    if data == cd.AGE_STATUS[1:]:
        return "AGE VERIFICATION status"
    if data[:3] == b"\xff\x05\x06" and len(data) >= 9:
        return f"AGE VERIFICATION from {data[3]} years" if data[3] else "AGE VERIFICATION off"
    if sub == 0x00:
        named = len(rest) >= 3
        return (
            f"REQUEST ID, we are {identity(Identity.from_bytes(rest))}" if named else "REQUEST ID"
        )
    if sub == 0x03:
        return f"WRITE TIME {rest.hex()}"
    if sub == 0x04:
        return f"ENABLE OPTIONS {options(int.from_bytes(rest[:4], 'big'), OPTIONS)}"
    name = FTL.get(sub) or ("DIAGNOSTICS" if sub == 0xFF else f"EXPANSION {sub:02X}")
    return f"{name} {hexed(rest)}" if rest else name


def _config(it: ReaderConfig) -> str:
    able = [
        name
        for name, has in (
            ("refunds", it.refunds),
            ("multi-vend", it.multivend),
            ("display", it.display),
            ("wants cash sales", it.wants_cash_sales),
        )
        if has
    ]
    return (
        f"level {it.level}, currency {it.currency:04X}, scale {it.scale}, {it.decimals} decimals,"
        f" answers within {it.max_response_s} s, options {', '.join(able) or 'none'}"
    )


def _aside(one: Message) -> str:
    match one:
        case Identity():
            return f"{identity(one)}, options {options(one.options, OPTIONS)}"
        case Text(text, seconds):
            return f'DISPLAY REQUEST "{text}" for {seconds:g} s'
        case AgeAnswer(status, bits):
            return f"AGE VERIFICATION {'status' if status else 'set'} {hexed(bits)}"
        case Noise(data):
            return f"{hexed(data)} (no known message)"
        case _:
            return str(one)
