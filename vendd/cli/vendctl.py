"""The command ``vendctl``: everything a technician needs, at the machine and without a network."""

import functools
import sys
from collections.abc import Sequence
from typing import Final

import click

from vendd import __version__
from vendd.cli.commands import looking, owed, service, stock, stream, testing
from vendd.cli.exits import Exit, Failure
from vendd.cli.output import Output


@functools.cache
def group() -> click.Group:
    """All commands."""
    whole = click.Group(
        "vendctl",
        help=_HELP,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    click.version_option(__version__, prog_name="vendctl")(whole)
    for subject in (looking, service, stock, owed, stream, testing):
        subject.add(whole)
    return whole


_HELP: Final = """Work on the machine that this controller runs: see what it says, refill, count,
settle. Needs no network, only the daemon.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the daemon did not answer in time, 4 refused by
the machine's state, 5 a hardware fault was found, 6 not authorised, 8 no daemon runs, 10 no such
slot or number.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(_named(words), "--json" in words)
    try:
        with group().make_context("vendctl", list(words)) as context:
            return _run(context, output)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        remedy = f"{error.ctx.command_path} --help" if error.ctx is not None else ""
        output.failed(Failure(Exit.USAGE, error.format_message(), remedy))
        return Exit.USAGE
    except click.Abort:
        output.failed(Failure(Exit.ERROR, "nothing was done", code="not_confirmed"))
        return Exit.ERROR
    except KeyboardInterrupt:
        return Exit.ERROR


def _run(context: click.Context, output: Output) -> int:
    try:
        context.command.invoke(context)
    except Failure as failure:
        output.failed(failure)
        return failure.exit
    return Exit.OK


def _named(words: list[str]) -> str:
    """The command that was meant, for a message about one that could not be understood."""
    return " ".join(word for word in words[:2] if not word.startswith("-")) or "vendctl"


if __name__ == "__main__":
    sys.exit(main())
