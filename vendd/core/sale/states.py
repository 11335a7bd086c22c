"""The states of a sale (which may follow which: `vendd.core.sale.transitions`).

`State` is everything the purchase machine remembers. Its durable part survives
a power cut (`vendd.core.sale.persist`); what a customer has half typed and what
a message says does not.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

from vendd.core.facts import Channel, CreditEnd, Proof
from vendd.core.sale.reports import TurnResult


@dataclass(frozen=True, slots=True)
class Customer:
    """Whoever has money in the machine: from the first piece until nothing is left of it."""

    id: str
    inserted: int = 0
    returned: int = 0
    failures: int = 0
    bought: int = 0
    lever: bool = False  # pressed while it could not be served (R8)
    owed_ref: str | None = None  # the one reference for whatever can't be paid to them


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale from its reservation to its one outcome.

    `price` is what the customer saw (R4). `decides` is the proof that counts:
    the drop sensor, else the home switch. `delivered` is that proof once seen.
    `credit_before` counts coins that were still rolling when it began.
    """

    id: str
    no: int
    session_id: str
    selection: str
    channel: Channel
    price: int
    started_ms: int
    started_at: str
    decides: Proof
    credit_before: int
    price_list: str = "cash"
    overpay: int = 0
    exact_change: bool = False
    turn: int = 1
    left_home: bool = False
    ended: TurnResult | None = None
    at_home: bool | None = None
    drops: int = 0
    delivered: Proof = Proof.NONE
    delivery_ms: int | None = None

    @property
    def attempt_id(self) -> str:
        """Names one turn of the motor, so that a late answer is never taken for a newer one."""
        return f"{self.id}.{self.turn}"

    def with_coin(self, value: int) -> "Sale":
        """A coin that was still rolling is in."""
        return replace(self, credit_before=self.credit_before + value)


@dataclass(frozen=True, slots=True)
class Payout:
    """Coins on their way out. `amount` is decided and in no credit any more.

    `due` is what the customer should have got: more than `amount` when the tubes
    don't hold it. `asked` is False while the changer has not come up yet; `unknown` is True
    when it could not say what it paid, until tube counts decide.
    """

    id: str
    kind: Literal["change", "refund"]
    amount: int
    due: int
    coins: tuple[tuple[int, int], ...] = ()
    why: CreditEnd | None = None
    asked: bool = True
    unknown: bool = False
    door_opened: bool = False
    power_lost: bool = False
    retry: bool = False  # the lever's one more attempt is this one, or was used before


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


@dataclass(frozen=True, slots=True)
class WaitingForTap:
    sale: Sale


@dataclass(frozen=True, slots=True)
class Authorising:
    sale: Sale


@dataclass(frozen=True, slots=True)
class Stacking:
    sale: Sale


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
    | Stacking
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
    # not durable:
    entry: str = ""
    notice: Notice | None = None
    refused: tuple[str, ...] = ()  # lost sales this customer was already counted for
    tubes_doubted: tuple[tuple[int, int], ...] = ()  # (type, count) of the last odd reading
    tubes_ahead: tuple[tuple[int, int], ...] = ()  # (type, count): counted before their reports
    lever_since: int | None = None
    lever_last: int | None = None
    door_opened_ms: int | None = None  # uptime; None: closed, or open since before the start
    booting: bool = False  # no changer answer since the start yet
    told: tuple[Told, ...] = ()  # one per kind

    @property
    def sale(self) -> Sale | None:
        """The sale in flight, if any."""
        return getattr(self.phase, "sale", None)


EPHEMERAL: Final = frozenset(
    {
        "entry",
        "notice",
        "refused",
        "tubes_doubted",
        "tubes_ahead",
        "lever_since",
        "lever_last",
        "door_opened_ms",
        "booting",
        "told",
        "no_drop_refunds",
        "home_decides_until",
    }
)
