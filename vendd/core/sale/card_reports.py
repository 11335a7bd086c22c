"""What card readers tell: sessions, answers to a request to pay, refunds.

Money is integer minor units. `reader` is the device's number, 1 or 2. `vend_id` echoes what
the act named, so a late answer is never taken for the answer to something newer.
"""

from dataclasses import dataclass
from enum import StrEnum

from vendd.core.sale.reports import DeviceIdentity, Report


@dataclass(frozen=True, slots=True)
class CardReaderReady(Report):
    """The reader finished its initialisation, also after a reset of its own.

    `max_response_s`: how long it may take to answer a request. `selection_first`: it can be
    asked to pay before a card is there. `multi_vend`: several vends in one session.
    """

    reader: int
    identity: DeviceIdentity
    max_response_s: int
    can_refund: bool
    multi_vend: bool
    selection_first: bool
    wants_cash_sales: bool


@dataclass(frozen=True, slots=True)
class CardReaderLost(Report):
    """The reader stopped answering, or can't be used; `why` in words. Once per transition.

    What was under way with it is settled by reports of its own, which may still follow.
    """

    reader: int
    why: str


class Pricing(StrEnum):
    """How the card wants to be priced (MDB user data, level 2 and above)."""

    MACHINE = "machine"
    PRICE_LIST = "price_list"  # data: user group, price list
    DISCOUNT_GROUP = "discount_group"  # data: user group, discount group
    DISCOUNT = "discount"  # data: percent
    SURCHARGE = "surcharge"  # data: percent
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SessionBegun(Report):
    """A card is there. Also while a request waits for it (selection first).

    `funds` is what the reader said, None if nothing; never decide by it, and never show it
    when `hide_funds`. `refundable`, `revaluable`: None when the reader does not say.
    """

    reader: int
    funds: int | None
    hide_funds: bool = False
    media_id: str = ""  # hex, empty when unknown
    pricing: Pricing = Pricing.MACHINE
    pricing_data: int = 0
    free_card: bool = False
    test_card: bool = False
    refundable: bool | None = None
    revaluable: bool | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class SessionEnded(Report):
    """The reader is free again: once per session, and once per vend without a session.

    Can come before a vend is settled when the reader started anew in the middle of it.
    """

    reader: int
    why: str  # completed, reader, reset, no answer, out of sequence ...


@dataclass(frozen=True, slots=True)
class VendApproved(Report):
    """The holder pays `amount`, which may differ from the price. `token`: worth one vend;
    `amount` is the price then. Exactly one of `vend succeeded` and `vend failed` has to follow.
    """

    reader: int
    vend_id: str
    amount: int
    token: bool = False


@dataclass(frozen=True, slots=True)
class VendDenied(Report):
    """No vend: denied, cancelled, refused, or no answer.

    `doubtful`: an approval may have been given and could not be taken back for certain.
    """

    reader: int
    vend_id: str
    why: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class VendSuccessSettled(Report):
    """The sale stands. `acknowledged` False: the reader did not hear of it; never repeated."""

    reader: int
    vend_id: str
    acknowledged: bool


class RefundState(StrEnum):
    """How a failed vend ended at the reader. All but CONFIRMED are a refund that is due."""

    CONFIRMED = "confirmed"
    FAILED = "failed"  # the reader said that it could not
    UNCONFIRMED = "unconfirmed"  # it did not answer, or had started anew
    UNSUPPORTED = "unsupported"  # reader or card can't refund


@dataclass(frozen=True, slots=True)
class VendFailureSettled(Report):
    """The end of a failed vend; also of a late approval after a `VendDenied`."""

    reader: int
    vend_id: str
    state: RefundState


@dataclass(frozen=True, slots=True)
class RevalueSettled(Report):
    """Money was put on the card, or not. `doubtful`: no answer, it may be there or not."""

    reader: int
    revalue_id: str
    approved: bool
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class RevalueLimitRead(Report):
    """The most the card takes, None when nothing."""

    reader: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class AgeVerified(Report):
    """The answer to an age check. `bits`: the reader's own words in hex, empty without answer."""

    reader: int
    check_id: str
    verified: bool
    bits: str = ""


@dataclass(frozen=True, slots=True)
class ReaderMessage(Report):
    """Text that the reader wants on the machine's display."""

    reader: int
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ReaderFault(Report):
    """A malfunction that passed: a bad card, tampering. Lasting ones are `FaultStarted`."""

    reader: int
    code: str
    detail: str = ""
