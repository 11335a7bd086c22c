"""Logging: JSON lines with journald's priorities in production, a readable console on a terminal.

Events are past-tense facts with fields (``log.info("motor turned", motor="A1")``). A field
whose name looks like a secret is never written. Logging can't stop the daemon: a log that
nobody reads any more loses lines, nothing else.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Callable
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""sd-daemon(3): the journal takes ``<n>`` at the start of a line as its priority."""

_SECRET: Final = re.compile(
    r"passw|secret|token|credential|authori[sz]ation|api_?key|^pin_?code$", re.IGNORECASE
)


def configure(
    *,
    level: str = "info",
    stream: TextIO | None = None,
    console: bool | None = None,
    now: Callable[[], str] | None = None,
    masked: Callable[[str], str] | None = None,
) -> None:
    """Set logging up once, at the start of a process.

    `stream` defaults to stderr, `console` to whether it is a terminal. `now` stamps lines
    (RFC 3339); without it they carry no time, as the journal adds its own. `masked` takes out of
    each line what must not be written, whoever said it.
    """
    out = sys.stderr if stream is None else stream
    on_console = out.isatty() if console is None else console
    numeric = logging.getLevelNamesMapping()[level.upper()]
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=out.isatty())]
        if on_console
        else [structlog.processors.format_exc_info, _prioritised]
    )
    stamp: list[Processor] = [] if now is None else [_Stamp(now)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *stamp,
            _no_secrets,
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=lambda *_names: _Lines(out, masked or str),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLibraries()]
    root.setLevel(max(numeric, logging.WARNING))  # libraries speak up for trouble only


class _Lines:
    """Writes each line with one call, so that lines of several threads never mix."""

    def __init__(self, stream: TextIO, masked: Callable[[str], str]) -> None:
        self._stream = stream
        self._masked = masked

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # reader gone, or stream closed
            self._stream.write(self._masked(message) + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Stamp:
    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {"time": self._now(), **event}


class _FromLibraries(logging.Handler):
    """What libraries log through the standard module, in the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        logger.log(record.levelno, "library logged", library=record.name, text=record.getMessage())


def _no_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {key: "(hidden)" if _SECRET.search(key) else value for key, value in event.items()}


_json = structlog.processors.JSONRenderer(ensure_ascii=False, default=repr)


def _prioritised(logger: WrappedLogger, name: str, event: EventDict) -> str:
    priority = PRIORITIES.get(str(event.get("level")), PRIORITIES["info"])
    rendered = _json(logger, name, event)
    text = rendered if isinstance(rendered, str) else rendered.decode()
    return f"<{priority}>{text}"
