"""The composition root: configuration -> hardware -> services -> engine, one TaskGroup."""

from vendd.daemon.edge import Edge, production
from vendd.daemon.life import Daemon, StartRefused
from vendd.daemon.main import main

__all__ = ["Daemon", "Edge", "StartRefused", "main", "production"]
