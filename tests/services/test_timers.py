"""Timers of the purchase machine, and what a stall of the whole process means for them."""

from collections.abc import Callable

from hw_sim.loop import VirtualLoop
from vendd.core.sale.reports import DropSeen, Report, Timer, TimerFired
from vendd.services.inbox import Inbox
from vendd.services.timers import STALLED_S, Timers

WINDOW = TimerFired(Timer.DROP_WINDOW)


def _heard(stall_s: float, deed: Callable[[Timers], None] | None = None) -> list[Report]:
    """The inbox after a drop window of 3 s in which the process stalled just before its end.
    A drop of that time comes in 50 ms after the stall."""
    loop = VirtualLoop()
    inbox = Inbox(loop)
    timers = Timers(loop, inbox)

    def stall() -> None:
        loop._now += stall_s
        loop.call_later(0.05, inbox.put, DropSeen())
        if deed is not None:
            deed(timers)

    timers.arm(Timer.DROP_WINDOW, 3_000)
    loop.call_later(2.9, stall)
    loop.run_for(10.0)
    return [received.report for received in inbox._waiting]


def test_on_time() -> None:
    assert _heard(0.0) == [DropSeen(), WINDOW]


def test_a_little_late() -> None:
    assert _heard(0.1 + STALLED_S - 0.01) == [WINDOW, DropSeen()]


def test_after_a_stall_what_was_seen_is_heard_first() -> None:
    assert _heard(5.0) == [DropSeen(), WINDOW]


def test_disarmed_after_a_stall() -> None:
    assert _heard(5.0, lambda timers: timers.disarm(Timer.DROP_WINDOW)) == [DropSeen()]


def test_restarted_after_a_stall_it_runs_its_whole_time() -> None:
    assert _heard(5.0, lambda timers: timers.arm(Timer.DROP_WINDOW, 100)) == [DropSeen(), WINDOW]
