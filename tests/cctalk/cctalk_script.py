"""Conversations with a machine as tables: request, answer, news; written in hex.

A request is ``header data`` (``E5``, ``E7 FFFF``). An answer is ``ACK``, ``NAK``, ``BUSY``, ``-``
(silence), ``?`` (garbled) or data in hex.
"""

from collections.abc import Iterable
from math import inf
from typing import Any

from vendd.wire.cctalk.exchange import (
    ACKED,
    BUSIED,
    GARBLED,
    NAKED,
    SILENT,
    Answer,
    Reply,
    Request,
)
from vendd.wire.cctalk.news import News

WORDS = {"ACK": ACKED, "NAK": NAKED, "BUSY": BUSIED, "-": SILENT, "?": GARBLED}


def reply(text: str) -> Reply:
    return WORDS.get(text) or Reply(Answer.REPLY, bytes.fromhex(text))


def written(request: Request) -> str:
    head, data = f"{request.header:02X}", request.data.hex().upper()
    return f"{head} {data}" if data else head


class Script:
    """Drives a machine on a clock of its own. `usual`: answers for requests that no row names."""

    def __init__(self, machine: Any, usual: dict[str, str] | None = None) -> None:
        self.machine = machine
        self.now = 100.0
        self.usual = usual or {}
        self.asked: Request | None = None

    def ask(self) -> str:
        """The next request, when its time has come."""
        assert self.machine.wake_at != inf, "an answer is due"
        self.now = max(self.now, self.machine.wake_at)
        self.asked = self.machine.next(self.now)
        assert self.asked is not None
        return written(self.asked)

    def answer(self, text: str, took: float = 0.02) -> list[News]:
        self.now += took
        news: list[News] = self.machine.answered(reply(text), self.now)
        return news

    def row(self, request: str, text: str, *news: News) -> None:
        """The machine asks exactly that, and makes exactly that of the answer."""
        assert self.ask() == request
        assert self.answer(text) == list(news), request

    def rows(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self.row(*row)

    def until(self, request: str, limit: int = 2_000) -> list[News]:
        """Usual answers until it asks that; the answer to it is still due."""
        news: list[News] = []
        for _ in range(limit):
            asked = self.ask()
            if asked == request:
                return news
            news += self.answer(self.usual.get(asked, "ACK"))
        raise AssertionError(f"{request} never came; last: {asked}")

    def up(self, request: str) -> list[News]:
        """From power-on until `request` was answered as usual."""
        news = self.until(request)
        return news + self.answer(self.usual.get(request, "ACK"))
