"""What the phases of a sale speak of: the customer, the sale, bills, cards and payouts."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from vendd.core.facts import Channel, CreditEnd, Proof, Reason
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
    bills: int = 0  # what of `inserted` came in bills
    revalued: int = 0  # put on a card


class BillDoing(StrEnum):
    """What is known of a bill between escrow and its end."""

    ESCROW = "escrow"
    STACKING = "stacking"
    RETURNING = "returning"
    AWAITED = "awaited"  # validator reset or lost with it inside: its report decides


@dataclass(frozen=True, slots=True)
class Bill:
    """The one bill that is in the validator and in no book yet.

    `bill` is the driver's number of it, None in a new life of the daemon.
    """

    bill: int | None
    type: int
    value: int
    doing: BillDoing = BillDoing.ESCROW

    @property
    def held(self) -> int:
        """What of it the customer can spend or take back right now."""
        return self.value if self.doing is BillDoing.ESCROW else 0


@dataclass(frozen=True, slots=True)
class CardPart:
    """What a card pays of one sale. `asked` of it, `approved` once the reader said so.

    `sent`: the reader was asked; until then it is not free yet. `token`: it took one for it.
    """

    reader: int
    asked: int
    serial: str = ""
    media_hash: str = ""
    approved: int | None = None
    approved_at: str | None = None
    authorise_ms: int | None = None
    sent: bool = True
    token: bool = False


@dataclass(frozen=True, slots=True)
class UnclearBill:
    """Nobody knew where this bill was: its value is a claim. It may still turn up."""

    bill: int | None
    value: int


class Order(StrEnum):
    """What a reader was told about a vend whose end it has not confirmed."""

    CANCEL = "cancel"
    DENIED = "denied"  # it is over; only a late approval could still come
    FAIL = "fail"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class OpenVend:
    """A vend by card that is over for the customer, not yet for the reader."""

    vend_id: str
    order: Order
    card: CardPart
    item_no: int
    ref: str | None = None  # given out: the refund is due already
    due: int = 0  # what was booked under `ref`
    power_lost: bool = False  # while it was asked


@dataclass(frozen=True, slots=True)
class Session:
    """What the reader said of the card in an open session; never decides about money.

    `funds` None: not said, or not to be shown. `price_list` names a list of the planogram;
    `discount`, `surcharge` in percent of the price.
    """

    reader: int
    funds: int | None = None
    media_hash: str = ""
    price_list: str = ""
    discount: int = 0
    surcharge: int = 0
    revaluable: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale from its reservation to its one outcome.

    `price` is what the customer saw (R4). `decides` is the proof that counts:
    the drop sensor, else the home switch. `delivered` is that proof once seen.
    `credit_before` counts coins that were still rolling when it began;
    `bills_before` is what of it came in bills. `failed`: it will not be delivered.
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
    list_price: int = 0
    discount: int = 0
    surcharge: int = 0
    bills_before: int = 0
    card: CardPart | None = None
    session: Session | None = None  # the card session it was bought in, while that is open
    failed: Reason | None = None
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

    @property
    def from_credit(self) -> int:
        """What of the price is paid with cash credit."""
        return self.price - (self.card.asked if self.card is not None else 0)

    @property
    def charged(self) -> int:
        """What was paid in all: the approved amount is what a card paid."""
        approved = self.card.approved if self.card is not None else None
        return self.from_credit + (approved or 0)

    def with_money(self, value: int, *, bills: bool = False) -> "Sale":
        """Money that was still on its way is in."""
        return replace(
            self,
            credit_before=self.credit_before + value,
            bills_before=self.bills_before + (value if bills else 0),
        )


@dataclass(frozen=True, slots=True)
class Payout:
    """Money on its way out. `amount` is decided and in no credit any more.

    `due` is what the customer should have got: more than `amount` when the tubes and
    the recycler don't hold it. Bills go out first, then coins; `out` is what goes out now
    and `bills_out` what the recycler has paid before. `asked` is False while the changer has
    not come up yet; `unknown` is True when a device could not say what it paid, until its
    counts decide.
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
    bills: tuple[tuple[int, int], ...] = ()
    out: Literal["coins", "bills"] = "coins"
    bills_out: int = 0
