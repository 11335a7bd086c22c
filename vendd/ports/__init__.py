"""The only vocabulary that services, store, drivers and links share.

Small Protocol classes. A driver implements a port and reports through `Sink`;
it never sees the engine, a service or the store.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from vendd.core.operator.sight import OperatorRows
from vendd.core.planogram import SlotState
from vendd.core.rows import Record
from vendd.core.sale.bill_reports import RecyclerStore
from vendd.core.sale.reports import Report, Tube
from vendd.core.snapshot import Totals
from vendd.events.context import Context
from vendd.events.stored import StoredEvent as StoredEvent  # re-exported
from vendd.ports.cashless import Cashless as Cashless

T = TypeVar("T")


class Sink(Protocol):
    """Where reports go. Called on the loop's thread only; drivers with threads cross over first."""

    def put(self, report: Report) -> None:
        """Never blocks, never drops."""

    def crowded(self) -> bool:
        """True while pollers should slow down (L4): poll again only when it is False."""


# --- money ------------------------------------------------------------------


class Changer(Protocol):
    """A coin changer. Reports `ChangerReady`, `ChangerLost`, `CoinAccepted`, `CoinRejected`,
    `LeverPressed`, `ManuallyDispensed`, `TubesRead`, `PayoutEnded`, `FaultStarted/Ended`.

    Is NOT responsible for credit, for what coins are worth taking, or for repeating a payout.
    """

    def accept(self, coin_types: frozenset[int]) -> None:
        """Bring the changer to accept exactly these coin types; kept across its resets."""

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        """Start paying (coin type, count). Returns when the command was taken up, raises
        `Refused` when it certainly was not. Exactly one `PayoutEnded` follows the return."""

    async def read_tubes(self) -> None:
        """Ask for a `TubesRead`."""


class BillValidator(Protocol):
    """A bill validator, perhaps with a recycler. Reports what `core.sale.bill_reports` names,
    `LeverPressed` and `FaultStarted/Ended`.

    Is NOT responsible for credit, for deciding about a bill in escrow, or for repeating a payout.
    """

    def accept(self, bill_types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        """Bring it to accept exactly these bill types; kept across its resets. `hold`: those
        of them that stop in escrow, None for all (where it has an escrow)."""

    def stack(self, bill: int) -> None:
        """Take the bill of that `BillInEscrow`. Raises `Refused` when it is not waiting there
        (any more); else `BillStacked`, `BillReturned`, `BillUnclear` or a second `BillInEscrow`
        follows, within 30 s of contact. Never repeated by the caller."""

    def give_back(self, bill: int) -> None:
        """Return the bill of that `BillInEscrow`; otherwise as `stack`."""

    async def pay_out(self, payout_id: str, bills: tuple[tuple[int, int], ...]) -> None:
        """Start paying (bill type, count) from the recycler. Returns when the command was taken
        up, raises `Refused` when it certainly was not. Exactly one `BillPayoutEnded` follows
        the return."""

    async def read_stores(self) -> None:
        """Ask for a `StackerRead` and, with a recycler, a `RecyclerRead`."""


# --- motors and pins ----------------------------------------------------------


class Motors(Protocol):
    """The spiral motors. Reports `LeftHome`, `TurnEnded`; owns the hard deadlines (L3).

    Is NOT responsible for deciding whether something was delivered.
    """

    def turn(self, attempt_id: str, motors: tuple[str, ...]) -> None:
        """Start one turn; exactly one `TurnEnded` follows, whatever happens."""

    def stop(self) -> None:
        """All motor lines off, now. A turn under way ends with `STOPPED`."""

    async def at_home(self, motor: str) -> bool | None:
        """The home switch of a motor at rest; None when it can't be read now."""


class Display(Protocol):
    """A character display. `show` takes what should stand there; writes only what differs.

    A dead display never raises: it reports `FaultStarted('display', ...)` once.
    """

    columns: int
    rows: int

    def show(self, lines: tuple[str, ...]) -> None: ...

    def blink(self) -> None:
        """A short visible sign that a key was noticed (R9)."""


# --- wires and time -------------------------------------------------------------


class Wire(Protocol):
    """A serial line that is open. Bytes arrive by callback on the loop's thread."""

    def write(self, data: bytes) -> None:
        """Queue bytes; raises `WireLost` when the line is gone."""

    def close(self) -> None: ...


class WireLost(OSError):
    """The serial line itself is gone (unplugged, EIO)."""


class WireOpener(Protocol):
    """Opens a wire. `lost` is called once when the line dies; afterwards open again."""

    def __call__(
        self,
        port: str,
        baud: int,
        received: Callable[[bytes], None],
        lost: Callable[[Exception], None],
    ) -> Wire: ...


class Refused(Exception):
    """A device or service certainly did not do what was asked; nothing moved."""


class WallClock(Protocol):
    """The wall clock and whether to believe it (E4)."""

    def now(self) -> str:
        """RFC 3339 UTC with milliseconds, ``2026-01-31T12:00:00.000Z``."""

    def synchronised(self) -> bool: ...


# --- store and events ------------------------------------------------------------


class Writer(Protocol):
    """Runs work on the one SQLite connection. Works queued together share one commit."""

    def run(self, work: Callable[[Any], T]) -> Awaitable[T]:
        """`work(connection)` inside a transaction; the result arrives when it is durable."""

    def later(self, work: Callable[[Any], None]) -> None:
        """Durable with the next commit, or on its own after a while. Never fails the caller."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A request to send delivered events again, from `next_seq` to `to_seq`. `events`: how many
    of them are kept, at the time of asking."""

    id: int
    next_seq: int
    to_seq: int
    events: int = 0


class Outbox(Protocol):
    """The forwarder's view of the store."""

    async def read(self, after_seq: int, limit: int) -> list[StoredEvent]:
        """Events with seq > after_seq in seq order."""

    async def watermark(self) -> int:
        """The seq up to which everything was delivered."""

    def delivered(self, up_to_seq: int) -> None:
        """Move the watermark; becomes durable with a later commit (at-least-once allows that)."""

    async def bury(self, event: StoredEvent, reason: str) -> None:
        """Put one event into the dead letters; it counts as settled, its seq stays on record."""

    async def thin(self, seqs: Sequence[int]) -> list[StoredEvent]:
        """Drop these telemetry events, because the link can't carry them any more today. Returns
        the event that names them, committed with it; nothing when none was there."""

    async def ask_replay(self, from_seq: int, to_seq: int) -> Replay | None:
        """Note a request; None when nothing of it is kept, or too many requests wait."""

    async def next_replay(self) -> Replay | None: ...

    async def read_again(self, replay: Replay, limit: int) -> list[StoredEvent]:
        """The next events of a request, dead letters among them, in seq order."""

    async def replayed(self, replay: Replay, next_seq: int, refused: frozenset[int]) -> None:
        """Everything before `next_seq` was delivered again, except what was refused."""

    async def carried(self) -> tuple[str, int]:
        """The day on which the link was last used, and the bytes it carried then."""

    def carry(self, day: str, total: int) -> None:
        """Note the bytes of a day; becomes durable with a later commit."""


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to a broker."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    def size(self) -> int:
        """Bytes, before compression."""
        names = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key) + len(self.value) + names


class Trouble(StrEnum):
    """What stands between the machine and its broker; each needs somebody else to mend it."""

    UNREACHABLE = "unreachable"  # no network, or nobody there
    AUTH_REFUSED = "auth_refused"  # user, password or mechanism
    TLS_REFUSED = "tls_refused"  # a certificate, of either side
    SECRET_MISSING = "secret_missing"  # credential or file that the configuration names
    NOT_ALLOWED = "not_allowed"  # access control list
    TOPIC_MISSING = "topic_missing"
    CLOCK_REFUSED = "clock_refused"  # the machine's time is too far from the broker's
    REFUSED = "refused"  # the broker's own trouble, as a full disk


class DeliveryFailed(Exception):
    """A broker did not take a message. `permanent`: it never will. `fatal`: nor any other."""

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        fatal: bool = False,
        trouble: Trouble = Trouble.REFUSED,
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.fatal = fatal
        self.trouble = trouble


class Broker(Protocol):
    """A connection to Kafka (librdkafka in production), until closed or fatally failed."""

    def listen(
        self, heard: Callable[[DeliveryFailed], None], carried: Callable[[int], None]
    ) -> None:
        """`heard` is told why the client can't deliver, apart from any one message; `carried`
        now and then how many bytes went over the wire since. Both on the loop's thread."""

    def send(self, message: Message, done: Callable[[DeliveryFailed | None], None]) -> bool:
        """Hand over one message; False when the client's queue is full (nothing was taken).
        `done` runs exactly once per taken message, on the loop's thread."""

    async def close(self) -> None: ...


class Events(Protocol):
    """Told after each commit that put events into the outbox, in seq order."""

    def committed(self, events: Iterable[StoredEvent]) -> None: ...


# --- the books ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot's durable side."""

    level: int
    reserved: int
    state: SlotState
    no_drop_streak: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that a start needs from the books."""

    state: bytes | None  # the sale machine's own encoding, versioned
    slots: Mapping[str, SlotRow]
    tubes: tuple[Tube, ...]
    totals: Totals
    settings: Mapping[str, str]
    balances: Mapping[str, int]  # account -> debits minus credits
    claims_open: Mapping[str, int]  # claim ref -> amount
    boot_count: int  # of this boot, 1 for the first
    last_seq: int
    clean_shutdown: bool  # the previous life ended by an orderly stop
    last_commit_at: str | None  # wall time of the newest commit, None on a fresh store
    new_slots: tuple[str, ...] = ()  # added by this load with their first level
    recycler: tuple[RecyclerStore, ...] = ()
    operator: OperatorRows = field(default_factory=OperatorRows)


class Books(Protocol):
    """The machine's durable truth: state, stock, ledger, outbox in one transaction per decision."""

    async def load(
        self,
        first_levels: Mapping[str, int],
        file_prices: Mapping[tuple[str, str], int] | None = None,
    ) -> Loaded:
        """Count one more boot and read everything. Slots that the books don't know yet are
        added with their first level (a stock row, booked as refill). `file_prices`: what the
        configuration says, by slot and price list; a change of it takes back what was set here."""

    async def commit(
        self, state: bytes | None, records: Sequence[Record], context: Context
    ) -> list[StoredEvent]:
        """Apply all records in one durable transaction: rows to their tables, facts to the
        outbox with the next seqs. `state` None leaves the stored state alone. Raises
        `StoreFailed` when nothing was changed."""

    async def close(self, *, clean: bool) -> None: ...


class StoreFailed(Exception):
    """The commit did not happen (disk full, I/O error, database damaged). Nothing was changed."""


class BooksRefused(StoreFailed):
    """The records contradict the books (more reserved than there is, a level below 0): a mistake
    of ours, refused by the database itself. Nothing was changed; trying again won't help."""
