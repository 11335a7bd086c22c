r"""The lines of a Qibixx adapter that is master of a card reader by itself (``D,...``).

115200 8N1, ASCII lines. Documented by the maker (docs.qibixx.com, *Vending sessions examples*):
``D,2`` makes it the master of a reader, always idle (``D,1``: a card comes first);
``d,STATUS,RESET`` and ``d,STATUS,INIT,1`` follow. ``D,READER,1`` enables, ``d,STATUS,IDLE`` says
that the reader is free, ``d,STATUS,CREDIT,<funds>`` that a card is there. ``D,REQ,<price>,<item>``
asks for money, ``D,REQ,-1`` takes that back; ``d,STATUS,VEND``, then
``d,STATUS,RESULT,1,<amount>`` or ``d,STATUS,RESULT,-1``. ``D,END,<item>`` delivered,
``D,END,-1`` not delivered; then ``d,STATUS,IDLE``. What it can't do is ``d,ERR,...``.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

BAUD: Final = 115200
MAX_LINE: Final = 128
NO_ITEM: Final = 0xFFFF
VERSION: Final = "V"
CANCEL: Final = "D,REQ,-1"
FAILED: Final = "D,END,-1"
_AMOUNT: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,4}))?", re.ASCII)


class Word(Enum):
    """What a line without an amount says."""

    ALIVE = "v"
    RESET = "RESET"
    READY = "INIT,1"
    IDLE = "IDLE"
    DENIED = "RESULT,-1"
    REFUSED = "ERR"
    ASIDE = "aside"  # on its way to something else
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Card:
    """A card is there; `funds` None: not told."""

    funds: int | None


@dataclass(frozen=True, slots=True)
class Approved:
    """`amount` None: it can't be read."""

    amount: int | None


Heard = Word | Card | Approved


def start(*, always_idle: bool) -> str:
    # The empty line ends whatever an earlier life left half-written in the adapter's input.
    return "\nD,2" if always_idle else "\nD,1"


def enable(on: bool) -> str:
    return "D,READER,1" if on else "D,READER,0"


def request(price: int, item: int, exponent: int) -> str:
    """`price` in minor units, 0 or more; `exponent`: their decimals."""
    whole, part = divmod(price, 10**exponent)
    return f"D,REQ,{whole}.{part:0{exponent}},{item}" if exponent else f"D,REQ,{whole},{item}"


def delivered(item: int) -> str:
    return "D,END" if item == NO_ITEM else f"D,END,{item}"


def read(line: str, exponent: int) -> Heard | None:
    """What one line says, None for an empty one. Never raises."""
    if line.startswith("v,"):
        return Word.ALIVE
    match line.split(","):
        case [""]:
            return None
        case ["d", "STATUS", "RESULT", "1", amount]:
            return Approved(minor(amount, exponent))
        case ["d", "STATUS", "RESULT", "-1", *_]:
            return Word.DENIED
        case ["d", "STATUS", "CREDIT", *funds]:
            return Card(minor(funds[0], exponent) if funds else None)
        case ["d", "STATUS", "IDLE" | "RESET" as word]:
            return Word(word)
        case ["d", "STATUS", "INIT", "1"]:
            return Word.READY
        case ["d", "STATUS", *_]:
            return Word.ASIDE
        case ["d", "ERR", *_]:
            return Word.REFUSED
        case _:
            return Word.NOISE


def minor(text: str, exponent: int) -> int | None:
    """Minor units; None for what is no amount of this currency."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    whole, part = found[1], found[2] or ""
    if part[exponent:].strip("0"):
        return None
    return int(whole + part[:exponent].ljust(exponent, "0"))
