"""What a hopper answers: registers, payout status, counts (ccTalk 4.7, part 2, 3.88 to 3.93)."""

from typing import Final

from vendd.wire.cctalk import codes
from vendd.wire.cctalk.contact import Malformed
from vendd.wire.cctalk.news import Evidence

COUNT_WRAPS: Final = 1 << 24

# (register, bit) -> what it is called
_FLAGS: Final = {
    (0, 0): "over_current",
    (0, 1): "payout_timeout",
    (0, 2): "motor_reversed",
    (0, 3): "opto_blocked_idle",
    (0, 4): "opto_short_idle",
    (0, 5): "opto_blocked_payout",
    (0, 6): "power_up",
    (0, 7): "payout_disabled",
    (1, 0): "opto_short_payout",
    (1, 1): "single_coin",
    (1, 2): "use_other_hopper",
    (1, 3): "finger_mismatch",
    (1, 4): "reverse_limit",
    (1, 5): "coil_fault",
    (1, 6): "nv_checksum",
    (1, 7): "pin_mechanism",
    (2, 0): "power_down_in_payout",
    (2, 1): "unknown_coin_paid",
    (2, 2): "pin_wrong",
    (2, 3): "cipher_key_wrong",
    (2, 4): "encryption",
}
LATCHED: Final = frozenset(
    (
        "over_current",
        "opto_blocked_idle",
        "opto_short_idle",
        "opto_blocked_payout",
        "opto_short_payout",
        "finger_mismatch",
        "reverse_limit",
        "coil_fault",
        "power_down_in_payout",
        "unknown_coin_paid",
        "pin_wrong",
        "cipher_key_wrong",
    )
)
"""Flags that only a software reset clears, and with which nothing is paid."""
FAULTS: Final = (LATCHED - {"power_down_in_payout"}) | {"nv_checksum"}
"""Flags that people should hear of while they last."""


def flags(data: bytes) -> frozenset[str]:
    """The answer of 163: one to three registers, by generation. Raises `Malformed`."""
    if not data:
        raise Malformed("test of the hopper without registers")
    return frozenset(
        name for (reg, bit), name in _FLAGS.items() if reg < len(data) and data[reg] >> bit & 1
    )


def status(data: bytes) -> Evidence:
    """The answer of 166. Raises `Malformed`."""
    if len(data) != 4:
        raise Malformed(f"hopper status of {len(data)} bytes")
    return Evidence(*data)


def dispense_count(data: bytes) -> int:
    """The answer of 168. Raises `Malformed`."""
    if len(data) != 3:
        raise Malformed(f"dispense count of {len(data)} bytes")
    return codes.number(data)
