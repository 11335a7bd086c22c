"""What a card number looks like, and what only looks like one."""

import pytest

from vendd.core.privacy import card_numbers, masked

# Test numbers that the card schemes publish; no card has them.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "378282246310005",
    "6011 1111 1111 1117",
    "3056-9309-0259-04",
    "3782 822463 10005",
    "6304000000000000000",
]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_found_and_masked_wherever_it_stands(card: str) -> None:
    for text in (card, f"serial={card}.", f'"detail":"{card}"', f"a {card}, b", f"%B{card}^DOE/J"):
        assert card_numbers(text) == [card]
        hidden = masked(text)
        assert card not in hidden
        assert card[-4:] in hidden
        assert len(hidden) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31T12:00:00.000Z",
        "4111111111111112",  # wrong check digit
        "411111111111",  # too short
        "41111111111111111111",  # too long
        "0000000000000000",
        "K-1 50 2026",
        "-1234567890123456",
        "1 2 3 4 5 6 7 8 9 0 1 2 8",  # a row of a table
    ],
)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert card_numbers(text) == []
    assert masked(text) == text
