"""A coin changer's exchanges as sentences (NAMA MDB/ICP 4.2, section 5)."""

from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import (
    Activity,
    Deposit,
    Dispensed,
    Identity,
    Malformed,
    Setup,
    Slugs,
    TubeLevels,
)
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

OPTIONS: Final = ("alternative payout", "extended diagnostics", "manual fill and payout", "FTL")
_STATUS: Final = {
    cd.LEVER: "return lever",
    cd.PAYOUT_BUSY: "payout busy",
    cd.NO_CREDIT: "coin passed without credit",
    cd.TUBE_SENSOR: "tube sensor defective",
    cd.DOUBLE_ARRIVAL: "two coins too close",
    cd.UNPLUGGED: "acceptor unplugged",
    cd.TUBE_JAM: "tube jam",
    cd.ROM_CHECKSUM: "ROM checksum error",
    cd.ROUTING_ERROR: "coin went the wrong way",
    cd.BUSY: "busy",
    cd.JUST_RESET: "just reset",
    cd.COIN_JAM: "coin jam",
    cd.COIN_REMOVAL: "possible removal of a credited coin",
}
_ROUTES: Final = ("to cash box", "to tube", "to an unused path", "rejected")
_PLAIN: Final = {
    0x08: "RESET",
    0x09: "SETUP",
    0x0A: "TUBE STATUS",
    0x0B: "POLL",
}
_EXPANSION: Final = {
    0x00: "IDENT",
    0x01: "FEATURE ENABLE",
    0x02: "PAYOUT",
    0x03: "PAYOUT STATUS",
    0x04: "PAYOUT VALUE POLL",
    0x05: "DIAGNOSTICS",
    0x06: "MANUAL FILL REPORT",
    0x07: "MANUAL PAYOUT REPORT",
}


class ChangerWords:
    """Remembers the newest SETUP, so that later sentences can name values."""

    def __init__(self) -> None:
        self._setup: Setup | None = None

    def learn(self, command: bytes, reply: Reply) -> None:
        """What an exchange says about the device."""
        if command[:1] == cd.SETUP and reply.answer is Answer.DATA:
            try:
                self._setup = Setup.from_bytes(reply.data)
            except Malformed:
                return

    def command(self, command: bytes) -> str:
        """The master's side."""
        code, data = command[0], command[1:]
        if code in _PLAIN:
            return _PLAIN[code]
        if code == 0x0C and len(data) >= 4:
            accept, manual = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
            return f"COIN TYPE accept {mask(accept)}, by hand {mask(manual)}"
        if code == 0x0D and data:
            return f"DISPENSE {data[0] >> 4} of {self._coin(data[0] & 0x0F)}"
        if code == 0x0F and data:
            return self._expansion(data[0], data[1:])
        return f"command {hexed(command)}"

    def answer(self, command: bytes, reply: Reply) -> str:
        """The device's side."""
        if command == cd.POLL and reply.answer is Answer.ACK:
            return "nothing new"
        if reply.answer is not Answer.DATA:
            return plain(reply)
        try:
            return self._data(command, reply.data)
        except Malformed:
            return f"{hexed(reply.data)} (too short)"

    def _expansion(self, sub: int, data: bytes) -> str:
        name = _EXPANSION.get(sub) or FTL.get(sub) or f"expansion {sub:02X}"
        if sub == 0x01:
            return f"{name} {options(int.from_bytes(data, 'big'), OPTIONS)}"
        if sub == 0x02 and data:
            return f"{name} {self._units(data[0])}"
        return f"{name} {hexed(data)}" if data else name

    def _data(self, command: bytes, data: bytes) -> str:
        match command[0]:
            case 0x09:
                return self._told_setup(Setup.from_bytes(data))
            case 0x0A:
                return _tubes(TubeLevels.from_bytes(data))
            case 0x0B:
                return listed(self._activity(one) for one in cd.activities(data))
            case 0x0F if len(command) > 1:
                return self._report(command[1], data)
            case _:
                return hexed(data)

    def _report(self, sub: int, data: bytes) -> str:
        match sub:
            case 0x00:
                it = Identity.from_bytes(data)
                return f"{identity(it)}, options {options(it.options, OPTIONS)}"
            case 0x03:
                return f"paid {counts(data[: cd.TYPES])}"
            case 0x04:
                return f"{self._units(data[0])} paid since the last question" if data else "paying"
            case 0x05:
                faults = cd.faults_of(data)
                if cd.says_ok(data):
                    return "all is well"
                return listed(f"{c} ({d})" for c, d in faults.items()) if faults else hexed(data)
            case 0x06 | 0x07:
                return counts(data[: cd.TYPES])
            case _:
                return hexed(data)

    def _told_setup(self, it: Setup) -> str:
        values = [amount(c, it.scale, it.decimals) for c in it.credits if c not in (0, cd.TOKEN)]
        return (
            f"level {it.level}, currency {it.currency:04X}, scale {it.scale}, "
            f"{it.decimals} decimals, coins {' '.join(values) or 'none'}, "
            f"tubes for {mask(it.routing)}"
        )

    def _activity(self, one: Activity) -> str:
        match one:
            case Deposit(type_, routing, count):
                return f"{self._coin(type_)} {_ROUTES[routing]}{_in_tube(count)}"
            case Dispensed(type_, coins, count):
                return f"{coins} of {self._coin(type_)} by hand{_in_tube(count)}"
            case Slugs(count):
                return f"{count} slugs"
            case _:
                return _STATUS.get(one.code) or f"status {one.code:02X}"

    def _coin(self, type_: int) -> str:
        it = self._setup
        if it is None or it.credits[type_] in (0, cd.TOKEN):
            return f"coin type {type_}"
        return f"coin type {type_} ({amount(it.credits[type_], it.scale, it.decimals)})"

    def _units(self, units: int) -> str:
        it = self._setup
        told = "" if it is None else f" ({amount(units, it.scale, it.decimals)})"
        return f"{units} units{told}"


def _tubes(it: TubeLevels) -> str:
    full = f", full {mask(it.full)}" if it.full else ""
    return f"tubes hold {counts(it.counts)}{full}"


def _in_tube(count: int | None) -> str:
    return "" if count is None else f", {count} in tube"
