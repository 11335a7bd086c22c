"""The events (0, n) of a bill validator (ccTalk 4.7, part 3, table 7)."""

from dataclasses import dataclass
from typing import Final

STACKED: Final = 0  # result B of a bill
ESCROW: Final = 1
RETURNED: Final = 1  # result B of (0, n)
JAM_SAFE: Final = 16
JAM_UNSAFE: Final = 6
STACKER_OK: Final = 10
COUPON: Final = 255  # a credit code that is no bill


@dataclass(frozen=True, slots=True)
class BillStatus:
    """`refused`: a bill that went back at once, and why. `fault`: what began. `over`: what
    ended."""

    refused: str = ""
    fault: str = ""
    over: tuple[str, ...] = ()


_FRAUD: Final = BillStatus(fault="bill_fraud")
_STATUS: Final = {
    0: BillStatus(),  # master inhibit active
    1: BillStatus(),  # returned from escrow
    2: BillStatus("rejected"),
    3: BillStatus("rejected"),
    4: BillStatus("type_disabled"),
    5: BillStatus("type_disabled"),
    6: BillStatus(fault="bill_jam"),
    7: BillStatus(fault="stacker_jam"),
    8: _FRAUD,
    9: _FRAUD,
    10: BillStatus(over=("stacker_full", "stacker_faulty", "stacker_jam", "stacker_removed")),
    11: BillStatus(fault="stacker_removed"),
    12: BillStatus(over=("stacker_removed", "stacker_full")),
    13: BillStatus(fault="stacker_faulty"),
    14: BillStatus(fault="stacker_full"),
    15: BillStatus(fault="stacker_jam"),
    16: BillStatus(fault="bill_jam"),
    17: _FRAUD,
    18: _FRAUD,
    19: BillStatus(fault="anti_string_mechanism"),
    20: BillStatus(),  # barcode detected
    21: BillStatus(fault="unknown_bill_stacked"),
}


def bill_status(code: int) -> BillStatus:
    """What (0, `code`) means; the unknown ones are alarms without a name."""
    return _STATUS.get(code, BillStatus(fault="bill_alarm"))
