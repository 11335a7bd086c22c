"""The error codes of a coin acceptor's event buffer (ccTalk 4.7, part 3, table 2)."""

from dataclasses import dataclass
from typing import Final

INHIBITED: Final = frozenset((2, *range(128, 160)))
COIN_RETURN: Final = 254


@dataclass(frozen=True, slots=True)
class CoinError:
    """`out`: what became of a coin (``rejected``, ``slug``, ``lost``; empty: no coin is meant).
    `fault`: what is wrong with the acceptor, empty when nothing is."""

    out: str = ""
    fault: str = ""


_REJECTED: Final = CoinError("rejected")
_JAM: Final = CoinError(fault="coin_jam")
_LOST: Final = CoinError("lost")
_FRAUD: Final = CoinError("rejected", "coin_fraud")
_BROKEN: Final = CoinError(fault="acceptor_sensor")

_ERRORS: Final = {
    0: CoinError(),
    1: _REJECTED,
    2: _REJECTED,
    3: _REJECTED,  # multiple window
    4: _BROKEN,  # wake-up timeout
    5: _REJECTED,  # validation timeout
    6: _LOST,  # validated, and never seen at the credit sensor
    7: _LOST,  # sorter opto timeout
    8: _REJECTED,  # second coin too close
    9: _REJECTED, 10: _REJECTED, 11: _REJECTED,  # not ready: gate, credit sensor, sorter
    12: _JAM,  # reject coin not cleared
    13: _REJECTED,  # validation sensor not ready
    14: _JAM, 15: _JAM,  # credit sensor, sorter opto blocked
    16: _FRAUD, 17: _FRAUD, 18: _FRAUD, 19: _FRAUD, 20: _FRAUD,  # wrong order, way, speed; string
    21: _BROKEN, 22: _BROKEN,  # DCE
    23: _FRAUD, 24: _FRAUD,
    25: CoinError("slug"),
    26: _JAM,
    27: CoinError(fault="games_overload"), 28: CoinError(fault="meter_overload"),
    29: _JAM, 30: _JAM,  # accept gate does not move
    31: _LOST, 32: _JAM, 33: _REJECTED,  # manifold
    34: CoinError(fault="security_changed"),
    35: CoinError(fault="acceptor_motor"),
    36: _LOST,  # swallowed
    37: _FRAUD, 38: _FRAUD,
    39: CoinError(fault="coin_routing"),  # told as credit too
    40: CoinError(fault="coin_fraud"),
    253: CoinError(),  # data block request
    254: CoinError(),  # coin return mechanism
    255: CoinError(fault="acceptor_alarm"),
}  # fmt: skip


def coin_error(code: int) -> CoinError:
    """What an error code (0..255) means; the unknown ones are alarms without a name."""
    if code in INHIBITED:
        return _REJECTED
    return _ERRORS.get(code, CoinError(fault="acceptor_alarm"))
