"""What the display says, as a customer understands it. Texts are ``line 1|line 2``."""

import re
from enum import Enum, auto
from typing import Final


class Sign(Enum):
    """What a text means for whoever stands there."""

    IDLE = auto()
    CREDIT = auto()  # money is in; make a selection
    BUSY = auto()  # wait
    PRICE = auto()  # no money yet
    ADD = auto()  # more money is needed
    REFUSED = auto()  # this one can't be had
    NO_CHANGE = auto()  # not with this money
    KEEPS = auto()  # press again to overpay
    THANKS = auto()
    FAILED = auto()  # not delivered; choose again or take the money
    OWED = auto()  # the machine can't pay; spend it or note the reference
    CLAIM = auto()  # the reference of what stays owed
    OUT = auto()  # out of service, door open, sold out
    CARD = auto()  # a card is there; make a selection
    TAP = auto()  # hold a card to the reader, or put money in
    DECLINED = auto()  # the card won't do
    REFUNDED = auto()  # not delivered, and the card has its money again
    DUE = auto()  # not delivered, and the card has to be refunded elsewhere: a reference
    OTHER = auto()


_STARTS: Final = (
    ("|", Sign.BUSY),  # dark: its controller is just starting
    ("MAKE A SELECTION", Sign.IDLE),
    ("CREDIT", Sign.CREDIT),
    ("SELECTION", Sign.BUSY),
    ("VENDING", Sign.BUSY),
    ("PAYING CHANGE", Sign.BUSY),
    ("RETURNING MONEY", Sign.BUSY),
    ("PLEASE WAIT", Sign.BUSY),
    ("THANK YOU", Sign.THANKS),
    ("NOT DELIVERED|CARD REFUNDED", Sign.REFUNDED),
    ("NOT DELIVERED|REF", Sign.DUE),
    ("NOT DELIVERED", Sign.FAILED),
    ("CARD DECLINED", Sign.DECLINED),
    ("CARD", Sign.CARD),
    ("AUTHORISING", Sign.BUSY),
    ("CHECKING BILL", Sign.BUSY),
    ("BILL RETURNED", Sign.REFUSED),
    ("PLEASE BUY FIRST", Sign.REFUSED),
    ("NO CHANGE FOR", Sign.NO_CHANGE),
    ("KEEPS", Sign.KEEPS),
    ("WE OWE", Sign.OWED),
    ("OUT OF SERVICE", Sign.OUT),
    ("DOOR OPEN", Sign.OUT),
    ("SOLD OUT|", Sign.OUT),
    ("NOT ON SALE NOW", Sign.REFUSED),
)
_CONTAINS: Final = (
    ("|INSERT MONEY", Sign.PRICE),
    ("|TAP CARD", Sign.TAP),
    (" CASH ", Sign.TAP),  # both prices, the other one in the second line
    ("|PLEASE ADD", Sign.ADD),
    ("|CHOOSE ANOTHER", Sign.REFUSED),
    (" INVALID|", Sign.REFUSED),
)
LETS_GO: Final = frozenset(
    {
        Sign.IDLE,
        Sign.THANKS,
        Sign.CLAIM,
        Sign.PRICE,
        Sign.OUT,
        Sign.REFUNDED,
        Sign.DUE,
        Sign.DECLINED,
    }
)
"""Nothing is pending for whoever reads this."""

_AMOUNT: Final = re.compile(r"(?:CREDIT|WE OWE(?: YOU)?)\s+([0-9]+(?:\.[0-9]+)?)\|")
_MISSING: Final = re.compile(r"\|PLEASE ADD ([0-9]+(?:\.[0-9]+)?)")
_REF: Final = re.compile(r"REF ?([0-9]{4})")


def sign(text: str) -> Sign:
    """What this text means."""
    if text.startswith("WE OWE") and "|REF" in text:
        return Sign.CLAIM
    for start, meaning in _STARTS:
        if text.startswith(start):
            return meaning
    return next((meaning for part, meaning in _CONTAINS if part in text), Sign.OTHER)


def credit(text: str) -> int | None:
    """The customer's money as shown, in minor units; None where the text doesn't tell."""
    if sign(text) in (Sign.IDLE, Sign.PRICE, Sign.CLAIM, Sign.DUE):
        return 0
    return _minor(_AMOUNT.match(text))


def owed(text: str) -> int | None:
    """The amount of the claim that is shown."""
    return _minor(_AMOUNT.match(text)) if sign(text) is Sign.CLAIM else None


def missing(text: str) -> int | None:
    """What has to be added."""
    return _minor(_MISSING.search(text))


def reference(text: str) -> str | None:
    """The four digits under which the machine owes money."""
    found = _REF.search(text)
    return found[1] if found else None


def words(text: str) -> str:
    """Both lines as one readable phrase."""
    return " / ".join(" ".join(line.split()) for line in text.split("|") if line.strip())


def _minor(found: re.Match[str] | None) -> int | None:
    """The display always shows all decimals of the currency, so the digits are minor units."""
    return int(found[1].replace(".", "")) if found else None
