"""Sends delivered events again because a backend asked for them, behind everything that is new.

A piece at a time, and only while nothing else is to be sent. They carry the header ``replay``,
stand out of order, and are known by their seq.
"""

import asyncio
from functools import partial
from typing import Final

from vendd.links.message import message
from vendd.ports import Broker, DeliveryFailed, Outbox, Replay

PIECE: Final = 50
"""Events of a replay in front of which a new event may have to wait."""


class Replaying:
    """`wanted`: there may be a request, so `piece` is worth a look."""

    def __init__(self, outbox: Outbox, topic_prefix: str) -> None:
        self._outbox = outbox
        self._prefix = topic_prefix
        self.wanted = True
        self.sent = 0

    async def ask(self, from_seq: int, to_seq: int) -> Replay | None:
        """See `ports.Outbox.ask_replay`."""
        replay = await self._outbox.ask_replay(from_seq, to_seq)
        self.wanted = self.wanted or replay is not None
        return replay

    async def piece(self, broker: Broker) -> int:
        """Send the next piece and wait for its reports; the bytes that it had.

        What is refused for good is left out. Raises `DeliveryFailed` for anything else, and
        `StoreFailed`; then the same piece comes again.
        """
        replay = await self._outbox.next_replay()
        if replay is None:
            self.wanted = False
            return 0
        events = await self._outbox.read_again(replay, PIECE)
        if not events:  # pruned meanwhile
            await self._outbox.replayed(replay, replay.to_seq + 1, frozenset())
            return 0
        messages = [message(event, self._prefix, replay=True) for event in events]
        reports: list[asyncio.Future[DeliveryFailed | None]] = []
        for each in messages:
            reports.append(asyncio.get_running_loop().create_future())
            while not broker.send(each, partial(_resolve, reports[-1])):  # noqa: ASYNC110  # no event
                await asyncio.sleep(1.0)
        failures = await asyncio.gather(*reports)
        for failure in failures:
            if failure is not None and not failure.permanent:
                raise failure
        refused = frozenset(
            event.seq
            for event, failure in zip(events, failures, strict=True)
            if failure is not None
        )
        last = len(events) < PIECE
        await self._outbox.replayed(
            replay, replay.to_seq + 1 if last else events[-1].seq + 1, refused
        )
        self.sent += len(events) - len(refused)
        return sum(each.size() for each in messages)


def _resolve(
    future: "asyncio.Future[DeliveryFailed | None]", failure: DeliveryFailed | None
) -> None:
    if not future.done():
        future.set_result(failure)
