"""Money at the edges: text, ISO 4217 and the scaling units of devices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.core.iso4217 import TABLE
from vendd.core.money import (
    Currency,
    currency,
    format_amount,
    minor_to_scale,
    numeric,
    parse_amount,
    scale_to_minor,
)

EUR, JPY, KWD = currency("EUR"), currency("JPY"), currency("KWD")


@pytest.mark.parametrize(
    ("code", "number", "exponent"),
    [
        ("EUR", 978, 2),
        ("USD", 840, 2),
        ("CHF", 756, 2),
        ("CNY", 156, 2),
        ("GBP", 826, 2),
        ("COP", 170, 2),
        ("ALL", 8, 2),
        ("JPY", 392, 0),
        ("CLP", 152, 0),
        ("KRW", 410, 0),
        ("ISK", 352, 0),
        ("KWD", 414, 3),
        ("TND", 788, 3),
        ("CLF", 990, 4),
    ],
)
def test_iso_table(code: str, number: int, exponent: int) -> None:
    assert currency(code) == Currency(code, exponent)
    assert numeric(code) == number


def test_iso_table_is_whole_and_unambiguous() -> None:
    numbers = {number for number, _ in TABLE.values()}
    assert len(TABLE) == len(numbers) == 165
    assert all(len(code) == 3 and code.isupper() and code.isascii() for code in TABLE)
    assert all(0 < number < 1000 for number in numbers)


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "", "XXX", "XAU", "DEM", "€"])
def test_unknown_currency_is_named(code: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 4217 currency code") as error:
        currency(code)
    assert repr(code) in str(error.value)
    with pytest.raises(ValueError, match="not an ISO 4217"):
        numeric(code)


@pytest.mark.parametrize(
    ("text", "of", "amount"),
    [
        ("1.50", EUR, 150),
        ("0.05", EUR, 5),
        ("0.00", EUR, 0),
        ("12345.67", EUR, 1234567),
        ("9999999999.99", EUR, 999_999_999_999),
        ("150", JPY, 150),
        ("0", JPY, 0),
        ("1.500", KWD, 1500),
        ("0.005", KWD, 5),
    ],
)
def test_amounts_are_read_and_written(text: str, of: Currency, amount: int) -> None:
    assert parse_amount(text, of) == amount
    assert format_amount(amount, of) == text


@pytest.mark.parametrize(
    ("text", "of", "why"),
    [
        (1.5, EUR, "not text"),
        (150, JPY, "not text"),
        (True, JPY, "not text"),
        (None, EUR, "not text"),
        (["1.50"], EUR, "not text"),
        ("1.5", EUR, "has 1 decimals, EUR has 2"),
        ("1", EUR, "has 0 decimals"),
        ("1.500", EUR, "has 3 decimals"),
        ("1.50", JPY, "has 2 decimals, JPY has 0"),
        ("1.50", KWD, "has 2 decimals, KWD has 3"),
        ("-1.50", EUR, "not an amount"),
        ("+1.50", EUR, "not an amount"),
        ("1,50", EUR, "not an amount"),
        ("1 000.00", EUR, "not an amount"),
        ("1_000.00", EUR, "not an amount"),
        (" 1.50", EUR, "not an amount"),
        ("1.50\n", EUR, "not an amount"),
        ("01.50", EUR, "not an amount"),
        (".50", EUR, "not an amount"),
        ("1.", EUR, "not an amount"),
        ("1.50.0", EUR, "not an amount"),
        ("1e2", JPY, "not an amount"),
        ("0x10", JPY, "not an amount"),
        ("nan", EUR, "not an amount"),
        ("1.50 EUR", EUR, "not an amount"),
        ("١.٥٠", EUR, "not an amount"),
        ("²", JPY, "not an amount"),
        ("", EUR, "not an amount"),
    ],
)
def test_what_is_no_amount(text: object, of: Currency, why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        parse_amount(text, of)
    message = str(error.value)
    assert repr(text) in message
    assert format_amount(150, of) in message, "the remedy shows the right form"


def test_too_many_digits() -> None:
    with pytest.raises(ValueError, match=r"'12345678901\.00' is too large: at most 12 digits"):
        parse_amount("12345678901.00", EUR)


def test_a_huge_value_does_not_flood_the_message() -> None:
    with pytest.raises(ValueError, match="too large") as error:
        parse_amount("9" * 100_000, JPY)
    assert len(str(error.value)) < 120


@pytest.mark.parametrize(
    ("amount", "exponent", "text"),
    [
        (150, 2, "1.50"),
        (-5, 2, "-0.05"),
        (-150, 0, "-150"),
        (7, 3, "0.007"),
        (-1500, 3, "-1.500"),
        (0, 3, "0.000"),
        (100, 1, "10.0"),
    ],
)
def test_format_with_the_exponent_alone(amount: int, exponent: int, text: str) -> None:
    assert format_amount(amount, exponent) == text


@given(st.integers(0, 10**9), st.sampled_from([EUR, JPY, KWD]))
def test_reading_what_was_written_gives_the_same(amount: int, of: Currency) -> None:
    assert parse_amount(format_amount(amount, of), of) == amount


@given(st.text(max_size=12), st.sampled_from([EUR, JPY, KWD]))
def test_any_text_is_an_amount_or_a_value_error(text: str, of: Currency) -> None:
    try:
        amount = parse_amount(text, of)
    except ValueError:
        return
    assert format_amount(amount, of) == text


@pytest.mark.parametrize(
    ("units", "scale", "decimals", "exponent", "amount"),
    [
        (7, 5, 2, 2, 35),  # the specification's own example: X=5, Y=2, 7 -> 0.35
        (40, 5, 2, 2, 200),  # MEI CF7900: 2 EUR
        (3, 1, 0, 2, 300),  # whole units on a currency with cents
        (5, 1, 1, 2, 50),
        (100, 50, 0, 0, 5000),  # large units, no decimals
        (20, 5, 0, 2, 10000),
        (7, 5, 3, 2, None),  # 0.035 in a currency of cents
        (8, 5, 3, 2, 4),
        (150, 1, 2, 0, None),
        (100, 1, 2, 0, 1),
        (0, 5, 2, 2, 0),
        (1, 0, 2, 2, None),  # a device that says scale 0
    ],
)
def test_scaling_units(
    units: int, scale: int, decimals: int, exponent: int, amount: int | None
) -> None:
    assert scale_to_minor(units, scale, decimals, exponent) == amount
    if amount is not None:
        assert minor_to_scale(amount, scale, decimals, exponent) == units


@pytest.mark.parametrize(
    ("amount", "scale", "decimals", "exponent", "units"),
    [(36, 5, 2, 2, None), (35, 5, 2, 2, 7), (150, 1, 0, 2, None), (10, 0, 2, 2, None)],
)
def test_amounts_that_a_device_cannot_express(
    amount: int, scale: int, decimals: int, exponent: int, units: int | None
) -> None:
    assert minor_to_scale(amount, scale, decimals, exponent) == units


@given(st.integers(0, 2**32), st.integers(1, 255), st.integers(0, 4), st.integers(0, 4))
def test_scaling_back_is_exact_or_refused(
    units: int, scale: int, decimals: int, exponent: int
) -> None:
    amount = scale_to_minor(units, scale, decimals, exponent)
    if amount is not None:
        assert minor_to_scale(amount, scale, decimals, exponent) == units
