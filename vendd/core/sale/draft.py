"""A decision while it is being made: the state so far, what to record, what to do then."""

from dataclasses import replace
from typing import Any, Final, Literal

from vendd.core.policy import Policy
from vendd.core.rows import Record
from vendd.core.sale.acts import Act, Arm, Disarm
from vendd.core.sale.pieces import (
    Customer,
)
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    ClaimShown,
    Notice,
    Phase,
    State,
)
from vendd.core.sale.transitions import PHASE_TIMER, TRANSITIONS
from vendd.core.snapshot import Snapshot

READ_MS: Final = 5_000  # to read a reference before a key may take it away


class Draft:
    """Mutable only inside one `step`. `world` is the snapshot with the records so far applied."""

    def __init__(self, state: State, snapshot: Snapshot) -> None:
        self.state = state
        self.world = snapshot
        self.records: list[Record] = []
        self.acts: list[Act] = []

    @property
    def policy(self) -> Policy:
        return self.world.policy

    @property
    def now_ms(self) -> int:
        """Uptime of the report."""
        return self.world.now.uptime_ms

    @property
    def shut(self) -> bool:
        """Out of service, by the service machine's reasons or the sale machine's own."""
        return bool(self.world.out_of_service or self.state.locked)

    @property
    def selling(self) -> bool:
        """In service and the door closed."""
        return not self.shut and not self.world.door_open

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def record(self, *records: Record) -> None:
        self.records.extend(records)
        self.world = self.world.after(records)

    def do(self, *acts: Act) -> None:
        self.acts.extend(acts)

    def arm(self, timer: Timer, ms: int) -> None:
        self.acts.append(Arm(timer, ms))

    def disarm(self, timer: Timer) -> None:
        self.acts.append(Disarm(timer))

    def go(self, phase: Phase, timer_ms: int | None = None) -> None:
        """Enter a phase (the transition must be one of the rules); its timer starts anew."""
        old, new = type(self.state.phase), type(phase)
        assert new is old or new in TRANSITIONS[old], f"{old.__name__} -> {new.__name__}"
        old_timer, new_timer = PHASE_TIMER.get(old), PHASE_TIMER.get(new)
        if old_timer is not None and (old_timer is not new_timer or timer_ms is None):
            self.disarm(old_timer)
        if new_timer is not None and timer_ms is not None:
            self.arm(new_timer, timer_ms)
        if old is ClaimShown and new is not ClaimShown:
            self._read()
        self.set(phase=phase)
        if isinstance(phase, ClaimShown):
            self.to_be_read()

    def update(self, phase: Phase) -> None:
        """The same phase with more known about it; its timer runs on."""
        assert type(phase) is type(self.state.phase)
        self.set(phase=phase)

    def say(
        self, text: str, ms: int, *, selection: str = "", amount: int = 0, ref: str = ""
    ) -> None:
        """A passing message for `ms`."""
        self.set(notice=Notice(text, selection, amount, ref))
        self.arm(Timer.NOTICE, ms)
        if ref:
            self.to_be_read()

    def to_be_read(self) -> None:
        """A reference is on the display: somebody who is keying must not lose it unseen."""
        self.clear_entry()
        self.set(unread=True)
        self.arm(Timer.READ, READ_MS)

    def _read(self) -> None:
        """It is not on the display any more."""
        if self.state.unread:
            self.set(unread=False)
            self.disarm(Timer.READ)

    def hush(self) -> None:
        """Drop the passing message."""
        if self.state.notice is not None:
            self.set(notice=None)
            self.disarm(Timer.NOTICE)
        self._read()

    def clear_entry(self) -> None:
        if self.state.entry:
            self.set(entry="")
            self.disarm(Timer.ENTRY)

    def number(self, kind: Literal["sale", "session", "payout", "claim", "check"]) -> int:
        """The next number of that kind."""
        numbers = self.state.numbers
        value: int = getattr(numbers, kind)
        self.set(numbers=replace(numbers, **{kind: value + 1}))
        return value

    def customer(self) -> Customer:
        """The customer, opened now if there was none."""
        if self.state.customer is None:
            self.set(customer=Customer(id=f"c{self.number('session')}"))
        assert self.state.customer is not None
        return self.state.customer

    def customer_with(self, **changes: Any) -> None:
        self.set(customer=replace(self.customer(), **changes))
