"""The Pi's wall clock and whether it can be believed (E4): a Pi may have no clock of its own.

Whoever synchronises it (systemd-timesyncd, chrony, ntpd) tells the kernel, and the kernel tells
everybody. It stops saying so after some hours without a server; the clock is still good to
seconds then, so once believed it is believed until the daemon ends.
"""

import ctypes
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
_STA_UNSYNC: Final = 0x0040  # adjtimex(2)


class SystemClock:
    """Implements `ports.WallClock`. `kernel`: whether the kernel says that the clock is
    synchronised, None where it can't be asked; `mark`: systemd-timesyncd's own sign."""

    def __init__(
        self, kernel: Callable[[], bool | None] | None = None, mark: Path = _TIMESYNCD
    ) -> None:
        self._kernel = kernel or kernel_synchronised
        self._mark = mark
        self._believed = False

    def now(self) -> str:
        at = datetime.now(UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"

    def synchronised(self) -> bool:
        if not self._believed:
            self._believed = self._mark.exists() or self._kernel() is True
        return self._believed


class _Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2), as far as it is read; the rest is room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_synchronised() -> bool | None:
    """``modes`` 0 only reads, which needs no privilege. None: the call is not allowed here."""
    asked = _Timex()
    if _adjtimex()(ctypes.byref(asked)) < 0:
        return None
    return not asked.status & _STA_UNSYNC


@functools.cache
def _adjtimex() -> Callable[..., int]:
    return ctypes.CDLL(None, use_errno=True).adjtimex
