"""The composition root: configuration -> hardware -> services -> engine, one TaskGroup."""

from vendd.daemon.edge import Edge, production
from vendd.daemon.life import Daemon
from vendd.daemon.main import main
from vendd.daemon.patience import StartRefused

__all__ = ["Daemon", "Edge", "StartRefused", "main", "production"]
