"""The servers that the fleet's figures are measured with, and the consumers beside them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TESTS: Final = Path(__file__).parents[1]
sys.path[:0] = [str(_TESTS / "kafka"), str(_TESTS / "fleet")]

from kafka_server import KafkaServer  # noqa: E402
from machine_stream import ModelMachine  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

__all__ = ["KafkaServer", "ModelMachine", "PostgresServer", "made", "processes"]


@contextmanager
def processes(commands: list[tuple[str, ...]]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """All of them while the context lasts."""
    running = [
        subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=_TESTS.parent)
        for command in commands
    ]
    try:
        yield running
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)


def made(folder: str, name: str) -> Path:
    path = Path(folder) / name
    path.mkdir()
    return path
