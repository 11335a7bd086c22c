"""The states of a sale and which may follow which: the rules the machine is held to.

`State` is everything the purchase machine remembers. Its durable part survives
a power cut (`vendd.core.sale.persist`); what a customer has half typed and what
a message says does not.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from vendd.core.facts import Channel, CreditEnd, Proof
from vendd.core.sale.reports import Timer, TurnResult


@dataclass(frozen=True, slots=True)
class Customer:
    """Whoever has money in the machine: from the first piece until nothing is left of it."""

    id: str
    inserted: int = 0
    returned: int = 0
    failures: int = 0
    bought: int = 0
    lever: bool = False  # pressed while it could not be served (R8)


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale from its reservation to its one outcome.

    `price` is what the customer saw (R4). `decides` is the proof that counts:
    the drop sensor, else the home switch. `delivered` is that proof once seen.
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


@dataclass(frozen=True, slots=True)
class Payout:
    """Coins on their way out. `amount` is decided and in no credit any more.

    `asked` is False while the changer has not come up yet; `unknown` is True
    when it could not say what it paid, until tube counts decide.
    """

    id: str
    kind: Literal["change", "refund"]
    amount: int
    coins: tuple[tuple[int, int], ...] = ()
    why: CreditEnd | None = None
    asked: bool = True
    unknown: bool = False
    door_opened: bool = False
    power_lost: bool = False
    owed_ref: str | None = None  # this is the lever's one retry for that reference


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
    """Credit that could not be paid out: spendable, later a claim with this reference."""

    ref: str
    retried: bool = False


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """The claim is open; its reference stands on the display."""

    ref: str


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

_BUY: Final[dict[type, str]] = {Vending: "selection", Stacking: "selection, bill held"}
_BACK: Final[dict[type, str]] = {Paying: "lever / time", Owed: "changer lost"}

# Which phase may follow which, and why: `Draft.go` asserts it, README draws it.
TRANSITIONS: Final[dict[type, dict[type, str]]] = {
    Idle: {
        Credit: "money in",
        Vending: "free product",
        WaitingForTap: "selection, reader ready",
        SessionOpen: "tap",
    },
    Credit: {
        **_BUY,
        **_BACK,
        OverpayAsked: "change not payable",
        Idle: "forfeited",
        ClaimShown: "out of service",
    },
    OverpayAsked: {**_BUY, **_BACK, Credit: "time / other key", ClaimShown: "out of service"},
    ChooseAgain: {
        **_BUY,
        **_BACK,
        OverpayAsked: "change not payable",
        Credit: "restart / door",
        ClaimShown: "out of service",
    },
    Hold: {
        **_BUY,
        **_BACK,
        OverpayAsked: "change not payable",
        Credit: "restart / door",
        ClaimShown: "out of service",
    },
    Owed: {
        **_BUY,
        Paying: "lever, once",
        OverpayAsked: "change not payable",
        ClaimShown: "time / lever, changer dead",
    },
    ClaimShown: {
        Idle: "time / key",
        Credit: "money in",
        Vending: "free product",
        WaitingForTap: "selection, reader ready",
        SessionOpen: "tap",
    },
    SessionOpen: {Authorising: "selection", Idle: "session over", Credit: "session over"},
    WaitingForTap: {
        Authorising: "tap",
        Idle: "time / lever",
        Credit: "coin",
    },
    Authorising: {
        Vending: "approved",
        Idle: "declined / time / lever",
        SessionOpen: "declined",
        Credit: "declined, credit there",
    },
    Stacking: {Vending: "stacked", Credit: "bill returned", Idle: "bill returned", Paying: "lever"},
    Vending: {
        Idle: "delivered",
        Paying: "delivered: change / failed: refund",
        Hold: "delivered, multi-vend",
        ChooseAgain: "not delivered",
        Credit: "restart",
        Owed: "change not payable",
        ClaimShown: "money not payable, nobody there",
    },
    Paying: {
        Idle: "paid",
        Paying: "late coin",
        Owed: "incomplete",
        ClaimShown: "incomplete, nobody there",
        Credit: "restart",
    },
}

# The timer that belongs to a phase: armed on entry, disarmed on leaving.
PHASE_TIMER: Final[dict[type, Timer]] = {
    Credit: Timer.IDLE,
    Owed: Timer.IDLE,
    OverpayAsked: Timer.OVERPAY,
    ChooseAgain: Timer.CHOOSE_AGAIN,
    Hold: Timer.HOLD,
    ClaimShown: Timer.CLAIM,
    SessionOpen: Timer.SESSION,
    WaitingForTap: Timer.TAP,
    Authorising: Timer.AUTHORISE,
    Stacking: Timer.STACK,
    Vending: Timer.DROP_WINDOW,
    Paying: Timer.PAYOUT,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A passing message: `text` names it in the catalogue."""

    text: str
    selection: str = ""
    amount: int = 0
    ref: str = ""


@dataclass(frozen=True, slots=True)
class LastVend:
    """The newest sale that is over: a product falling now belongs to it."""

    sale_id: str
    selection: str
    delivered: bool


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
    # not durable:
    entry: str = ""
    notice: Notice | None = None
    refused: tuple[str, ...] = ()  # lost sales this customer was already counted for
    tubes_doubted: tuple[tuple[int, int], ...] = ()  # (type, count) of the last odd reading
    lever_since: int | None = None
    lever_last: int | None = None
    booting: bool = False  # no changer answer since the start yet

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
        "lever_since",
        "lever_last",
        "booting",
        "no_drop_refunds",
        "home_decides_until",
    }
)
