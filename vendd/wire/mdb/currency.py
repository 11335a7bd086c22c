"""Which currency an MDB device means with its two BCD bytes (NAMA MDB/ICP 4.2, 5.3 SETUP Z2-Z3).

A leading 1 stands before the ISO 4217 number (``1978``: EUR). A leading 0 stands
before an international telephone code (``0049``), which older devices still send.
"""

from typing import Final

_EURO: Final = (30, 31, 32, 33, 34, 39, 43, 49, 351, 352, 353, 356, 357, 358, 370, 371, 372,
                385, 386, 421)  # fmt: skip
# ISO 4217 number -> telephone codes of the places that pay with it
_PHONES: Final = {
    978: _EURO, 840: (1,), 124: (1,), 643: (7,), 398: (7,), 710: (27,), 348: (36,), 946: (40,),
    756: (41,), 826: (44,), 208: (45,), 752: (46,), 578: (47,), 985: (48,), 484: (52,),
    32: (54,), 986: (55,), 152: (56,), 458: (60,), 36: (61,), 554: (64,), 702: (65,), 764: (66,),
    392: (81,), 410: (82,), 156: (86,), 949: (90,), 356: (91,), 975: (359,), 980: (380,),
    941: (381,), 203: (420,), 376: (972,),
}  # fmt: skip


def matches(numeric: int, bcd: int) -> bool:
    """Does the device's `bcd` (0x1978) mean the currency with this ISO 4217 number (978)?

    False for digits that are no digits, and for 0000.
    """
    digits = f"{bcd:04X}"
    if not digits.isdecimal():
        return False
    number = int(digits[1:])
    if digits[0] == "1":
        return number == numeric
    return digits[0] == "0" and number in _PHONES.get(numeric, ())
