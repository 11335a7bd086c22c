"""The states of a sale (which may follow which: `vendd.core.sale.transitions`).

`State` is everything the purchase machine remembers. Its durable part survives
a power cut (`vendd.core.sale.persist`); what a customer has half typed and what
a message says does not.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from vendd.core.facts import CreditEnd
from vendd.core.sale.pieces import (
    Bill,
    BillDoing,
    Customer,
    OpenVend,
    Payout,
    Sale,
    Session,
    UnclearBill,
)

# --- the phases --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Idle:
    """No money, no sale."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Money is in; a selection or the lever decides."""


@dataclass(frozen=True, slots=True)
class OverpayAsked:
    """The change can't be paid in full; the same selection again sells all the same."""

    selection: str
    keeps: int


@dataclass(frozen=True, slots=True)
class ChooseAgain:
    """A vend failed, the credit is back."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Multi-vend: delivered, the rest of the credit is held for another selection."""


@dataclass(frozen=True, slots=True)
class Owed:
    """Credit that could not be paid out: spendable, later a claim with this reference.

    `retried`: the lever had its one more payout. `dead`: nothing was tried, for
    there is no changer; when it is back this is plain credit again.
    """

    ref: str
    retried: bool = False
    dead: bool = False


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """The claim is open; its reference stands on the display."""

    ref: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class SessionOpen:
    """A card session without a selection."""

    session: Session


@dataclass(frozen=True, slots=True)
class WaitingForTap:
    """A reader was asked for this sale before a card was there."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class Authorising:
    """A reader was asked, and a card is there."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class AgeCheck:
    """A reader verifies the customer's age for this selection; `session` if one is open."""

    selection: str
    reader: int
    check_id: str
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Revaluing:
    """The holder has asked for `amount` of the credit on the card; the reader has the word.

    `open`: the session is still there.
    """

    session: Session
    revalue_id: str
    amount: int
    open: bool = True


@dataclass(frozen=True, slots=True)
class Refunding:
    """Not delivered; the reader settles the failed vend of this sale."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class Stacking:
    """The held bill goes in for this sale; nothing turns before it is in."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class Returning:
    """The held bill goes back; then the rest of the credit is paid out (`Payout` for the words)."""

    kind: Literal["change", "refund"]
    why: CreditEnd | None = None
    sale: Sale | None = None


@dataclass(frozen=True, slots=True)
class Vending:
    """The motor intent is committed; delivery is proven, disproven or waited for."""

    sale: Sale


@dataclass(frozen=True, slots=True)
class Paying:
    """Change of `sale`, or a refund, is going out."""

    payout: Payout
    sale: Sale | None = None


Phase = (
    Idle
    | Credit
    | OverpayAsked
    | ChooseAgain
    | Hold
    | Owed
    | ClaimShown
    | SessionOpen
    | WaitingForTap
    | Authorising
    | AgeCheck
    | Revaluing
    | Refunding
    | Stacking
    | Returning
    | Vending
    | Paying
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A passing message: `text` names it in the catalogue."""

    text: str
    selection: str = ""
    amount: int = 0
    ref: str = ""


@dataclass(frozen=True, slots=True)
class LastVend:
    """The newest sale that is over: a product falling now belongs to it.

    `dropped`: its own product was seen to fall. `counted`: its refund counts for
    anti-jackpot already. `until_ms`: how long a second product is its double drop.
    """

    sale_id: str
    selection: str
    delivered: bool
    dropped: bool = False
    counted: bool = False
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """How often one kind of security fact was told since `since_ms`, and what was only counted."""

    kind: str
    since_ms: int
    facts: int = 0
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """The next of each kind; they only grow."""

    sale: int = 1
    session: int = 1
    payout: int = 1
    claim: int = 0
    check: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """Everything the purchase machine remembers. `credit` is the ledger's `customer` account."""

    phase: Phase = field(default_factory=Idle)
    credit: int = 0
    customer: Customer | None = None
    numbers: Numbers = field(default_factory=Numbers)
    last_vend: LastVend | None = None
    exact_change: bool = False
    locked: tuple[str, ...] = ()  # reasons of the machine's own to be out of service
    no_drop_refunds: tuple[int, ...] = ()  # uptime ms, newest last, this boot only
    home_decides_until: int | None = None  # uptime ms, anti-jackpot
    doubts: tuple[str, ...] = ()  # wall times of unprovable vends, newest last
    lever_stuck: bool = False  # that fault is open
    credit_bills: int = 0  # what of the credit came in bills; coins are spent first
    bill: Bill | None = None
    unclear_bills: tuple[UnclearBill, ...] = ()
    open_vends: tuple[OpenVend, ...] = ()  # oldest first
    # not durable:
    entry: str = ""
    notice: Notice | None = None
    unread: bool = False  # a reference came to the display a moment ago: no key takes it away
    refused: tuple[str, ...] = ()  # lost sales this customer was already counted for
    tubes_doubted: tuple[tuple[int, int], ...] = ()  # (type, count) of the last odd reading
    tubes_ahead: tuple[tuple[int, int], ...] = ()  # (type, count): counted before their reports
    lever_since: int | None = None
    lever_last: int | None = None
    door_opened_ms: int | None = None  # uptime; None: closed, or open since before the start
    booting: bool = False  # no changer answer since the start yet
    bill_reading: bool = False  # on its way in, not in escrow yet
    bill_lever: bool = False  # the lever was pressed while a bill moved
    age_checked: int = 0  # years that this customer was verified to have
    engaged: tuple[int, ...] = ()  # readers with a card, or asked, whose end is not told yet
    told: tuple[Told, ...] = ()  # one per kind

    @property
    def money(self) -> int:
        """What the customer can spend: the credit and a bill that waits in escrow."""
        return self.credit + (self.bill.held if self.bill is not None else 0)

    @property
    def bill_moves(self) -> bool:
        """A bill is on its way, one way or the other: whoever asks has to wait a moment."""
        moving = (BillDoing.STACKING, BillDoing.RETURNING)
        return self.bill_reading or (self.bill is not None and self.bill.doing in moving)

    @property
    def sale(self) -> Sale | None:
        """The sale in flight, if any."""
        return getattr(self.phase, "sale", None)


EPHEMERAL: Final = frozenset(
    {
        "entry",
        "notice",
        "unread",
        "refused",
        "tubes_doubted",
        "tubes_ahead",
        "lever_since",
        "lever_last",
        "door_opened_ms",
        "booting",
        "bill_reading",
        "bill_lever",
        "age_checked",
        "engaged",
        "told",
        "no_drop_refunds",
        "home_decides_until",
    }
)
