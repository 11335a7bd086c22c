"""`vendd-fleet` as processes, and what a test does around them."""

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

from confluent_kafka import Producer

from hw_sim.received import Received
from vendd.fleet.__main__ import main
from vendd.fleet.database import Database, DatabaseDown, DatabaseRefused
from vendd.fleet.envelope import Record

LOOK_S: Final = 0.02
HASTY: Final = """
[kafka.options]
"session.timeout.ms" = "1500"
"heartbeat.interval.ms" = "300"
"""
"""Configuration of consumers whose death is noticed soon."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed."""

    stdout: str
    stderr: str


class Consumers:
    """Processes with one configuration; can be killed and started again."""

    def __init__(self, bootstrap: str, prefix: str, url: str, folder: Path, extra: str) -> None:
        config = folder / "fleet.toml"
        config.write_text(extra)
        self.flags = [
            *("--bootstrap", bootstrap, "--topic-prefix", prefix, "--database", url),
            *("--group", prefix + "fleet", "--config", str(config)),
        ]
        self.log = folder / "consumer.log"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, role: str = "inventory", *flags: str) -> None:
        command = [sys.executable, "-m", "vendd.fleet", role, *self.flags, *flags]
        with self.log.open("ab") as log:
            self.running.append(subprocess.Popen(command, stdout=log, stderr=log))

    def run(self, *arguments: str, code: int = 0) -> Ran:
        """One command to its end, in this process, away from any terminal."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", io.StringIO()):
            ended = main([*arguments, *self.flags])
        assert ended == code, out.getvalue() + err.getvalue()
        return Ran(out.getvalue(), err.getvalue())

    def kill(self) -> None:
        """The oldest, as a power cut would."""
        process = self.running.pop(0)
        process.kill()
        process.wait(10)

    def stop(self) -> list[int]:
        """All, in order; gives their exit codes."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in self.running]
        self.running.clear()
        return codes

    def end(self) -> None:
        """Whatever still runs, and what they said."""
        while self.running:
            self.kill()
        if self.log.exists():
            print(self.log.read_text())


def publish(bootstrap: str, prefix: str, records: Sequence[Record | Received]) -> None:
    """As a machine's forwarder does. What was received already has its prefix."""
    settings = {"enable.idempotence": True, "partitioner": "murmur2_random"}
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for record in records:
        items = record.headers
        headers = list(items.items() if isinstance(items, dict) else items)
        producer.produce(prefix + record.topic, record.value, record.key, headers=headers)
        producer.poll(0)
    assert producer.flush(60) == 0


def until(database: Database, statement: str, enough: int, timeout_s: float = 60) -> None:
    """Until a statement gives at least `enough`: what another process does has no event here."""
    found = 0
    pause = threading.Event()
    for _ in range(int(timeout_s / LOOK_S)):
        try:
            with database.transaction() as session:
                found = int(session.rows(statement)[0][0] or 0)
        except (DatabaseDown, DatabaseRefused):
            found = 0  # not there yet, or its tables are not
        if found >= enough:
            return
        pause.wait(LOOK_S)
    raise AssertionError(f"{statement}: {found} after {timeout_s} s, expected {enough}")
