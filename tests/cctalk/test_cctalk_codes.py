"""Names and values that devices give (appendices 3 and 15 of the specification)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.cctalk import codes
from vendd.wire.cctalk.bill_codes import bill_status
from vendd.wire.cctalk.coin_codes import coin_error

# value code -> minor units; 0: no whole one
VALUES = {
    "5m0": 0, "10m": 0, ".01": 0, "25m": 0, ".50": 0, "2.5": 0,
    "001": 1, "002": 2, "005": 5, "010": 10, "020": 20, "025": 25, "050": 50,
    "100": 100, "200": 200, "250": 250, "500": 500,
    "1K0": 1_000, "2K5": 2_500, "5K0": 5_000, "10K": 10_000, "50K": 50_000,
    "M10": 100_000, "M25": 250_000, "1M0": 1_000_000, "2M5": 2_500_000, "10M": 10_000_000,
    "50M": 50_000_000, "G10": 100_000_000,
    "...": 0, "---": 0, "5mK": 0, "000": 0, "K  ": 0, "mmm": 0, "1 0": 0,
}  # fmt: skip


@pytest.mark.parametrize(("code", "value"), VALUES.items())
def test_coin_values(code: str, value: int) -> None:
    assert codes.coin_value(f"EU{code}A") == (value or None)


def test_a_coin_value_in_another_unit() -> None:
    assert codes.coin_value("XX.50A", unit=100) == 50
    assert codes.coin_value("XX5m0A", unit=1000) == 5
    assert [codes.coin_value(name) for name in ("Token ", "......", "", "EU100", "EU1000A")] == (
        [None] * 5
    )


@pytest.mark.parametrize(
    ("name", "scaling", "decimals", "exponent", "value"),
    [
        ("EU0005A", 100, 2, 2, 500),
        ("EU0500A", 100, 2, 2, 50_000),
        ("EU0005A", 10, 2, 2, 50),
        ("JP1000A", 1, 0, 0, 1_000),
        ("JP0010A", 100, 0, 2, 100_000),
        ("XX0005A", 1, 2, 0, None),
        ("XX0100A", 1, 2, 0, 1),
        (".......", 100, 2, 2, None),
        ("EU0000A", 100, 2, 2, None),
        ("EU0005A", 0, 2, 2, None),
        ("EU005A", 100, 2, 2, None),
    ],
)
def test_bill_values(name: str, scaling: int, decimals: int, exponent: int, value: int) -> None:
    assert codes.bill_value(name, scaling, decimals, exponent) == value


@given(st.text(max_size=8), st.integers(0, 65_535), st.integers(0, 255), st.integers(0, 4))
def test_any_name_has_a_positive_value_or_none(name: str, scaling: int, decimals: int, e: int):
    assert (codes.coin_value(name) or 1) > 0
    assert (codes.bill_value(name, scaling, decimals, e) or 1) > 0


@pytest.mark.parametrize(
    ("code", "out", "fault"),
    [
        (0, "", ""),
        (1, "rejected", ""),
        (2, "rejected", ""),
        (6, "lost", ""),
        (14, "", "coin_jam"),
        (17, "rejected", "coin_fraud"),
        (20, "rejected", "coin_fraud"),
        (25, "slug", ""),
        (36, "lost", ""),
        (128, "rejected", ""),
        (159, "rejected", ""),
        (160, "", "acceptor_alarm"),
        (254, "", ""),
        (255, "", "acceptor_alarm"),
    ],
)
def test_coin_errors(code: int, out: str, fault: str) -> None:
    assert (coin_error(code).out, coin_error(code).fault) == (out, fault)


def test_every_code_has_a_meaning() -> None:
    assert all(coin_error(code).out in ("", "rejected", "slug", "lost") for code in range(256))
    assert all(bill_status(code) for code in range(256))
    assert codes.self_check_fault(b"") == codes.self_check_fault(b"\0") == ""
    assert codes.self_check_fault(b"\x03\x02") == "credit_sensor"
    assert codes.self_check_fault(b"\xf0") == "fault_240"
    assert codes.text(b"SR5i\xff  ") == "SR5i?"
    assert codes.number(bytes.fromhex("4E61BC")) == 12345678
