"""``python -m hw_sim``: the simulated machine for people, for demonstrations and for chaos."""

import argparse
import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from hw_sim.cuts import campaign as cuts
from hw_sim.explore import campaign
from hw_sim.fleet.command import HELP as FLEET_HELP
from hw_sim.fleet.command import options as fleet_options
from hw_sim.machines import FULL, MACHINES
from hw_sim.opening import HURRIED, SAMPLE, in_real_time, in_virtual_time
from vendd import log
from vendd.config import ConfigError

INTERRUPTED = 130


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hw_sim", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="a machine: to be used by hand, or by N customers")
    run.add_argument("--purchases", type=_count, metavar="N", help="customers to serve, then audit")
    run.add_argument("--seed", type=int, default=1, metavar="S", help="default 1")
    run.add_argument("--virtual", action="store_true", help="in virtual time: fast, repeatable")
    run.add_argument("--bootstrap", metavar="HOST:PORT", help="a Kafka of yours")
    run.add_argument("--config", type=Path, default=SAMPLE, metavar="FILE")
    run.add_argument(
        "--machine", choices=MACHINES, default=FULL, help=f"its payment devices, default {FULL}"
    )
    chaos = commands.add_parser("chaos", help="kill the daemon again and again, then audit")
    chaos.add_argument("--kills", type=_count, default=50, metavar="N", help="default 50")
    chaos.add_argument("--seed", type=int, default=1, metavar="S", help="default 1")
    explore = commands.add_parser("explore", help="whole histories from seeds, everything broken")
    campaign.add_arguments(explore)
    section9 = commands.add_parser("section9", help="sales cut at every instant, as a table")
    cuts.add_arguments(section9)
    bus = commands.add_parser("bus", help="what goes over the serial lines, in words")
    bus.add_argument(
        "--trace",
        nargs="?",
        type=Path,
        const=None,
        required=True,
        metavar="FILE",
        help="a recording of vendd (SIGUSR1 writes one); without FILE some simulated customers",
    )
    bus.add_argument("--all", action="store_true", help="idle polls one by one")
    bus.add_argument("--seed", type=int, default=1, metavar="S", help="default 1")
    bus.add_argument("--config", type=Path, default=SAMPLE, metavar="FILE")
    replay = commands.add_parser(
        "replay", help="play a recorded bus against the drivers, or decide a flight again"
    )
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="a bus recording of vendd, or of `vendd dump`"
    )
    replay.add_argument("--last", type=_count, metavar="N", help="of a flight: only so many lines")
    demo = commands.add_parser("demo-fleet", help="three machines and the backend behind them")
    demo.add_argument("--purchases", type=_count, default=3, metavar="N", help="each; default 3")
    fleet_options(commands.add_parser("fleet", help=FLEET_HELP))
    commands.add_parser("broker", help="the embedded Kafka alone")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 up")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 every promise kept, 1 a promise broken or a daemon that does not run,
    2 usage or configuration, 130 interrupted."""
    try:
        return _main(argv)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except (RuntimeError, OSError, KafkaException) as error:
        print(f"hw_sim: {error}", file=sys.stderr)
        return 1


def _main(argv: Sequence[str] | None) -> int:
    parser = arguments()
    options = parser.parse_args(argv)
    if options.command == "broker":
        from hw_sim.broker import serve

        serve()
        return 0
    if options.command == "demo-fleet":
        log.configure(level="critical")
        return int(importlib.import_module("hw_sim.fleet_demo").main(options.purchases))
    if options.command == "fleet":
        return int(importlib.import_module("hw_sim.fleet.command").main(options))
    if options.command in ("bus", "replay"):
        return _recording(options)
    if options.command == "explore":
        return campaign.main(options)
    if options.command == "section9":
        return cuts.main(options)
    if options.command == "chaos":
        chaos = importlib.import_module("hw_sim.chaos")
        return int(chaos.main(kills=options.kills, seed=options.seed))
    if options.virtual and (options.purchases is None or options.bootstrap):
        parser.error("--virtual needs --purchases, and brings a Kafka of its own")
    bootstrap = options.bootstrap or os.environ.get("KAFKA_BOOTSTRAP") or None
    log.configure(level="critical")
    if options.virtual:
        from hw_sim.loop import run_virtual

        return run_virtual(_virtual_day(options))
    if options.purchases is None:
        _stoppable(_by_hand(options, bootstrap))
        return 0
    status = _stoppable(_real_day(options, bootstrap))
    return INTERRUPTED if status is None else status


def _recording(options: argparse.Namespace) -> int:
    from hw_sim.recorded_bus import show_file, show_live

    log.configure(level="critical")
    if options.command == "replay":
        return _replay(options.file, options.last)
    if options.trace is None:
        return show_live(options.config, options.seed, every=options.all)
    return show_file(options.trace, every=options.all)


def _replay(file: Path, last: int | None) -> int:
    from hw_sim.replay import flight, flight_file, stage

    if flight_file.is_flight(file):
        return flight.replay_file(file, last)
    return stage.replay_file(file)


async def _virtual_day(options: argparse.Namespace) -> int:
    from hw_sim.shop import Shop, report

    seed, purchases = options.seed, options.purchases
    async with in_virtual_time(options.config, seed, purchases, machine=options.machine) as machine:
        _announce(machine.config.machine.id, f"virtual time, seed {seed}")
        shop = Shop(machine, seed, patient=True)
        return report(await shop.day(purchases), shop)


async def _real_day(options: argparse.Namespace, bootstrap: str | None) -> int:
    from hw_sim.shop import Shop, report

    seed, purchases = options.seed, options.purchases
    async with in_real_time(
        options.config, seed, bootstrap=bootstrap, sale=HURRIED, machine=options.machine
    ) as machine:
        _announce(machine.config.machine.id, f"real time, seed {seed}")
        changed = ", ".join(f"{key} {value}" for key, value in HURRIED.items())
        print(f"Kafka at {machine.bootstrap}. Hurried: {changed}.")
        print(f"  kcat -b {machine.bootstrap} -t transaction-events -C -e -J\n", flush=True)
        shop = Shop(machine, seed, patient=False, say=_say)
        return report(await shop.day(purchases), shop)


async def _by_hand(options: argparse.Namespace, bootstrap: str | None) -> int:
    from hw_sim.by_hand import by_hand

    async with in_real_time(
        options.config, options.seed, bootstrap=bootstrap, machine=options.machine
    ) as machine:
        _announce(machine.config.machine.id, "real time")
        await by_hand(machine)
    return 0


def _announce(machine: str, how: str) -> None:
    print(f"SIMULATED machine {machine}: {how}. No real money, no real motors.", flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


def _stoppable(work: Coroutine[Any, Any, int]) -> int | None:
    """Run it; Ctrl-C, SIGTERM and SIGHUP end it in order (None)."""

    async def guarded() -> int | None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            print("stopped.", flush=True)
            return None

    return asyncio.run(guarded())


if __name__ == "__main__":
    sys.exit(main())
