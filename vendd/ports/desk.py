"""What the ways into the machine (local socket, gateway) may ask of it, and nothing else."""

from typing import Protocol

from vendd.core.operator.orders import Order
from vendd.core.operator.people import Person, Role
from vendd.core.operator.sight import ClaimLine, DoubtLine, JournalLine, Sight
from vendd.core.operator.verdicts import Decided, Refused
from vendd.events.stored import StoredEvent

__all__ = [
    "ClaimLine",
    "Decided",
    "Desk",
    "DoubtLine",
    "JournalLine",
    "Order",
    "Person",
    "Records",
    "Refused",
    "Role",
    "Sight",
    "StoredEvent",
]


class Desk(Protocol):
    """Where orders are given and the machine is looked at. On the loop's thread."""

    def sight(self) -> Sight:
        """The machine as committed."""

    async def order(
        self, person: Person, order: Order, why: str = "", *, preview: bool = False
    ) -> Decided | Refused:
        """Have it decided, committed and begun. Raises `TimeoutError` when the engine did not
        come to it in time: then it is withdrawn and nothing will happen."""

    async def replay(self, from_seq: int, to_seq: int) -> int | None:
        """Ask for delivered events to be sent again: how many; None where nothing of it is kept,
        too many requests wait, or no broker is configured."""

    def turn_away(self, person: Person, action: str) -> None:
        """Somebody without a role asked for something: into the journal with it."""


class Records(Protocol):
    """What is read from the books on request."""

    async def journal(self, before_id: int | None, limit: int) -> list[JournalLine]:
        """The newest lines, newest first; with `before_id` those older than it."""

    async def events(
        self, after: int, limit: int, *, types: tuple[str, ...] = (), newest: bool = False
    ) -> list[StoredEvent]:
        """Events with a greater seq, in seq order; with `newest` the last of them instead.
        `types`: only these."""

    async def delivered(self) -> int:
        """The seq up to which everything was delivered, as far as is durable."""

    async def dead_letters(self, limit: int) -> list[tuple[StoredEvent, str]]:
        """Events that a broker refused for good, with reasons, oldest first."""

    async def boxes(self) -> list[tuple[str, int, int]]:
        """(box, value, count): what was counted into boxes that nobody can pay from."""

    async def claims(self, *, closed: bool, limit: int) -> list[ClaimLine]:
        """Open ones, or with `closed` all, newest first."""

    async def doubts(self, *, closed: bool, limit: int) -> list[DoubtLine]:
        """As `claims`: doubtful sales."""
