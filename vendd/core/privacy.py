"""Card numbers do not leave: the last net, under everything that keeps them out by design.

Devices say what they like in texts and serial numbers. A run of digits that a card number could
be (ISO/IEC 7812: 13 to 19 digits, the last one a Luhn check digit) is taken out of whatever is
published or logged.
"""

import re
from typing import Final

_RUN: Final = re.compile(
    r"(?<![0-9])(?:[0-9]{13,19}"
    r"|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?"  # as most are printed
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})(?![0-9])"  # and those of 14 and 15 digits
)
_PLAIN: Final = re.compile(r"[0-9]{4}[ -]?[0-9]{4}")  # nothing shorter is worth the search


def card_numbers(text: str) -> list[str]:
    """What could be a card number: by length and check digit, also in groups of digits."""
    if _PLAIN.search(text) is None:
        return []
    return [found[0] for found in _RUN.finditer(text) if _luhn(found[0])]


def masked(text: str) -> str:
    """The text with such runs turned to zeros but for the first and the last four digits; so a
    number is a number still."""
    if _PLAIN.search(text) is None:
        return text
    return _RUN.sub(lambda found: _zeros(found[0]) if _luhn(found[0]) else found[0], text)


def _zeros(run: str) -> str:
    return run[0] + re.sub("[0-9]", "0", run[1:-4]) + run[-4:]


def _luhn(run: str) -> bool:
    digits = [int(digit) for digit in run if digit.isdigit()]
    if len(set(digits)) == 1:  # an empty field
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
