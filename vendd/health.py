"""Telling systemd how we are: READY, STATUS, and a watchdog fed only by real progress.

The watchdog is the slow net (30 s): it is fed while the engine handles reports,
the bus moves and the writer answers. A one-second stall of the card is none of
its business; motors have their own, faster net (L3).
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from typing import Final

import structlog

FEED_S: Final = 5.0
_log = structlog.get_logger()


class Supervisor:
    """sd_notify(3) without a library: one datagram each. Silent where there is no systemd."""

    def __init__(self, address: str | None = None) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET") if address is None else address

    def tell(self, text: str) -> None:
        """``READY=1``, ``STATUS=...``, ``WATCHDOG=1``, ``STOPPING=1``."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        with socket.socket(socket.AF_UNIX, kind) as line:  # a full queue must not stop the loop
            try:
                line.sendto(text.encode(), address)
            except OSError as error:
                _log.warning("supervisor_not_reached", why=str(error))


async def watch(
    supervisor: Supervisor,
    checks: Mapping[str, Callable[[], bool]],
    nudge: Callable[[], None],
) -> None:
    """Feed the watchdog while every check holds; say once which one stopped holding."""
    said: tuple[str, ...] = ()
    while True:
        nudge()
        await asyncio.sleep(FEED_S)
        stalled = tuple(name for name, holds in checks.items() if not holds())
        if not stalled:
            supervisor.tell("WATCHDOG=1")
        elif stalled != said:
            _log.error("progress_stalled", of=list(stalled))
            supervisor.tell(f"STATUS=no progress: {', '.join(stalled)}")
        said = stalled
