"""Headers that are used, and what devices say of themselves (ccTalk 4.7, parts 2 and 3)."""

from dataclasses import dataclass
from typing import Final

RESET: Final = 1
ROUTE_BILL: Final = 154
BILL_MODE: Final = 153
BILL_SCALING: Final = 156
BILL_ID: Final = 157
BILL_EVENTS: Final = 159
CIPHER_KEY: Final = 160
PUMP_RNG: Final = 161
TEST_HOPPER: Final = 163
ENABLE_HOPPER: Final = 164
HOPPER_STATUS: Final = 166
DISPENSE: Final = 167
DISPENSE_COUNT: Final = 168
EMERGENCY_STOP: Final = 172
COIN_ID: Final = 184
BUILD: Final = 192
MASTER_INHIBIT: Final = 228
COIN_EVENTS: Final = 229
INHIBITS: Final = 230
SET_INHIBITS: Final = 231
SELF_CHECK: Final = 232
SOFTWARE: Final = 241
SERIAL: Final = 242
PRODUCT: Final = 244
CATEGORY: Final = 245
MANUFACTURER: Final = 246


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says of itself; empty where it does not."""

    manufacturer: str = ""
    product: str = ""
    serial: str = ""
    software: str = ""


def text(data: bytes) -> str:
    """Printable ASCII without the padding around it; anything else becomes ``?``."""
    return "".join(chr(b) if 32 <= b < 127 else "?" for b in data).strip()


def number(data: bytes) -> int:
    """Low byte first, as serial numbers and counts are sent."""
    return int.from_bytes(data, "little")


_UNITS: Final = {"m": -3, ".": 0, "K": 3, "M": 6, "G": 9}
_DIGITS: Final = frozenset("0123456789")


def coin_value(identifier: str, unit: int = 1) -> int | None:
    """Minor units of a coin called like ``GB200A``: country, three characters of value, issue.

    `unit`: minor units per 1 of the value code, which counts pence or cents. None for an empty
    position, a token, and what has no value in whole minor units (part 3, appendix 3.1).
    """
    if len(identifier) != 6:
        return None
    code = identifier[2:5]
    at = next((i for i, c in enumerate(code) if c in _UNITS), None)
    digits = code if at is None else code[:at] + code[at + 1 :]
    if not digits or not set(digits) <= _DIGITS:
        return None
    power = 0 if at is None else _UNITS[code[at]] - (len(code) - 1 - at)
    value = int(digits) * unit
    whole, rest = (value * 10**power, 0) if power >= 0 else divmod(value, 10**-power)
    return whole if whole > 0 and not rest else None


def bill_value(identifier: str, scaling: int, decimals: int, exponent: int) -> int | None:
    """Minor units (`exponent` decimals) of a bill called like ``EU0005A``, or None.

    Value code times `scaling` counts units of `decimals` decimals (part 3, appendix 15).
    """
    code = identifier[2:6]
    if len(identifier) != 7 or not code.isdecimal() or not code.isascii() or not scaling:
        return None
    value, rest = int(code) * scaling, 0
    if exponent >= decimals:
        value *= 10 ** (exponent - decimals)
    else:
        value, rest = divmod(value, 10 ** (decimals - exponent))
    return value if value > 0 and not rest else None


SELF_CHECK_FAULTS: Final = {
    1: "eeprom", 2: "coils", 3: "credit_sensor", 4: "piezo", 5: "reflective_sensor",
    6: "diameter_sensor", 7: "wake_up_sensor", 8: "sorter_exit", 9: "nv_memory",
    10: "dispensing", 11: "low_level", 12: "high_level", 13: "counting", 14: "keypad",
    15: "button", 16: "display", 17: "auditing", 18: "reject_sensor", 19: "return_mechanism",
    20: "string_mechanism", 21: "rim_sensor", 22: "thermistor", 23: "payout_motor",
    24: "payout_timeout", 25: "payout_jammed", 26: "payout_sensor", 27: "level_sensor",
    30: "rom", 31: "missing_slave", 32: "internal_comms", 33: "supply_voltage",
    34: "temperature", 35: "dce",
}  # fmt: skip


def self_check_fault(data: bytes) -> str:
    """A word for the answer of 232; empty when all is well (or nothing was said)."""
    if not data or data[0] == 0:
        return ""
    return SELF_CHECK_FAULTS.get(data[0], f"fault_{data[0]}")
