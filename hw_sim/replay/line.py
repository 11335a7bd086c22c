"""The serial line of a replay: hears the real driver, answers as recorded."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from hw_sim.replay.exchanges import Answers, Exchange, Loss, Opening, Recording
from hw_sim.replay.script import Divergence, Script
from vendd.ports import Wire, WireLost
from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.words import ADDRESS
from vendd.wire.qibixx import FENCE, GREETING
from vendd.wire.words import request_of

_LATE_S: Final = 0.5
_USUAL_S: Final = 0.008  # of a poll that is answered with ACK
_VERSION: Final[Answers] = [(0.001, b"m,ACK\nv,replay\n")]
_IDLE: Final[Answers] = [(_USUAL_S, b"p,ACK\n")]
_NONE_PAID: Final[dict[bytes, Answers]] = {  # an ACK would say "finished"
    cd.PAYOUT_VALUE_POLL: [(_USUAL_S, b"p,00\n")],
    bd.PAYOUT_VALUE_POLL: [(_USUAL_S, b"p,0000\n")],
}


class ReplayedLine:
    """`open` is a `ports.WireOpener`. `answered` is called after each answer of a device,
    `diverged` at most once; after it nothing is answered any more."""

    def __init__(
        self,
        recording: Recording,
        scripts: dict[int, Script],
        answered: Callable[[], None],
        diverged: Callable[[Divergence], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._scripts = scripts
        self._openings: deque[Opening] = deque(recording.openings)
        self._end = recording.end
        self._answered = answered
        self._diverged = diverged
        self._fences: deque[Answers] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        self._received: Callable[[bytes], None] | None = None
        self._lost: Callable[[Exception], None] | None = None
        self._greeting: Answers = []
        self._stopped = False
        self._flying = False
        self._losses: deque[Loss] = deque(recording.losses)
        for loss in recording.losses:
            self._loop.call_at(loss.at + (_LATE_S if loss.during else 0.0), self._die, loss)

    def open(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire:
        """As recorded; where the recording knows no (more) opening, it succeeds."""
        opening = self._openings.popleft() if self._openings else None
        if opening is not None and opening.refused:
            raise WireLost(opening.refused)
        self._greeting = opening.greeting if opening is not None else []
        self._received, self._lost = received, lost
        return self

    def close(self) -> None:
        self._received = self._lost = None
        self._flying = False
        self._hush()

    def write(self, data: bytes) -> None:
        """One line of the bus: a request, the fence, or the greeting."""
        command = request_of(data.strip(b"\n"))
        if command is not None:
            self._request(command)
        elif data == GREETING:
            self._play(self._greeting or _VERSION)
        elif data == FENCE:
            self._play(self._fences.popleft() if self._fences else _VERSION)

    def _request(self, command: bytes) -> None:
        self._fences.clear()
        self._flying = True
        if self._stopped:
            return
        script = self._scripts[command[0] & ADDRESS]
        found = script.take(command, self._loop.time())
        if isinstance(found, Divergence):
            self._part(found)
        elif found is None:
            self._play(_NONE_PAID.get(command, _IDLE))
        else:
            loss = self._losses[0] if self._losses else None
            if loss is not None and loss.during is found:
                self._loop.call_later(loss.at - found.at, self._die, loss)
            self._fences.extend(found.steps[1:])
            self._play(found.steps[0])

    def _part(self, found: Divergence) -> None:
        if self._loop.time() > self._end and found.recorded is None:
            self._play(_IDLE)  # the driver lives on; the recording does not
            return
        self._stopped = True
        self._diverged(found)

    def _play(self, answers: Answers) -> None:
        self._timers = [self._loop.call_later(after, self._deliver, d) for after, d in answers]

    def _deliver(self, data: bytes) -> None:
        if self._received is not None:
            self._flying = False
            self._received(data)
            self._answered()

    def _die(self, loss: Loss) -> None:
        """At most once for each loss; not under an exchange where it was under none."""
        if not self._losses or self._losses[0] is not loss:
            return
        if loss.during is None and self._flying and self._loop.time() < loss.at + _LATE_S:
            self._loop.call_later(_USUAL_S, self._die, loss)
            return
        self._losses.popleft()
        lost = self._lost
        self.close()
        if lost is not None:
            lost(WireLost(loss.why))

    def _hush(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []


def by_device(exchanges: list[Exchange]) -> dict[int, Script]:
    """One script for each address."""
    devices: dict[int, list[Exchange]] = {}
    for it in exchanges:
        devices.setdefault(it.address, []).append(it)
    return {address: Script(theirs) for address, theirs in devices.items()}
