"""What the answers to a bill validator's POLL amount to: bills, faults, and what is noise."""

from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.bill_validator_data import Attempts, Bill, Status, Way
from vendd.wire.mdb.bill_validator_faults import BillFaults
from vendd.wire.mdb.bill_validator_news import BillOffered, FillKey, News
from vendd.wire.mdb.bill_validator_path import BillPath
from vendd.wire.mdb.changer_news import Lever
from vendd.wire.mdb.exchange import Answer, Reply

REPEAT_S: Final = 0.8  # no bill takes the way of the one before it in less
DOUBTFUL_S: Final = 3.0  # a repeat after so much silence may be another bill

_ONCE: Final = frozenset(
    (bd.BILL_REMOVED, bd.INVALID_ESCROW, bd.BILL_REJECTED, bd.UNRECOGNISED, bd.LEVER, bd.FILL_KEY)
)
_NOTHING: Final[frozenset[int]] = frozenset()


class BillRepeats:
    """Recognises events that a validator sends again because it never heard our ACK.

    Only events count (bills, attempts, what is said once); states like *busy* come and go
    beside them. A repeat is believed when the wire lost something in between, or when it
    comes sooner than any bill could. `doubtful`: types said to be stacked a second time
    after a loss long enough for a second bill.
    """

    def __init__(self) -> None:
        self._last = b""
        self._at = 0.0
        self._lossy = False
        self.count = 0
        self.doubtful: tuple[int, ...] = ()

    def failed(self) -> None:
        """A POLL went unanswered, came back garbled, or its answer was lost behind the adapter."""
        self._lossy = True

    def fresh(self, events: bytes, now: float) -> bytes:
        """The part of `events` (of a valid answer) that is new."""
        last, at, lossy = self._last, self._at, self._lossy
        self._lossy, self.doubtful = False, ()
        if not events and now - at < REPEAT_S and _money(last):
            return b""  # an adapter that polls by itself may have missed the repeat
        self._last, self._at = events, now
        if not last or not events.startswith(last):
            return events
        quick = now - at < REPEAT_S and any(byte >= 0x80 for byte in last)
        if not lossy and not quick:
            return events
        self.count += 1
        if now - at >= DOUBTFUL_S:
            self.doubtful = tuple(b & 0x0F for b in _money(last))
        return events[len(last) :]


def _money(events: bytes) -> bytes:
    """Those that are credit: STACKED and TO RECYCLER."""
    return bytes(b for b in events if b & 0xF0 in (0x80, 0xB0))


class BillPollReader:
    """Turns POLL answers into news.

    After `read`: `happened` has the new bill movements, `statuses` the status bytes,
    `reset_seen` tells of JUST RESET, `stacker_doubtful` asks for a STACKER. `unheard`:
    an answer was lost behind the adapter, and with it perhaps a bill in escrow.
    `unknown` counts bytes without a meaning.
    """

    def __init__(self, faults: BillFaults, path: BillPath) -> None:
        self._faults = faults
        self._path = path
        self._repeats = BillRepeats()
        self._offered = False
        self.happened: list[Bill] = []
        self.statuses = _NOTHING
        self.reset_seen = False
        self.stacker_doubtful = False
        self.unheard = False
        self.enabled = False  # bills are on, as far as the validator was told
        self.unknown = 0

    @property
    def repeats(self) -> int:
        return self._repeats.count

    def read(self, reply: Reply, now: float) -> list[News]:
        self.happened, self.statuses, self.reset_seen = [], _NOTHING, False
        if not reply.valid:
            self._repeats.failed()
            if reply.answer is Answer.LOST:
                self.unheard = self.stacker_doubtful = True
            return []
        told = bd.activities(reply.data)
        self.statuses = frozenset(one.code for one in told if isinstance(one, Status))
        events = bytes(b for b in reply.data if b >= 0x80 or 0x40 <= b < 0x60 or b in _ONCE)
        self.reset_seen = bd.JUST_RESET in self.statuses
        # What comes with the report of a reset happened after it: a bill that is in escrow still.
        news = self._path.interrupted("reset") if self.reset_seen else []
        fresh = self._repeats.fresh(events, now)
        if self.reset_seen and fresh != events:
            # A bill in escrow is said anew after a reset; money is not earned anew.
            fresh = bytes(b for b in events if b & 0xF0 == 0x90) + fresh
        for one in bd.activities(fresh):
            self._event(one, now, news)
        for type_ in self._repeats.doubtful:
            news += self._path.twice(type_)
        news += self._states(told, moved=bool(self.happened))
        news += self._faults.polled(self.statuses, now, enabled=self.enabled)
        return news

    def _event(self, one: bd.Activity, now: float, news: list[News]) -> None:
        match one:
            case Bill(way, _):
                self.happened.append(one)
                if way in (Way.ESCROW, Way.STACKED, Way.RECYCLED):
                    news += self._faults.bill_came()
                if way in (Way.STACKED, Way.TO_BOX):
                    self.stacker_doubtful = True
                news += self._path.happened(one, now)
            case Attempts(count):
                news += self._path.refused("disabled", count)
            case Status(bd.BILL_REJECTED | bd.UNRECOGNISED):
                news += self._path.refused("rejected")
            case Status(bd.BILL_REMOVED):
                news += self._path.removed(now)
            case Status(bd.INVALID_ESCROW):
                self._path.no_bill(now)
            case Status(bd.LEVER):
                news.append(Lever())
            case Status(bd.FILL_KEY):
                news.append(FillKey())

    def _states(self, told: list[bd.Activity], *, moved: bool) -> list[News]:
        statuses = self.statuses
        self.unknown += sum(isinstance(one, Status) and not one.defined for one in told)
        news: list[News] = []
        if not moved and not self.reset_seen:
            news += self._path.busy(bd.BUSY in statuses)
        if (bd.BILL_WAITING in statuses) != self._offered:
            self._offered = not self._offered
            news.append(BillOffered(self._offered))
        if bd.BOX_OUT in statuses:
            self.stacker_doubtful = True
        return news
