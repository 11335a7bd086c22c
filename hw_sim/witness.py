"""Instants that only physics knows: when a cam left home, when a product had passed the beam."""

from dataclasses import dataclass
from typing import Final

from hw_sim.cabinet import Cabinet
from hw_sim.supply import Current

ONE_TURN_S: Final = 2.5  # a motor's currents nearer than this are one turn: the supply dropped


@dataclass(slots=True)
class Turn:
    """A motor had current, or (`end` None) has it. `left_at`: its cam left home. Loop seconds."""

    motor: str
    begin: float
    end: float | None
    left_at: float | None = None


class Witness:
    """Watches one cabinet from its construction on. Make it outside any life."""

    def __init__(self, cabinet: Cabinet) -> None:
        self.drops: list[float] = []  # ends of interruptions of the beam
        self.left: list[tuple[str, float]] = []  # (motor, when its cam left home under power)
        self._cabinet = cabinet
        plan = cabinet.plan
        self._homes = {motor.home for motor in plan.motors}
        self._drop_pin = plan.drop.pin if plan.drop is not None else None
        self._drop_free = int(plan.drop.active_low) if plan.drop is not None else 0
        self._off_home = int(plan.home_active_low)
        cabinet.header.watch(self._edge)

    def turns(self, since: float = 0.0) -> list[Turn]:
        """Turns that began at `since` or later, each once although its current was interrupted."""
        turns: list[Turn] = []
        for current in self._cabinet.currents.intervals:
            if current.end == current.begin:
                continue  # a matrix selects a motor to read its cam, and nothing moves
            if not self._joined(turns, current):
                turns.append(Turn(current.motor, current.begin, current.end))
        for turn in turns:
            turn.left_at = next(
                (at for m, at in self.left if m == turn.motor and self._within(at, turn)), None
            )
        return [turn for turn in turns if turn.begin >= since]

    @staticmethod
    def _joined(turns: list[Turn], current: Current) -> bool:
        last = next((t for t in reversed(turns) if t.motor == current.motor), None)
        if last is None or last.end is None or current.begin - last.end > ONE_TURN_S:
            return False
        last.end = current.end
        return True

    @staticmethod
    def _within(at: float, turn: Turn) -> bool:
        return turn.begin <= at and (turn.end is None or at <= turn.end)

    def _edge(self, pin: int, level: int, when: float) -> None:
        if pin == self._drop_pin and level == self._drop_free:
            self.drops.append(when)
        elif pin in self._homes and level == self._off_home:
            for plan in self._cabinet.plan.motors:
                motor = self._cabinet.motor(plan.name)
                if plan.home == pin and motor.powered and not motor.contact:
                    self.left.append((plan.name, when))
