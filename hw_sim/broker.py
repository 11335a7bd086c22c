"""The embedded Kafka of ``make run``: librdkafka's mock cluster in a process of its own.

``python -m hw_sim.broker`` prints ``bootstrap 127.0.0.1:PORT`` and runs until
SIGTERM, SIGINT or the end of its input. It keeps everything in memory, creates
topics on first use and listens on the loopback only.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from confluent_kafka import Producer

BROKERS: Final = 1
_STARTED_S: Final = 15.0


def serve() -> None:
    """Run the mock cluster until told to stop."""
    cluster = Producer(
        {
            "bootstrap.servers": "127.0.0.1:1",  # replaced by the mock cluster's own
            "test.mock.num.brokers": BROKERS,
            "log_level": 2,
        }
    )
    brokers = cluster.list_topics(timeout=_STARTED_S).brokers.values()
    print("bootstrap", ",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
    asyncio.run(_until_stopped())


async def _until_stopped() -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    watching = asyncio.create_task(_drain(reader, stopped))
    await stopped.wait()
    watching.cancel()


async def _drain(reader: asyncio.StreamReader, stopped: asyncio.Event) -> None:
    while await reader.read(4096):
        pass
    stopped.set()


@asynccontextmanager
async def embedded_kafka() -> AsyncIterator[str]:
    """A mock cluster while the context lasts; gives its bootstrap address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hw_sim.broker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the daemon, which still has to deliver
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(2 * _STARTED_S):
            line = (await process.stdout.readline()).decode()
        word, _, bootstrap = line.strip().partition(" ")
        if word != "bootstrap":
            raise RuntimeError(f"the embedded Kafka did not start: {line!r}")
        yield bootstrap
    finally:
        process.stdin.close()
        if process.returncode is None:
            await process.wait()


if __name__ == "__main__":
    serve()
