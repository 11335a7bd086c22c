"""The unit: what the promises ask of it, and what systemd itself thinks of it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.machines import SMALL
from vendd.__main__ import DEFAULT, main
from vendd.config.sections import Api

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = (SYSTEMD / "vendd.service").read_text()


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("WatchdogSec", "30"),
        ("Restart", "always"),
        ("StartLimitIntervalSec", "0"),
        ("RestartPreventExitStatus", "2"),
        ("User", "vendd"),
        ("StateDirectory", "vendd"),
        ("RuntimeDirectory", "vendd"),
        ("SupplementaryGroups", "gpio i2c dialout"),
        ("NoNewPrivileges", "yes"),
    ],
)
def test_a_setting_that_something_relies_on(name, value):
    assert settings(name) == [value]


@pytest.mark.parametrize("when", ["ExecStartPre", "ExecStopPost"])
def test_motor_lines_are_off_before_the_start_and_after_any_exit(when):
    (command,) = settings(when)
    assert command == f"-/opt/vendd/bin/vendd safe --config {DEFAULT}"


def test_the_daemon_can_reach_the_gpio_chip():
    assert "PrivateDevices" not in re.sub(r"#.*", "", UNIT)
    assert {"char-gpiochip rw", "char-i2c rw", "char-ttyACM rw"} <= set(settings("DeviceAllow"))


_WITHOUT_WRITABLE_CODE = """
import ctypes, mmap, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    print("kernel too old")
    sys.exit()
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except OSError:
    pass
else:
    sys.exit("memory is writable and executable all the same")
import vendd.daemon, vendd.links.kafka, vendd.store.migrations
import gpiozero.pins.mock, serial, smbus2, RPLCD.i2c
from confluent_kafka import Producer
acknowledged = []
producer = Producer({
    "test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1:1", "compression.type": "lz4"
})
producer.produce("t", b"v" * 1000, on_delivery=lambda error, _: acknowledged.append(error))
producer.flush(20)
assert acknowledged == [None], acknowledged
"""


def test_what_it_is_made_of_needs_no_writable_code():
    assert settings("MemoryDenyWriteExecute") == ["yes"]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_WRITABLE_CODE],
        env=os.environ | {"PYTHONPATH": str(SYSTEMD.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "kernel too old" in done.stdout:
        pytest.skip("this kernel can't refuse writable code to a process (before 6.3)")
    assert done.returncode == 0, done.stderr


def test_serial_lines_of_every_make_are_allowed():
    makes = {f"char-tty{make} rw" for make in ("ACM", "USB", "AMA", "S")}
    assert makes <= set(settings("DeviceAllow"))


def test_credentials_that_are_missing_stop_nothing():
    assert settings("LoadCredential")
    assert all(":" not in name for name in settings("LoadCredential"))


def test_the_commands_it_calls_exist(tmp_path, capsys):
    path = tmp_path / "vendd.toml"
    path.write_text(SMALL)
    for command in (*settings("ExecStart"), *settings("ExecStopPost")):
        _, *arguments = command.replace(str(DEFAULT), str(path)).split()
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--help"])
        assert ended.value.code == 0
    capsys.readouterr()


def test_every_group_of_the_unit_is_made():
    made = re.findall(r"^g ([\w-]+)", (SYSTEMD / "vendd.sysusers").read_text(), re.MULTILINE)
    people = Api().owners  # not the daemon's, but of whoever works on it
    assert settings("SupplementaryGroups") == [" ".join(g for g in made if g != people)]
    assert people in made


def test_the_samples_use_the_name_that_udev_gives():
    assert 'SYMLINK+="vendd-mdb"' in (SYSTEMD / "60-vendd.rules").read_text()
    assert 'port = "/dev/vendd-mdb"' in SMALL


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_accepts_the_unit(tmp_path):
    # The program is installed on machines only; anything executable stands in for it.
    unit = tmp_path / "vendd.service"
    unit.write_text(UNIT.replace("/opt/vendd/bin/vendd", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "vendd" in line]
    newer = r"Unknown key (name )?'Restart(Steps|MaxDelaySec)' in section"
    assert [line for line in complaints if not re.search(newer, line)] == []
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd here")
def test_systemd_accepts_the_users():
    done = subprocess.run(
        ["systemd-sysusers", "--dry-run", str(SYSTEMD / "vendd.sysusers")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Failed" not in done.stderr
