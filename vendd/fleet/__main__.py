"""The command ``vendd-fleet``: the fleet's consumers and what operators ask of them.

Data on stdout, messages on stderr. Exit codes: 0 done and nothing wrong, 1 something is missing
or failed, 2 wrong usage or configuration.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vendd import __version__
from vendd.fleet.commands import consume, report
from vendd.fleet.database import DatabaseDown, DatabaseRefused, SchemaUnusable
from vendd.fleet.settings import Settings, SettingsError, load
from vendd.fleet.stream import BrokerDown

_FLAGS = {
    "database": "database",
    "bootstrap": "kafka.bootstrap",
    "topic_prefix": "kafka.topic_prefix",
    "group": "kafka.group",
    "metrics_port": "metrics.port",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = load(options.config, _flags(options))
        return _run(options, settings)
    except SettingsError as error:
        for problem in error.problems:
            _say(problem)
        count = len(error.problems)
        _say(f"{count} problem{'s' if count > 1 else ''}; nothing was started")
        return 2
    except (SchemaUnusable, DatabaseDown, DatabaseRefused, BrokerDown, ValueError) as error:
        _say(f"vendd-fleet: {error}")
        return 1


def _run(options: argparse.Namespace, settings: Settings) -> int:
    if options.command == "inventory":
        return consume.inventory(settings, _say)
    return report.report(settings, options.machine, as_json=options.json)


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    flags = {key: getattr(options, name) for name, key in _FLAGS.items()}
    if options.command not in _NEED_KAFKA and options.config is None and not options.bootstrap:
        flags["kafka.bootstrap"] = "unused:1"  # the database alone answers
    return flags


_NEED_KAFKA = frozenset({"inventory"})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vendd-fleet", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"vendd-fleet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _command(commands, "inventory", "keep the projection of stock, cash and machine state")
    told = _command(commands, "report", "what is missing, and whether everything adds up")
    told.add_argument("--machine", help="only this one")
    told.add_argument("--json", action="store_true", help="for programs")
    return parser


def _command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
    command.add_argument("--config", type=Path, metavar="FILE", help="fleet.toml")
    command.add_argument("--database", metavar="URL", help="postgresql://… or sqlite:///file")
    command.add_argument("--bootstrap", metavar="HOST:PORT", help="Kafka")
    command.add_argument("--topic-prefix", metavar="TEXT")
    command.add_argument("--group", metavar="NAME", help="prefix of the consumer groups")
    command.add_argument("--metrics-port", type=int, metavar="N", help="Prometheus; 0 is off")
    return command


if __name__ == "__main__":
    sys.exit(main())
