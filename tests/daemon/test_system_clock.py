"""Whether the wall clock can be believed, whoever synchronises it (E4)."""

from pathlib import Path

import pytest

from vendd.daemon.system_clock import SystemClock, kernel_synchronised


@pytest.mark.parametrize(
    ("kernel", "mark", "believed"),
    [
        (True, False, True),  # chrony or ntpd
        (False, True, True),  # systemd-timesyncd, hours after it lost its server
        (None, True, True),  # the kernel may not be asked
        (False, False, False),
        (None, False, False),
    ],
)
def test_the_kernel_or_timesyncd(
    tmp_path: Path, kernel: bool | None, mark: bool, believed: bool
) -> None:
    file = tmp_path / "synchronized"
    if mark:
        file.touch()
    assert SystemClock(lambda: kernel, file).synchronised() is believed


def test_once_believed_it_is_believed_although_the_kernel_has_doubts_later(tmp_path: Path) -> None:
    says = [False, True, False]
    clock = SystemClock(lambda: says.pop(0), tmp_path / "absent")
    assert [clock.synchronised() for _ in range(4)] == [False, True, True, True]


def test_the_kernel_can_be_asked() -> None:
    assert kernel_synchronised() in {True, False, None}
    assert SystemClock().now().endswith("Z")
