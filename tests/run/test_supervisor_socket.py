"""A supervisor that never reads its socket must not stop the daemon's loop."""

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
