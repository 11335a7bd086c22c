"""The command ``vendd``: the daemon, and what is done to a machine without it.

``vendd --config FILE`` (or ``vendd run``) runs, ``vendd check`` explains a configuration,
``vendd safe`` switches every motor line off, ``vendd dump`` gives out what the flight recorder
has, ``vendd audit`` makes and verifies EVA-DTS reports. Exit codes: 0 done, 1 failed, 2 wrong
usage or configuration (nothing was started).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vendd import __version__
from vendd.cli import audit
from vendd.cli.check import check, report
from vendd.cli.dump import dump
from vendd.config import Config, ConfigError, load, salvage

DEFAULT = Path("/etc/vendd/vendd.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "check":
        return check(options.config)
    if options.command == "audit" and options.action == "verify":
        return _verify(options.file)
    try:
        config: Config | None = load(options.config)
    except ConfigError as error:
        report(error)
        # A file that was spoiled while the daemon ran must not keep a motor turning.
        config = salvage(options.config) if options.command == "safe" else None
    if config is None:
        return 2
    if options.command == "safe":
        return _safe(config)
    if options.command == "audit":
        return _export(config, options.out)
    return _dump(config, options.out) if options.command == "dump" else _run(config)


def _run(config: Config) -> int:
    from vendd.daemon import main as run

    return run(config)


def _dump(config: Config, out: Path | None) -> int:
    """Reads; the daemon may be running."""
    from vendd.store.ring import FOLDER, lines

    return dump(lines(Path(config.store.path) / FOLDER), out)


def _export(config: Config, out: Path | None) -> int:
    """The daemon must not be running: it alone has the books."""
    from vendd.daemon.audit_desk import export

    return audit.export(lambda: export(config), out)


def _verify(file: Path) -> int:
    from vendd.wire.evadts.reader import read

    return audit.verify(file, read)


def _safe(config: Config) -> int:
    """Runs after every exit of the daemon, however it ended. 1: some line may still be active."""
    from vendd.drivers.pins import PinTrouble, open_pin_factory
    from vendd.drivers.safe import safe_all
    from vendd.hardware import safe_lines

    gpio = config.gpio
    try:
        factory = open_pin_factory(gpio.factory, gpio.host, gpio.port)
    except PinTrouble as error:
        _say(f"NOT SAFE: {error}")
        return 1
    try:
        return 0 if safe_all(factory, safe_lines(config), _say) else 1
    finally:
        factory.close()


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vendd", description="The controller of one machine.")
    parser.add_argument("--version", action="version", version=f"vendd {__version__}")
    _config(parser, DEFAULT)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, help_ in (
        ("run", "run the machine (also without a command)"),
        ("check", "check a configuration and print what it means; starts nothing"),
        ("safe", "switch every motor and relay line off; the daemon must not be running"),
    ):
        # SUPPRESS: `vendd --config FILE check` keeps the file given before the command.
        _config(commands.add_parser(name, help=help_, description=help_), argparse.SUPPRESS)
    help_ = "write out the flight recording, for `python -m hw_sim replay`; changes nothing"
    command = commands.add_parser("dump", help=help_, description=help_)
    _config(command, argparse.SUPPRESS)
    command.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    _audit(commands.add_parser("audit", help="EVA-DTS reports of the books"))
    return parser


def _audit(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    help_ = "write the report of the books; the daemon must not be running; changes no counter"
    action = actions.add_parser("export", help=help_, description=help_)
    _config(action, argparse.SUPPRESS)
    action.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    help_ = "read a report of any maker, say what is wrong with it and where; 1: not sound"
    action = actions.add_parser("verify", help=help_, description=help_)
    action.add_argument("file", type=Path, metavar="FILE")


def _config(parser: argparse.ArgumentParser, default: Path | str) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default,
        help=f"default {DEFAULT}; FILE.d/*.toml are read over it",
    )


if __name__ == "__main__":
    sys.exit(main())
