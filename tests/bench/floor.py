"""The floor of the footprint: the daemon's libraries imported, one producer, an idle loop.

``python -m tests.bench.floor BOOTSTRAP``: a line of JSON on its input names the libraries (see
`tests.bench.libraries`; read elsewhere, for reading costs memory). It says "idle" and idles
until its input ends.
"""

import asyncio
import importlib
import json
import sys
from contextlib import suppress

from confluent_kafka import Producer


def load(libraries: list[tuple[str, list[str]]]) -> None:
    """What is not installed is a Pi's own and left out."""
    for module, names in libraries:
        with suppress(ImportError):
            found = importlib.import_module(module)
            for name in names:
                getattr(found, name, None)  # some libraries load a name when it is asked for


async def idle(bootstrap: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    print("idle", flush=True)
    await asyncio.to_thread(producer.list_topics, timeout=10.0)  # connected, like the daemon
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    load(json.loads(sys.stdin.readline()))
    asyncio.run(idle(sys.argv[1]))
