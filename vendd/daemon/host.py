"""What a Raspberry Pi says of its own state: room on the disk, supply voltage, temperature."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_THERMAL: Final = Path("/sys/class/thermal/thermal_zone0/temp")  # thousandths of a degree Celsius
_HWMON: Final = Path("/sys/class/hwmon")
_SERIAL: Final = Path("/proc/device-tree/serial-number")


@dataclass(frozen=True, slots=True)
class HostState:
    """None: not known here. `disk_free` in bytes, `signal` in dBm."""

    disk_free: int | None = None
    cpu_temp: float | None = None
    under_voltage: bool | None = None
    signal: int | None = None
    controller_serial: str | None = None


def read(folder: Path, root: Path = Path("/")) -> HostState:
    """Now. `folder` is where the books are; never raises."""
    millidegrees = _number(root / _THERMAL.relative_to("/"))
    return HostState(
        disk_free=_disk_free(folder),
        cpu_temp=None if millidegrees is None else millidegrees / 1000,
        under_voltage=_under_voltage(root / _HWMON.relative_to("/")),
        controller_serial=_text(root / _SERIAL.relative_to("/")) or None,
    )


def _disk_free(folder: Path) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _under_voltage(hwmon: Path) -> bool | None:
    """The firmware's driver `raspberrypi-hwmon`: 1 while the supply sags."""
    for device in sorted(hwmon.glob("hwmon*")):
        if _text(device / "name") == "rpi_volt":
            alarm = _number(device / "in0_lcrit_alarm")
            return None if alarm is None else bool(alarm)
    return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip("\x00 \n")
    except OSError:
        return ""
