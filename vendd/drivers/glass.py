"""Text to the cells of an HD44780 display with character ROM A00. Pure.

A00 is the Japanese ROM that nearly every module on sale has: ASCII without backslash and
tilde, a few accented and Greek letters, no capitals with accents, no Euro sign. The Euro sign
is a custom glyph; other letters lose their accents; what is left becomes ``?``.
"""

import unicodedata

from RPLCD.codecs import hd44780_a00

EURO_CODE = 0  # place in the character generator RAM
EURO_GLYPH = (0b00111, 0b01000, 0b11110, 0b01000, 0b11110, 0b01000, 0b00111, 0b00000)

_BLANK = 0x20
_UNKNOWN = ord("?")
_SUBSTITUTES = {
    "€": EURO_CODE,
    "ß": 0xE2,  # the Greek beta looks like it
    "µ": 0xE4,
    "\\": ord("/"),
    "~": ord("-"),
    "‘": ord("'"),
    "’": ord("'"),
    "“": ord('"'),
    "”": ord('"'),
    "„": ord('"'),
    "…": ord("."),
    "×": ord("x"),
    "æ": ord("a"),
    "Æ": ord("A"),
    "œ": ord("o"),
    "Œ": ord("O"),
    "ø": ord("o"),
    "Ø": ord("O"),
    "ł": ord("l"),
    "Ł": ord("L"),
    "đ": ord("d"),
    "Đ": ord("D"),
    "ı": ord("i"),
}


def encode(text: str) -> bytes:
    """One code per visible character; marks that combine with a letter go with it."""
    composed = unicodedata.normalize("NFC", text)
    return bytes(_code(char) for char in composed if not unicodedata.combining(char))


def fit(lines: tuple[str, ...], columns: int, rows: int) -> tuple[bytes, ...]:
    """Exactly `rows` rows of `columns` codes: cut at the right and below, padded with blanks."""
    blank = bytes([_BLANK]) * columns
    encoded = [encode(line)[:columns].ljust(columns, bytes([_BLANK])) for line in lines[:rows]]
    return (*encoded, *[blank] * (rows - len(encoded)))


def _code(char: str) -> int:
    if char in _SUBSTITUTES:
        return _SUBSTITUTES[char]
    if char < " " or char == "\x7f":
        return _BLANK  # codes below 8 are the custom glyphs, never text
    known = hd44780_a00.encoding_table.get(char)
    if known is not None:
        return int(known)
    plain = unicodedata.normalize("NFKD", char)[0]
    return ord(plain) if plain != char and " " < plain <= "}" else _UNKNOWN
