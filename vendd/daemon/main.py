"""The process around a life: logging, signals, exit code."""

import asyncio
import gc
import signal

import structlog

from vendd import log
from vendd.config import Config
from vendd.core.privacy import masked
from vendd.daemon.edge import Edge, production
from vendd.daemon.life import Daemon
from vendd.daemon.patience import StartRefused
from vendd.health import Supervisor

_log = structlog.get_logger()


def main(config: Config, edge: Edge | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0: stopped in order, 1: failed; the log says why."""
    log.configure(masked=masked)
    gc.collect()  # the classes that slotted dataclasses were made of
    gc.freeze()  # what was imported stays: a full collection in the middle of a sale skips it
    try:
        asyncio.run(_until_signal(config, edge or production(config)))
    except StartRefused as refusal:
        _log.critical("start_refused", why=str(refusal))
        return 1
    except Exception:  # noqa: BLE001 -- the supervisor: say why once, systemd starts us again
        _log.critical("daemon_failed", exc_info=True)
        return 1
    return 0


async def _until_signal(config: Config, edge: Edge) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    daemon = Daemon(config, edge, Supervisor())
    loop.add_signal_handler(signal.SIGUSR1, daemon.tracing.ask)
    await daemon.run(stop)
