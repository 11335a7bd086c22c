"""The dispensing service: starts decided turns and asks the motors what happened after silence.

Is NOT responsible for deadlines of a turn (the driver's, L3) or for what counts as delivered.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.reports import Report, TurnEnded, TurnResult
from vendd.ports import Motors, Sink

SILENCE_S: Final = 20.0
"""Longer than any driver's limits: by then a turn must have been reported as over."""

_log = structlog.get_logger()


class Dispensing:
    """One motor driver. A turn is started once and never repeated by itself."""

    def __init__(self, motors: Motors, sink: Sink, loop: asyncio.AbstractEventLoop) -> None:
        self._motors = motors
        self._sink = sink
        self._loop = loop
        self._silence: asyncio.TimerHandle | None = None
        self._turning: TurnMotor | None = None
        self._asking: asyncio.Task[None] | None = None

    def turn(self, act: TurnMotor) -> None:
        """Start one turn; its `TurnEnded` comes from the driver, or from here after silence."""
        self._turning = act
        self._silence = self._loop.call_later(SILENCE_S, self._silent)
        self._motors.turn(act.attempt_id, act.motors)

    def heard(self, report: Report) -> None:
        """The engine passes what comes in; the end of the turn ends the wait."""
        if isinstance(report, TurnEnded) and self._silence is not None:
            self._silence.cancel()
            self._silence = self._turning = None

    async def homes(self, motors: Iterable[str]) -> tuple[tuple[str, bool | None], ...]:
        """Home switches of motors at rest, for recovery."""
        return tuple([(motor, await self._motors.at_home(motor)) for motor in motors])

    def stop(self) -> None:
        """Everything off, now."""
        self._motors.stop()

    def _silent(self) -> None:
        act = self._turning
        if act is None:
            return
        _log.error("motor_driver_silent", attempt=act.attempt_id)
        self._motors.stop()
        self._asking = self._loop.create_task(self._ask(act))

    async def _ask(self, act: TurnMotor) -> None:
        homes = await self.homes(act.motors)
        at_home = all(home is True for _, home in homes)
        self._sink.put(TurnEnded(act.attempt_id, TurnResult.STOPPED, at_home))
