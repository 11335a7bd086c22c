"""The life of one consumer: read, commit, and wait where Kafka or the database is away."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from vendd.fleet.clock import Clock
from vendd.fleet.database import DatabaseDown
from vendd.fleet.pump import Fenced, Handled, Part, Pump
from vendd.fleet.stream import BrokerDown, Stream

BATCH: Final = 5_000
READ_S: Final = 0.5
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
CAUGHT_UP_MS: Final = 5_000
Said = Callable[[str], None]


class Observer(Protocol):
    """Hears how the consumer does."""

    def batch(self, handled: Handled, seconds: float, age_s: float) -> None:
        """Committed, in so many seconds; its newest record is `age_s` old."""

    def lags(self, lags: Mapping[Part, int]) -> None:
        """Records not read yet, by partition."""


class Service:
    """Runs until `stop` is set. `begin` makes the pump once Kafka and the database answer, in
    whatever order they were started; `turns` are called between batches, at least every
    `READ_S`."""

    def __init__(
        self,
        stream: Stream,
        begin: Callable[[], Pump],
        clock: Clock,
        stop: threading.Event,
        said: Said,
        observer: Observer,
        turns: Sequence[Callable[[], None]],
    ) -> None:
        self._stream = stream
        self._begin = begin
        self._clock = clock
        self._stop = stop
        self._said = said
        self._observer = observer
        self._turns = turns
        self._failed_in_a_row = 0
        self._caught_up_ms = 0

    def run(self) -> None:
        pump: Pump | None = None
        while not self._stop.is_set():
            try:
                if pump is None:
                    pump = self._begin()
                    self._stream.revoked = pump.revoked
                self._step(pump)
                for turn in self._turns:
                    turn()
                self._failed_in_a_row = 0
            except (DatabaseDown, BrokerDown, Fenced) as error:
                self._said(f"{error}; trying again")
                self._stream.replace()
                self._wait()

    def _step(self, pump: Pump) -> None:
        if self._stream.unplaced:
            self._stream.place(pump.assigned(self._stream.unplaced))
        records = self._stream.read(BATCH, READ_S)
        if records:
            begun_ms = self._clock.now_ms()
            handled = pump.take(records)
            self._stream.note(pump.positions)
            now_ms = self._clock.now_ms()
            seconds, age_s = (now_ms - begun_ms) / 1000, (now_ms - records[-1].stamp_ms) / 1000
            self._observer.batch(handled, seconds, age_s)
            for record, reason in handled.refused:
                self._said(f"{record.place}: refused: {reason}")
        if abs(self._clock.now_ms() - self._caught_up_ms) >= CAUGHT_UP_MS:
            self._note_end(pump)

    def _note_end(self, pump: Pump) -> None:
        """Where nothing is left to read, silence is the machines' own."""
        went_back = self._stream.went_back(pump.positions)
        if went_back:
            for part in sorted(went_back):
                self._said(
                    f"{part[0]}/{part[1]} ends before {pump.positions[part]}, where we stood: made"
                    " anew? It is read from its beginning"
                )
            pump.rewind(went_back)
            self._stream.replace()
            return
        lags = self._stream.lags(pump.positions)
        self._observer.lags(lags)
        ended = [part for part, lag in lags.items() if lag == 0]
        if ended:
            pump.caught_up(ended)
            self._caught_up_ms = self._clock.now_ms()

    def _wait(self) -> None:
        """Polls on, so that the group keeps us; what comes meanwhile is read again later. By
        polls, not by the time of day, which somebody may set."""
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._failed_in_a_row)
        self._failed_in_a_row = min(self._failed_in_a_row + 1, 16)
        for _ in range(int(wait_s / READ_S)):
            if self._stop.is_set():
                return
            self._stream.read(1, READ_S)
