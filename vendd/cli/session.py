"""What every command has: the options, the daemon, the way to print, and the question first."""

import functools
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import click

from vendd.cli.exits import Exit, Failure
from vendd.cli.local import Local
from vendd.cli.output import Data, Output, amount

SOCKET: Final = "/run/vendd/vendd.sock"
TIMEOUT_S: Final = 15.0
_EXPLAINED: Final = {
    "why": "the reason, for the audit journal",
    "preview": "say what would happen; change nothing",
    "yes": "do it without asking (in scripts)",
}


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one command."""

    local: Local
    output: Output

    def show(self, data: Data, words: Callable[[Data], Iterable[str]]) -> None:
        self.output.show(data, words)

    def order(self, path: str, body: Data, order: "OrderOptions") -> Data:
        """Ask first where asking is due, then have it done. The answer."""
        whole = {**body, "why": order.why, "preview": order.preview}
        return self.local.post(path, whole)

    def done(self, path: str, body: Data, order: "OrderOptions") -> None:
        """`order`, and print what came of it."""
        self.show(self.order(path, body, order), changes)


@dataclass(frozen=True, slots=True)
class OrderOptions:
    why: str
    preview: bool
    yes: bool

    def confirm(self, question: str) -> None:
        """On a terminal it is asked; a script has to say --yes. Raises `Failure`."""
        if self.preview or self.yes:
            return
        if not sys.stdin.isatty():
            raise Failure(Exit.USAGE, f"{question} A script has to say so", "add --yes")
        if not click.confirm(question, err=True):
            raise Failure(Exit.ERROR, "nothing was done", code="not_confirmed")


def changes(data: Data) -> Iterable[str]:
    """The changes of an order in words."""
    if data["preview"]:
        yield "dry run, nothing was changed:"
    for change in data["changes"]:
        before, after = _shown(change["before"]), _shown(change["after"])
        yield f"{change['what']} {change['field']}: {before} -> {after}"
    if data["said"] and not data["preview"]:
        yield data["said"]
    if not data["changes"] and not data["said"]:
        yield "nothing to change"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def command(group: click.Group, name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of `group` whose function gets a `Session` first."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(as_json: bool, socket: str, timeout: float, **options: Any) -> None:
            context = click.get_current_context()
            words = context.command_path.split(" ", 1)
            output = Output(words[1] if len(words) > 1 else name, as_json)
            context.obj = output
            function(Session(Local(socket, timeout), output), **options)

        for option in _OPTIONS:
            run = option(run)
        return group.command(name)(run)

    return decorate


_OPTIONS: Final = (
    click.option("--json", "as_json", is_flag=True, help="print the versioned JSON envelope"),
    click.option(
        "--socket",
        default=lambda: os.environ.get("VENDD_SOCKET", SOCKET),
        show_default=SOCKET,
        metavar="PATH",
        help="where vendd listens",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 600),
        default=TIMEOUT_S,
        show_default=True,
        metavar="SECONDS",
        help="how long to wait for an answer",
    ),
)


def orders(function: Callable[..., None]) -> Callable[..., None]:
    """Adds --why, --dry-run and --yes; the function gets them as one `OrderOptions`."""

    @functools.wraps(function)
    def run(session: Session, why: str, preview: bool, yes: bool, **options: Any) -> None:
        function(session, OrderOptions(why, preview, yes), **options)

    run = click.option("--yes", is_flag=True, help=_EXPLAINED["yes"])(run)
    run = click.option("--dry-run", "preview", is_flag=True, help=_EXPLAINED["preview"])(run)
    return click.option("--why", default="", metavar="TEXT", help=_EXPLAINED["why"])(run)


__all__ = ["OrderOptions", "Session", "amount", "changes", "command", "orders"]
