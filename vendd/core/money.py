"""Money: integer minor units of one currency; text and device units at the edges (promise M5).

No float ever holds an amount. People and config files write amounts as text
(``1.50``), devices count in scaling units; everything between is `int`.
"""

import re
from dataclasses import dataclass
from typing import Final

from vendd.core.iso4217 import TABLE

MAX_DIGITS: Final = 12
"""Longest amount that is read, all digits counted: far above any price, far below 64 bits."""

_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Currency:
    """`code` is the ISO 4217 alphabetic code; one major unit is 10^`exponent` minor units."""

    code: str
    exponent: int

    def __post_init__(self) -> None:
        assert 0 <= self.exponent <= 4, self.exponent


def currency(code: str) -> Currency:
    """The currency of an ISO 4217 alphabetic code in capitals. ValueError: no such currency."""
    return Currency(code, _entry(code)[1])


def numeric(code: str) -> int:
    """The ISO 4217 numeric code, 1..999, as MDB devices send it (``1978``: 1, then 978).

    ValueError: no such currency.
    """
    return _entry(code)[0]


def parse_amount(text: object, currency: Currency) -> int:
    """Minor units of an amount as the config writes it: ``1.50`` EUR, ``150`` JPY, ``1.500`` KWD.

    Strict, so that no typing error becomes a price: exactly the currency's
    decimals, no sign, no separators, no spaces, no leading zeros, at most
    `MAX_DIGITS` digits. ValueError names the value and shows the form.
    """
    form = _form(currency)
    if not isinstance(text, str):
        # One kind of error for all bad input: callers collect ValueErrors.
        raise ValueError(  # noqa: TRY004
            f"{_shown(text)} is not text: write amounts in quotes, {form}"
        )
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"{_shown(text)} is not an amount: write {form}")
    major, decimals = match[1], match[2] or ""
    if len(decimals) != currency.exponent:
        raise ValueError(
            f"{_shown(text)} has {len(decimals)} decimals, {currency.code} has "
            f"{currency.exponent}: write {form}"
        )
    if len(major) + len(decimals) > MAX_DIGITS:
        raise ValueError(f"{_shown(text)} is too large: at most {MAX_DIGITS} digits")
    return int(major + decimals)


def format_amount(amount: int, currency: Currency | int) -> str:
    """Text with the currency's decimals, without a symbol. `currency` may be the exponent alone."""
    exponent = currency if isinstance(currency, int) else currency.exponent
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).rjust(exponent + 1, "0")
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def scale_to_minor(units: int, scale: int, decimals: int, exponent: int) -> int | None:
    """Minor units of a device's `units`: units x scale x 10^(exponent - decimals).

    `scale` (scaling factor) and `decimals` are what the device said in its SETUP
    (MDB/ICP 4.2 section 5.3). None when that isn't a whole number of minor units,
    or when `scale` is 0: the numbers come from a wire and may be anything.
    """
    if scale < 1:
        return None
    amount, rest = divmod(units * scale * 10**exponent, 10**decimals)
    return None if rest else amount


def minor_to_scale(amount: int, scale: int, decimals: int, exponent: int) -> int | None:
    """The inverse of `scale_to_minor`: None when the device can't express `amount`."""
    if scale < 1:
        return None
    units, rest = divmod(amount * 10**decimals, scale * 10**exponent)
    return None if rest else units


def _entry(code: str) -> tuple[int, int]:
    """(numeric code, exponent)."""
    entry = TABLE.get(code)
    if entry is None:
        raise ValueError(
            f"{_shown(code)} is not an ISO 4217 currency code: "
            "three capital letters of a currency in use, for example EUR"
        )
    return entry


def _form(currency: Currency) -> str:
    """An example amount in the only form that is read."""
    return f'for example "{format_amount(150, currency)}"'


def _shown(text: object) -> str:
    """The value for a message, cut short: it may be anything."""
    shown = repr(text)
    return shown if len(shown) <= 40 else shown[:37] + "..."
