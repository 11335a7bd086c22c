"""``python -m hw_sim fleet``, from its options to its exit code."""

import argparse
import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hw_sim.broker import embedded_kafka
from hw_sim.fleet.load import Load, run, verdict
from hw_sim.fleet.topics import make

HELP: Final = "the event streams of many machines, to load a Kafka and a backend with"
_MOST_MACHINES: Final = 1_000_000
_MOST_RATE: Final = 1e6


def options(fleet: argparse.ArgumentParser) -> None:
    fleet.add_argument(
        "--machines", type=_machines, default=1_000, metavar="N", help="default 1000"
    )
    fleet.add_argument(
        "--rate",
        type=_positive,
        default=1_000.0,
        metavar="R",
        help="events per second, all machines together; default 1000",
    )
    fleet.add_argument("--seconds", type=_positive, metavar="S", help="default: until stopped")
    fleet.add_argument("--bootstrap", metavar="HOST:PORT", help="a Kafka of yours")
    fleet.add_argument("--topic-prefix", default="", metavar="TEXT")
    fleet.add_argument(
        "--partitions", type=_machines, default=4, metavar="N", help="of a new topic; default 4"
    )
    fleet.add_argument(
        "--name",
        metavar="TEXT",
        help="what machines' names begin with; under one that was used before they look like"
        " machines restored from a backup. Default: a new one",
    )
    fleet.add_argument("--seed", type=int, default=1, metavar="S", help="default 1")


def main(chosen: argparse.Namespace) -> int:
    """0: the rate was met and everything arrived; 1 otherwise."""
    bootstrap = chosen.bootstrap or os.environ.get("KAFKA_BOOTSTRAP") or None
    with _stoppable() as stop:
        if bootstrap is not None:
            return _publish(chosen, bootstrap, stop)
        return asyncio.run(_embedded(chosen, stop))


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Set by a signal that would have ended the process: what is on its way still arrives."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


async def _embedded(chosen: argparse.Namespace, stop: threading.Event) -> int:
    async with embedded_kafka() as bootstrap:
        return await asyncio.to_thread(_publish, chosen, bootstrap, stop)


def _publish(chosen: argparse.Namespace, bootstrap: str, stop: threading.Event) -> int:
    load = Load(
        bootstrap=bootstrap,
        machines=chosen.machines,
        rate=chosen.rate,
        seconds=chosen.seconds,
        name=chosen.name or f"sim{int(time.time()):x}",
        topic_prefix=chosen.topic_prefix,
        seed=chosen.seed,
    )
    partitions = make(bootstrap, load.topic_prefix, chosen.partitions)
    counts = ", ".join(f"{topic} {count}" for topic, count in partitions.items())
    _say(f"SIMULATED fleet of {load.machines:,} machines called {load.name}-…, seed {load.seed}.")
    _say(f"Kafka at {bootstrap}; partitions: {counts}.")
    status, lines = verdict(load, run(load, stop, _say))
    for line in lines:
        _say(line)
    return status


def _say(line: str) -> None:
    print(line, flush=True)


def _machines(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_MACHINES:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {_MOST_MACHINES}")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _MOST_RATE:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0 and up to 1000000")
    return number
