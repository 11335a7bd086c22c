"""One device's side of a recording, and how what the driver sends is found in it.

The alignment rule. What the driver sends is compared by content, device by device:

- *Commands* (all that sets or moves something) have to come in the recorded order, byte for
  byte, and no more than `EARLY_S` before or `LATE_S` after their recorded time, counted from
  the recording's beginning or from the command before.
- *Polls and questions* (POLL, PAYOUT VALUE POLL, PAYOUT STATUS, TUBE STATUS, DIAGNOSTICS and
  its reports, STACKER, RECYCLER STATUS) may come more or less often than recorded. One that is
  not due in the recording gets the last lasting answer to the same question (an ACK, silence,
  *busy*, *disabled*, a level); a run of equal lasting answers may be cut short, but not left
  out. An answer that tells an event (a coin, a bill, a session) is given exactly once, in order,
  to the first poll that is not more than `POLL_EARLY_S` before its time. A level may be told
  `LEVEL_EARLY_S` before, but not before an event that was recorded first.
- After a command no older answer is given: the first poll gets what was recorded next, up to
  `EARLY_S` before its time.
- A command that nobody answers may be tried more or less often.

Everything else is a divergence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hw_sim.replay.exchanges import Exchange
from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb import cashless_data as rd
from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.exchange import Answer

EARLY_S: Final = 2.0
LATE_S: Final = 5.0
POLL_EARLY_S: Final = 0.06
LEVEL_EARLY_S: Final = 0.3

POLLS: Final = frozenset((cd.POLL, bd.POLL, rd.POLL, b"\x62"))
_VALUE_POLLS: Final = frozenset((cd.PAYOUT_VALUE_POLL, bd.PAYOUT_VALUE_POLL))
_REPORTS: Final = frozenset((cd.PAYOUT_STATUS, bd.PAYOUT_STATUS))
_REPORTED: Final = (cd.FILL_REPORT, cd.PAYOUT_REPORT)  # after certain DIAGNOSTICS
LEVELS: Final = frozenset(
    (cd.TUBE_STATUS, cd.DIAGNOSTICS, bd.STACKER, bd.DISPENSER_STATUS, *_REPORTED)
)
_ELASTIC: Final = POLLS | _VALUE_POLLS | _REPORTS | LEVELS
# status bytes that come with each poll as long as something is so
_LASTING: Final = {
    cd.POLL: frozenset((cd.PAYOUT_BUSY, cd.BUSY)),
    bd.POLL: frozenset(
        (bd.BUSY, bd.DISABLED, bd.PAYOUT_BUSY, bd.DISPENSER_BUSY, bd.DISPENSER_OFF, bd.BILL_WAITING)
    ),
}


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first point where driver and recording part. `sent` None: the driver sent nothing of
    the kind; `recorded` None: nothing more is recorded for this device."""

    at: float
    sent: bytes | None
    recorded: Exchange | None


def elastic(command: bytes) -> bool:
    """A poll or question: may come more or less often."""
    return command in _ELASTIC


def lasting(it: Exchange) -> bool:
    """Does the answer tell a state, that is the same when it is asked for again?"""
    if it.command in LEVELS:
        return it.reply.answer is not Answer.LOST
    if it.reply.answer in (Answer.ACK, Answer.SILENCE):
        # The ACK to a report ends or defers it; to a value poll it says "finished".
        return it.command not in _VALUE_POLLS or it.reply.answer is Answer.SILENCE
    if it.reply.answer is not Answer.DATA:
        return False
    if it.command in _VALUE_POLLS:
        return not any(it.reply.data)
    return it.command in _LASTING and set(it.reply.data) <= _LASTING[it.command]


def _silent(it: Exchange) -> bool:
    return it.reply.answer is Answer.SILENCE


class Script:
    """See the module. `more`, `fewer`: polls and questions beyond or short of the recorded."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        self.fixed = [it for it in exchanges if not elastic(it.command)]  # the commands
        self.more = 0
        self.fewer = 0
        self._at = 0  # all before are settled
        self._commands = 0  # taken
        self._last: dict[bytes, Exchange] = {}  # the newest lasting answer
        self._matched: Exchange | None = None  # the newest command

    def take(self, command: bytes, now: float) -> Exchange | Divergence | None:
        """What the recording has as the answer; None: nothing, and nothing is missing."""
        due = self.due
        if due is not None and now - self._expected(due) > LATE_S:
            return Divergence(now, None, due)
        if elastic(command):
            return self._poll(command, now)
        if self._unheard(command, now):
            return self._matched
        while due is not None and due.command != command and self._said_already(due):
            self._command_over(due, now)
            due = self.due
        if due is None or due.command != command or not self._timely(due, now):
            return Divergence(now, command, due)
        self._command_over(due, now)
        self._matched = due
        return due

    def _command_over(self, due: Exchange, now: float) -> None:
        for it in self._until(due.at + LATE_S):
            if lasting(it):  # its time is over; events are still told
                it.taken = now
                self.fewer += 1
        self._commands += 1
        self._taken(due, now)

    def _said_already(self, due: Exchange) -> bool:
        """One more try of a command that nobody answered."""
        return (
            self._matched is not None
            and _silent(due)
            and _silent(self._matched)
            and (due.command == self._matched.command)
        )

    def _unheard(self, command: bytes, now: float) -> bool:
        """The driver tries once more than it was recorded what nobody answers."""
        before, due = self._matched, self.due
        if before is None or before.command != command or not _silent(before):
            return False
        return due is None or due.command != command or not self._timely(due, now)

    @property
    def due(self) -> Exchange | None:
        """The next command that is recorded."""
        return self.fixed[self._commands] if self._commands < len(self.fixed) else None

    def _until(self, at: float) -> list[Exchange]:
        """Polls and questions that are not taken yet, up to the next command and that time."""
        due, rest = self.due, []
        for number in range(self._at, len(self.exchanges)):
            it = self.exchanges[number]
            if it is due or it.at > at:
                break
            if it.taken is None:
                rest.append(it)
        return rest

    def _expected(self, it: Exchange) -> float:
        """The later of when it was recorded and when it comes after the command before it."""
        before = self._matched
        if before is None or before.taken is None:
            return it.at
        return max(it.at, before.taken + it.at - before.at)

    def _timely(self, it: Exchange, now: float) -> bool:
        before = self._matched
        earliest = it.at
        if before is not None and before.taken is not None:
            earliest = min(earliest, before.taken + it.at - before.at)
        return now >= earliest - EARLY_S

    def _poll(self, command: bytes, now: float) -> Exchange | None:
        ready = [it for it in self._ready(command, now) if it.command == command]
        while len(ready) > 1 and lasting(ready[0]) and ready[0].reply == ready[1].reply:
            ready.pop(0).taken = now
            self.fewer += 1
        if ready:
            return self._taken(ready[0], now)
        coming = self._first_after(command, now)
        if coming is not None:
            return self._taken(coming, now)
        self.more += now <= self.exchanges[-1].at
        last = self._last.get(command)
        if last is None and command in LEVELS:
            # Nothing was told yet: what will be is the best guess.
            rest = self.exchanges[self._at :]
            return next((it for it in rest if it.command == command), None)
        return last

    def _ready(self, command: bytes, now: float) -> Iterator[Exchange]:
        """What may be given now. A level that is early comes before no event that it counts."""
        soon = now + POLL_EARLY_S
        for it in self._until(now + LEVEL_EARLY_S if command in LEVELS else soon):
            if it.at > soon and not lasting(it):
                return
            yield it

    def _first_after(self, command: bytes, now: float) -> Exchange | None:
        """After a command older answers are worth nothing: then what comes next is given."""
        last, matched = self._last.get(command), self._matched
        if matched is None or (last is not None and last.at > matched.at):
            return None
        rest = self._until(now + EARLY_S)
        return next((it for it in rest if it.command == command), None)

    def _taken(self, it: Exchange, now: float) -> Exchange:
        it.taken = now
        if lasting(it):
            self._last[it.command] = it
        while self._at < len(self.exchanges) and self.exchanges[self._at].taken is not None:
            self._at += 1
        return it
