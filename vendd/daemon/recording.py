"""The flight recorder of one life: beside the books, as big as configured.

`vendd dump` copies it out, also while the daemon runs; `python -m hw_sim replay FILE` shows it.
"""

import asyncio
from pathlib import Path

from vendd import __version__
from vendd.config import Config
from vendd.daemon.edge import Edge
from vendd.daemon.versions import Versions
from vendd.ports import Loaded
from vendd.services.flight import Flight, Journal, Life
from vendd.store import Ring
from vendd.store.ring import FOLDER


def journal_of(config: Config, edge: Edge, loop: asyncio.AbstractEventLoop) -> Journal | None:
    """None: this machine records nothing. Its owner closes it."""
    mib = config.store.flight_mib
    if edge.journal is None or not mib:
        return None
    return edge.journal(loop, Ring(Path(config.store.path) / FOLDER, mib << 20))


def flight_of(
    journal: Journal | None, config: Config, boot_id: str, loaded: Loaded, versions: Versions
) -> Flight | None:
    """What the engine tells of its reports, and what a reader has to know of this life."""
    if journal is None:
        return None
    return Flight(
        journal,
        Life(
            machine=config.machine.id,
            boot=loaded.boot_count,
            boot_id=boot_id,
            software=__version__,
            config_hash=versions.config_hash,
            planogram=versions.planogram,
            price=versions.price,
        ),
    )
