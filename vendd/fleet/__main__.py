"""The command ``vendd-fleet``: the fleet's consumers and what operators ask of them.

Data on stdout, messages on stderr. Exit codes: 0 done and nothing wrong, 1 something is missing
or failed, 2 wrong usage or configuration.
"""

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vendd import __version__
from vendd.fleet.commands import alarm, consume, dlq, report
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
    match options.command:
        case "inventory":
            return consume.inventory(settings, _say)
        case "notify":
            return consume.notify(settings, _say)
        case "report":
            return report.report(settings, options.machine, as_json=options.json)
        case "alarms":
            return alarm.alarms(settings, as_json=options.json)
        case "ack":
            return alarm.ack(settings, options.number, options.by, as_json=options.json)
        case _:
            return _dlq(options, settings)


def _dlq(options: argparse.Namespace, settings: Settings) -> int:
    if options.what == "show":
        return dlq.show(settings, options.id, as_json=options.json)
    choice = dlq.Choice(
        tuple(getattr(options, "id", ())),
        options.topic,
        options.machine,
        None if getattr(options, "all_states", False) else "open",
    )
    if options.what == "list":
        return dlq.show_list(settings, choice, as_json=options.json)
    if not choice.ids and not options.all:
        raise ValueError(f"dlq {options.what}: name dead letters, or say --all")
    do = dlq.replay_chosen if options.what == "replay" else dlq.drop
    return do(settings, choice, yes=options.yes, as_json=options.json, said=_say)


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    flags = {key: getattr(options, name) for name, key in _FLAGS.items()}
    if options.command not in _NEED_KAFKA and options.config is None and not options.bootstrap:
        flags["kafka.bootstrap"] = "unused:1"  # the database alone answers
    return flags


_NEED_KAFKA = frozenset({"inventory", "notify", "dlq"})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vendd-fleet", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"vendd-fleet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _command(commands, "inventory", "keep the projection of stock, cash and machine state")
    _command(commands, "notify", "raise alarms and tell the admins")
    told = _command(commands, "report", "what is missing, and whether everything adds up")
    told.add_argument("--machine", help="only this one")
    _json(told)
    _json(_command(commands, "alarms", "what is wrong now"))
    taken = _command(commands, "ack", "take care of an alarm: nobody else is told of it")
    taken.add_argument("number", type=int, help="as it stands in the message")
    taken.add_argument("--by", default=getpass.getuser(), metavar="NAME", help="default: you")
    _json(taken)
    _dlq_parser(commands)
    return parser


def _dlq_parser(commands: Any) -> None:
    letters = commands.add_parser("dlq", help="dead letters: list, show, replay, drop")
    inner = letters.add_subparsers(dest="what", metavar="WHAT", required=True)
    listed = _command(inner, "list", "those that wait")
    listed.add_argument("--all-states", action="store_true", help="also replayed and dropped ones")
    shown = _command(inner, "show", "headers and data of one")
    shown.add_argument("id", help="as in the list: TOPIC/PARTITION/OFFSET")
    for name, help_ in (
        ("replay", "send them to the topics that they were meant for, under the same id"),
        ("drop", "nobody needs them any more"),
    ):
        done = _command(inner, name, help_)
        done.add_argument("id", nargs="*", help="as in the list")
        done.add_argument("--all", action="store_true", help="all that wait and match")
        done.add_argument("--yes", action="store_true", help="do it without asking")
        _chosen(done)
    _chosen(listed)
    _json(shown)


def _chosen(command: argparse.ArgumentParser) -> None:
    command.add_argument("--topic", help="only those meant for this topic")
    command.add_argument("--machine", help="only those of this machine")
    _json(command)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="for programs")


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
