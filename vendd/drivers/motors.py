"""The spiral motors: one turn at a time, under deadlines that nothing can postpone (L3).

Deadlines and heartbeat hang on one chain of loop timers, never behind a commit. The heartbeat
line retriggers a hardware one-shot that holds the motor supply; it gets an edge every 100 ms
while a motor turns and only from the tick that checks the deadlines. So if the loop itself
hangs, the edges stop and the hardware drops the supply within 500 ms, whatever the lines say.
When a stalled loop comes back, edges of the home switch that were missed are read by their own
times: a cam that passed home meanwhile ends the turn at once and is not turned a second time.

Is NOT responsible for extra turns, drop sensor or whether something was delivered.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from vendd.core.sale.reports import FaultEnded, FaultStarted, LeftHome, TurnEnded, TurnResult
from vendd.drivers.cam import Cam
from vendd.drivers.motor_layout import MotorLayout, open_lines
from vendd.drivers.pins import Output, OutputLine, PinFactory, PinTrouble
from vendd.ports import Sink

_SAMPLE_S = 0.008
"""Coupled motors on a shared sense line are asked one by one: 1.2 degrees of a 2.5 s turn."""
_BLIND_S = 0.1
"""A longer gap between two samples may have hidden a whole home notch: the turn is stopped."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """Milliseconds. Both deadlines count from the start of the turn."""

    leave_home_ms: int = 800
    home_ms: int = 6_000
    settle_ms: int = 60  # from power off until the cam stands still
    beat_ms: int = 100  # between heartbeat edges
    enable_dead_ms: int = 500  # after the last edge the motor supply is certainly off


@dataclass(slots=True)
class _Turn:
    attempt_id: str
    motors: tuple[str, ...]
    started: float
    cams: dict[str, Cam] = field(default_factory=dict)
    by_edges: bool = True
    powered: bool = False  # the supply got its first edge: from here on something may have moved
    left: bool = False
    trouble: bool = False
    next_beat: float = 0.0
    last_sample: float = 0.0
    result: TurnResult | None = None
    ran_ms: int = 0
    tick: asyncio.TimerHandle | None = None
    checks: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def cancel(self) -> None:
        for timer in (self.tick, *self.checks.values()):
            if timer is not None:
                timer.cancel()


class SpiralMotors:
    """Implements `ports.Motors` on the lines of a layout.

    LeftHome is reported once per turn, when the first of its motors shows 'not home' (at once
    if it stood off home). Each motor of a coupled slot is switched off at its own home. One
    that never leaves while its neighbour did ends the turn as NO_HOME, everything off.
    GPIO trouble: all lines off, turn NOT_STARTED or STOPPED, and fault ``gpio``/``motors``.
    """

    def __init__(
        self,
        layout: MotorLayout,
        limits: TurnLimits,
        factory: PinFactory,
        loop: asyncio.AbstractEventLoop,
        sink: Sink,
    ) -> None:
        self._layout = layout
        self._limits = limits
        self._loop = loop
        self._sink = sink
        self._turn: _Turn | None = None
        self._closed = False
        self._faulty = False
        self._lines = open_lines(layout, factory, loop, self._edge)
        self._heartbeat: Output | None = None
        if layout.heartbeat is not None:
            try:
                self._heartbeat = Output(factory, OutputLine(layout.heartbeat))
            except PinTrouble:
                self._lines.close()
                raise
        self._last_beat = loop.time()  # opening the line may have been an edge

    # --- the port -----------------------------------------------------------

    def turn(self, attempt_id: str, motors: tuple[str, ...]) -> None:
        busy = self._turn is not None or self._closed
        if busy or not self._layout.together(motors):
            self._sink.put(TurnEnded(attempt_id, TurnResult.NOT_STARTED, at_home=False))
            return
        now = self._loop.time()
        turn = _Turn(attempt_id, tuple(motors), started=now, next_beat=now, last_sample=now)
        self._turn = turn
        with self._safely(turn):
            self._lines.power(turn.motors)
            turn.by_edges = self._lines.told_by_edges(turn.motors)
            for motor in turn.motors:
                turn.cams[motor] = Cam(self._lines.at_home(motor), now)
                if turn.by_edges:
                    self._check_when_due(turn, motor)
            turn.powered = True
            self._tick(turn)

    def stop(self) -> None:
        turn = self._turn
        if turn is not None and turn.result is None:
            self._end(turn, TurnResult.STOPPED)
        elif not self._closed:
            self._all_off()

    async def at_home(self, motor: str) -> bool | None:
        """Waits until the motor supply is certainly off, for a matrix selects what it reads."""
        if motor not in self._layout.names():
            return None
        while not self._closed and self._turn is None:
            wait = self._last_beat + self._limits.enable_dead_ms / 1000 - self._loop.time()
            if wait <= 0:
                return self._read_home(motor)
            await asyncio.sleep(wait)
        return None

    def close(self) -> None:
        """Everything off and released; a turn under way ends as STOPPED before this returns.
        Raises `PinTrouble` when that was tried with every line and one of them failed."""
        if self._closed:
            return
        self.stop()
        self._closed = True
        if self._turn is not None:
            self._turn.cancel()
            self._finish(self._turn)
        try:
            self._lines.close()
        finally:
            if self._heartbeat is not None:
                self._heartbeat.close()

    # --- the turn -------------------------------------------------------------

    def _tick(self, turn: _Turn) -> None:
        with self._safely(turn):
            now = self._loop.time()
            if not turn.by_edges:
                self._sample(turn, now)
            if turn.result is None:
                self._check_deadline(turn, now)
            if turn.result is not None:
                return
            if now >= turn.next_beat:
                self._beat(now)
                turn.next_beat = now + self._limits.beat_ms / 1000
            soonest = min(turn.next_beat, self._deadline(turn))
            if not turn.by_edges:
                soonest = min(soonest, now + _SAMPLE_S)
            turn.tick = self._loop.call_at(soonest, self._tick, turn)

    def _deadline(self, turn: _Turn) -> float:
        all_left = all(cam.left for cam in turn.cams.values())
        ms = self._limits.home_ms if all_left else self._limits.leave_home_ms
        return turn.started + ms / 1000

    def _check_deadline(self, turn: _Turn, now: float) -> None:
        if now >= self._deadline(turn):
            self._end(turn, TurnResult.NO_HOME if turn.left else TurnResult.NEVER_LEFT)

    def _beat(self, now: float) -> None:
        if self._heartbeat is not None:
            self._heartbeat.write(not self._heartbeat.on)
        self._last_beat = now

    def _sample(self, turn: _Turn, now: float) -> None:
        if now - turn.last_sample > _BLIND_S:
            self._end(turn, TurnResult.STOPPED)
            return
        turn.last_sample = now
        for motor, cam in turn.cams.items():
            if not cam.home:
                cam.seen(self._lines.at_home(motor), now)
        self._progress(turn)

    def _edge(self, motor: str | None, level: bool, at: float) -> None:
        turn = self._turn
        if turn is None or turn.result is not None or not turn.by_edges or at < turn.started:
            return
        moved = turn.motors[0] if motor is None else motor
        cam = turn.cams.get(moved)
        if cam is None:
            return
        with self._safely(turn):
            cam.edge(level, at)
            self._progress(turn)
            if not cam.home:
                self._check_when_due(turn, moved)

    def _check_when_due(self, turn: _Turn, motor: str) -> None:
        if turn.result is not None:
            return
        earlier = turn.checks.pop(motor, None)
        if earlier is not None:
            earlier.cancel()
        turn.checks[motor] = self._loop.call_at(turn.cams[motor].due, self._check, turn, motor)

    def _check(self, turn: _Turn, motor: str) -> None:
        with self._safely(turn):
            now = self._loop.time()
            cam = turn.cams[motor]
            cam.confirm(self._lines.at_home(motor), now)
            self._progress(turn)
            if cam.due > now:
                self._check_when_due(turn, motor)

    def _progress(self, turn: _Turn) -> None:
        if not turn.left and any(cam.left for cam in turn.cams.values()):
            turn.left = True
            self._sink.put(LeftHome(turn.attempt_id))
        on_the_way = [motor for motor, cam in turn.cams.items() if not cam.home]
        if on_the_way:
            self._lines.power(on_the_way)
        else:
            self._end(turn, TurnResult.HOME)

    # --- the end ----------------------------------------------------------------

    def _end(self, turn: _Turn, result: TurnResult) -> None:
        if turn.result is not None:
            return
        turn.result = result
        turn.ran_ms = round((self._loop.time() - turn.started) * 1000) if turn.powered else 0
        turn.cancel()
        self._all_off()
        turn.tick = self._loop.call_later(self._limits.settle_ms / 1000, self._finish, turn)

    def _finish(self, turn: _Turn) -> None:
        assert turn.result is not None
        homes = [self._read_home(motor) for motor in turn.motors]  # all of them: each may fail
        self._turn = None
        if self._faulty and turn.powered and not turn.trouble:
            self._faulty = False
            self._sink.put(FaultEnded("gpio", "motors"))
        self._sink.put(
            TurnEnded(turn.attempt_id, turn.result, at_home=all(homes), ran_ms=turn.ran_ms)
        )

    def _read_home(self, motor: str) -> bool | None:
        try:
            return self._lines.at_home(motor)
        except PinTrouble as error:
            self._fault(str(error))
            self._all_off()
            return None

    def _all_off(self) -> None:
        try:
            self._lines.off()
        except PinTrouble as error:
            self._fault(str(error))

    def _fault(self, detail: str) -> None:
        if self._turn is not None:
            self._turn.trouble = True
        if not self._faulty:
            self._faulty = True
            self._sink.put(FaultStarted("gpio", "motors", detail))

    @contextmanager
    def _safely(self, turn: _Turn) -> Iterator[None]:
        """Whatever goes wrong inside, GPIO or our own mistake: off, and the turn has an end."""
        clean = False
        try:
            yield
            clean = True
        except PinTrouble as error:
            self._fault(str(error))
        finally:
            if not clean:
                self._end(turn, TurnResult.STOPPED if turn.powered else TurnResult.NOT_STARTED)
