"""A supervisor that never reads its socket must not stop the daemon's loop."""

import os
import socket
from pathlib import Path

from vendd.health import Supervisor


def test_a_full_notification_queue_blocks_nobody(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(address)
        supervisor = Supervisor(address)
        for _ in range(2_000):  # Linux queues some ten datagrams
            supervisor.tell("WATCHDOG=1")
        assert deaf.recv(100) == b"WATCHDOG=1"


def test_an_abstract_address_is_reached() -> None:
    name = f"vendd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        Supervisor(f"@{name}").tell("READY=1")
        assert listener.recv(100) == b"READY=1"
