"""Text to display cells: fitted, and predictable where the ROM lacks a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.drivers.glass import EURO_CODE, encode, fit


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A3          1.50", b"A3          1.50"),
        ("1.50 €", b"1.50 " + bytes([EURO_CODE])),
        ("Käse für ö", b"K\xe1se f\xf5r \xef"),
        ("ÄÖÜ ÉÈ Ñ", b"AOU EE N"),
        ("groß", b"gro\xe2"),
        ("crème brûlée", b"creme brulee"),
        ("cre\u0300me", b"creme"),
        ("Łódź", b"Lodz"),
        ("a\\b~c", b"a/b-c"),
        ("„x“ – ‘y’…", b"\"x\" - 'y'."),
        ("21°C ¥5", b"21\xdfC \x5c5"),
        ("コーヒー", b"????"),
        ("ｺｰﾋｰ", b"\xba\xb0\xcb\xb0"),
        ("😀", b"?"),
        ("a\nb\tc\x00\x01\x7f", b"a b c   "),
        ("½ ² ﬁ", b"1 2 f"),
    ],
)
def test_encode(text: str, codes: bytes) -> None:
    assert encode(text) == codes


@pytest.mark.parametrize(
    ("lines", "cells"),
    [
        ((), (b"    ", b"    ")),
        (("ab",), (b"ab  ", b"    ")),
        (("abcdef", "x", "lost"), (b"abcd", b"x   ")),
    ],
)
def test_fit(lines: tuple[str, ...], cells: tuple[bytes, ...]) -> None:
    assert fit(lines, 4, 2) == cells


@given(st.lists(st.text(), max_size=6), st.sampled_from([(16, 2), (20, 4)]))
def test_any_text_fits_and_only_the_euro_sign_is_a_custom_glyph(
    lines: list[str], size: tuple[int, int]
) -> None:
    columns, rows = size
    cells = fit(tuple(lines), columns, rows)
    assert [len(row) for row in cells] == [columns] * rows
    if "€" not in "".join(lines):
        assert min(code for row in cells for code in row) >= 0x20
