"""``make demo-fleet``: three simulated machines, a Kafka, and the backend that watches them.

One machine's slots are almost empty, so its first sale runs one low; the alert reaches a
web server on this computer, which prints it. At the end the completeness report must be clean.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from hw_sim.broker import embedded_kafka
from hw_sim.opening import HURRIED, SAMPLE, in_real_time
from hw_sim.shop import Day, Shop
from vendd.config import load
from vendd.events import TOPICS

MACHINES: Final = 3
_TOLD_S: Final = 60.0
_ANSWER_S: Final = 60.0


class Webhook:
    """What admins' chats and mail would be: prints what is posted to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.news = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length.group(1)) if length else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        message = json.loads(body)
        self.told.append(f"{message['title']}: {message['message']}")
        print(f"\n>>> WEBHOOK  {message['title']}")
        for line in message["message"].splitlines():
            print(f">>>          {line}")
        print(flush=True)
        self.news.set()

    async def heard(self, words: str) -> bool:
        """Whether a message with these words comes in time."""
        try:
            async with asyncio.timeout(_TOLD_S):
                while not any(words in each for each in self.told):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return False
        return True


class Backend:
    """`vendd-fleet` as its operator runs it: two processes, one database."""

    def __init__(self, folder: Path, bootstrap: str, hook: str) -> None:
        config = folder / "fleet.toml"
        config.write_text(
            f'database = "sqlite:///{folder}/fleet.db"\nevery_s = 1\n'
            f'[kafka]\nbootstrap = "{bootstrap}"\n'
            f'[[admin]]\nname = "demo"\nurl = "{hook}"\n'
        )
        self._flags = ("--config", str(config))
        self._log = folder / "fleet.log"

    @asynccontextmanager
    async def running(self, role: str) -> AsyncIterator[None]:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vendd.fleet", role, *self._flags),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    async def say(self, *arguments: str) -> tuple[int, str]:
        """One command; its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vendd.fleet", *arguments, *self._flags),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def complete(self, events: int) -> tuple[bool, str]:
        """The report, once it knows of that many events; whether it is clean."""
        end = asyncio.get_running_loop().time() + _ANSWER_S
        while True:
            code, said = await self.say("report")
            known = sum(int(last) for last in re.findall(r"seq 1\.\.(\d+)", said))
            if known >= events or asyncio.get_running_loop().time() > end:
                return code == 0 and known == events, said
            await asyncio.sleep(0.5)

    def log(self) -> str:
        return self._log.read_text(errors="replace")


def _make_topics(bootstrap: str) -> None:
    """The mock cluster makes a topic when it is asked for it: consumers need not wait for the
    first event to find it."""
    asking = Producer({"bootstrap.servers": bootstrap, "log_level": 2})
    for topic in TOPICS:
        asking.list_topics(topic, timeout=_ANSWER_S)
        asking.list_topics(f"{topic}.dlq", timeout=_ANSWER_S)


def _source(folder: Path, *, low: bool) -> Path:
    """The sample machine; `low`: every slot is one sale above its threshold."""
    folder.mkdir()
    source = folder / "vendd.toml"
    shutil.copy(SAMPLE, source)
    if low:
        drop_ins = folder / "vendd.toml.d"
        drop_ins.mkdir()
        slots = (
            f'[[slot]]\nselection = "{slot.selection}"\nlevel = {slot.threshold + 1}\n'
            for slot in load(SAMPLE).slot
        )
        (drop_ins / "10-low.toml").write_text("\n".join(slots))
    return source


async def _sell(source: Path, number: int, bootstrap: str, customers: int) -> tuple[Day, int]:
    """One machine's day, and how many events it published."""
    async with in_real_time(source, number, bootstrap=bootstrap, sale=HURRIED) as machine:
        print(f"machine {number}: {machine.config.machine.id}", flush=True)
        shop = Shop(
            machine, number, patient=False, say=lambda line: print(f"machine {number}: {line}")
        )
        day = await shop.day(customers)
        return day, len({event.seq for event in await machine.events()})


async def demo(customers: int) -> int:
    """0: the alert came, the report is clean and every machine kept its promises; else 1."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vendd-demo-")))
        bootstrap = await stack.enter_async_context(embedded_kafka())
        await asyncio.to_thread(_make_topics, bootstrap)
        hook = Webhook()
        server = await asyncio.start_server(hook.answer, "127.0.0.1", 0)
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        backend = Backend(folder, bootstrap, f"json://127.0.0.1:{port}/alarms")
        for role in ("inventory", "notify"):
            await stack.enter_async_context(backend.running(role))
        print(f"SIMULATED fleet. Kafka at {bootstrap}, alarms go to 127.0.0.1:{port}.", flush=True)
        days = await asyncio.gather(
            *(
                _sell(_source(folder / str(n), low=n == 2), n, bootstrap, customers)
                for n in range(1, MACHINES + 1)
            )
        )
        alerted = await hook.heard("low stock")
        clean, report = await backend.complete(sum(events for _, events in days))
        _, alarms = await backend.say("alarms")
        print(f"$ vendd-fleet report\n{report}\n$ vendd-fleet alarms\n{alarms}", flush=True)
        return _verdict([day for day, _ in days], backend, alerted=alerted, clean=clean)


def _verdict(days: list[Day], backend: Backend, *, alerted: bool, clean: bool) -> int:
    broken = [violation for day in days for violation in day.verdict.violations]
    if alerted and clean and not broken:
        print("SIMULATED. The alert arrived, nothing is missing, every promise was kept.")
        return 0
    if not alerted:
        print("FAILED: no low-stock alert reached the webhook")
    if not clean:
        print("FAILED: the completeness report is not clean")
    for violation in broken:
        print(f"FAILED: {violation}")
    print(f"--- what vendd-fleet said\n{backend.log()}", file=sys.stderr)
    return 1


def main(customers: int) -> int:
    os.environ.pop("KAFKA_BOOTSTRAP", None)
    return asyncio.run(demo(customers))
