"""A bill validator's exchanges as sentences (NAMA MDB/ICP 4.2, section 6)."""

from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import (
    Activity,
    Attempts,
    Bill,
    RecyclerLevels,
    Setup,
    Stacker,
    Way,
)
from vendd.wire.mdb.changer_data import Identity, Malformed
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.phrases import (
    FTL,
    amount,
    counts,
    hexed,
    identity,
    listed,
    mask,
    options,
    plain,
)

OPTIONS: Final = ("FTL", "recycling")
_STATUS: Final = {
    bd.MOTOR: "motor defective",
    bd.SENSOR: "sensor defective",
    bd.BUSY: "busy",
    bd.ROM_CHECKSUM: "ROM checksum error",
    bd.JAM: "bill jam",
    bd.JUST_RESET: "just reset",
    bd.BILL_REMOVED: "bill removed",
    bd.BOX_OUT: "cash box out",
    bd.DISABLED: "disabled",
    bd.INVALID_ESCROW: "no bill in escrow",
    bd.BILL_REJECTED: "bill rejected",
    bd.CREDITED_REMOVAL: "possible removal of a credited bill",
    bd.UNRECOGNISED: "bill not recognised",
    bd.LEVER: "return requested",
    bd.PAYOUT_BUSY: "payout busy",
    bd.DISPENSER_BUSY: "recycler busy",
    bd.DISPENSER_SENSOR: "recycler sensor defective",
    bd.DISPENSER_MOTOR: "recycler motor defective",
    bd.DISPENSER_JAM: "recycler jam",
    bd.DISPENSER_ROM: "recycler ROM checksum error",
    bd.DISPENSER_OFF: "recycler disabled",
    bd.BILL_WAITING: "bill waits to be taken",
    bd.FILL_KEY: "fill key pressed",
}
_WAYS: Final = {
    Way.STACKED: "stacked",
    Way.ESCROW: "in escrow",
    Way.RETURNED: "returned",
    Way.RECYCLED: "to recycler",
    Way.REJECTED: "rejected (type is disabled)",
    Way.FILLED: "into recycler by hand",
    Way.DISPENSED: "out of recycler by hand",
    Way.TO_BOX: "from recycler to cash box",
}
_PLAIN: Final = {0x30: "RESET", 0x31: "SETUP", 0x33: "POLL", 0x36: "STACKER"}
_EXPANSION: Final = {
    0x00: "IDENT",
    0x01: "FEATURE ENABLE",
    0x02: "IDENT with options",
    0x03: "RECYCLER SETUP",
    0x04: "RECYCLER ENABLE",
    0x05: "RECYCLER STATUS",
    0x06: "DISPENSE",
    0x07: "DISPENSE VALUE",
    0x08: "PAYOUT STATUS",
    0x09: "PAYOUT VALUE POLL",
    0x0A: "PAYOUT CANCEL",
}


class BillWords:
    """Remembers the newest SETUP, so that later sentences can name values."""

    def __init__(self) -> None:
        self._setup: Setup | None = None

    def learn(self, command: bytes, reply: Reply) -> None:
        """What an exchange says about the device."""
        if command[:1] == bd.SETUP and reply.answer is Answer.DATA:
            try:
                self._setup = Setup.from_bytes(reply.data)
            except Malformed:
                return

    def command(self, command: bytes) -> str:
        """The master's side."""
        code, data = command[0], command[1:]
        if code in _PLAIN:
            return _PLAIN[code]
        if code == 0x32 and len(data) >= 2:
            return f"SECURITY high for {mask(_word(data))}"
        if code == 0x34 and len(data) >= 4:
            return f"BILL TYPE accept {mask(_word(data))}, escrow {mask(_word(data[2:]))}"
        if code == 0x35 and data:
            return "ESCROW stack" if data[0] else "ESCROW return"
        if code == 0x37 and data:
            return self._expansion(data[0], data[1:])
        return f"command {hexed(command)}"

    def answer(self, command: bytes, reply: Reply) -> str:
        """The device's side."""
        if command == bd.POLL and reply.answer is Answer.ACK:
            return "nothing new"
        if reply.answer is not Answer.DATA:
            return plain(reply)
        try:
            return self._data(command, reply.data)
        except Malformed:
            return f"{hexed(reply.data)} (too short)"

    def _expansion(self, sub: int, data: bytes) -> str:
        name = _EXPANSION.get(sub) or FTL.get(sub) or f"expansion {sub:02X}"
        match sub:
            case 0x01:
                return f"{name} {options(int.from_bytes(data, 'big'), OPTIONS)}"
            case 0x04 if len(data) >= 2:
                return f"{name} by hand {mask(_word(data))}"
            case 0x06 if len(data) >= 3:
                return f"{name} {_word(data[1:])} of {self._bill(data[0] & 0x0F)}"
            case 0x07 if len(data) >= 2:
                return f"{name} {self._units(_word(data))}"
            case _:
                return f"{name} {hexed(data)}" if data else name

    def _data(self, command: bytes, data: bytes) -> str:
        match command[0]:
            case 0x31:
                return self._told_setup(Setup.from_bytes(data))
            case 0x33:
                return listed(self._activity(one) for one in bd.activities(data))
            case 0x36:
                it = Stacker.from_bytes(data)
                return f"{it.count} bills in the stacker{', full' if it.full else ''}"
            case 0x37 if len(command) > 1:
                return self._report(command[1], data)
            case _:
                return hexed(data)

    def _report(self, sub: int, data: bytes) -> str:
        match sub:
            case 0x00 | 0x02:
                it = Identity.from_bytes(data)
                extra = f", options {options(it.options, OPTIONS)}" if sub == 0x02 else ""
                return identity(it) + extra
            case 0x03:
                return f"can recycle {mask(_word(data))}"
            case 0x05:
                levels = RecyclerLevels.from_bytes(data)
                full = f", full {mask(levels.full)}" if levels.full else ""
                return f"recycler holds {counts(levels.counts)}{full}"
            case 0x08:
                return f"paid {counts(bd.counts_of(data))}"
            case 0x09:
                return f"{self._units(_word(data))} paid since the last question"
            case _:
                return hexed(data)

    def _told_setup(self, it: Setup) -> str:
        values = [amount(c, it.scale, it.decimals) for c in it.credits if c not in (0, bd.TOKEN)]
        return (
            f"level {it.level}, currency {it.currency:04X}, scale {it.scale}, "
            f"{it.decimals} decimals, bills {' '.join(values) or 'none'}, "
            f"stacker for {it.capacity}, {'escrow' if it.escrow else 'no escrow'}"
        )

    def _activity(self, one: Activity) -> str:
        match one:
            case Bill(way, type_):
                return f"{self._bill(type_)} {_WAYS[way]}"
            case Attempts(count):
                return f"{count} bills offered while disabled"
            case _:
                return _STATUS.get(one.code) or f"status {one.code:02X}"

    def _bill(self, type_: int) -> str:
        it = self._setup
        if it is None or it.credits[type_] in (0, bd.TOKEN):
            return f"bill type {type_}"
        return f"bill type {type_} ({amount(it.credits[type_], it.scale, it.decimals)})"

    def _units(self, units: int) -> str:
        it = self._setup
        told = "" if it is None else f" ({amount(units, it.scale, it.decimals)})"
        return f"{units} units{told}"


def _word(data: bytes) -> int:
    return int.from_bytes(data[:2], "big")
