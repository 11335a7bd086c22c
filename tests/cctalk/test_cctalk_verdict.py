"""What became of a dispense command: every kind of evidence, as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.cctalk.event_log import following
from vendd.wire.cctalk.hopper_data import COUNT_WRAPS
from vendd.wire.cctalk.hopper_verdict import Dispense, Judgement, Verdict, judge
from vendd.wire.cctalk.news import Evidence

CUT = frozenset({"power_down_in_payout"})
NONE: frozenset[str] = frozenset()
NOT_TAKEN, RUNNING, ENDED = Verdict.NOT_TAKEN, Verdict.RUNNING, Verdict.ENDED


def at(counter: int, remaining: int, paid: int, unpaid: int, count: int | None = None) -> Evidence:
    return Evidence(counter, remaining, paid, unpaid, count)


B7 = at(7, 0, 4, 0, 100)  # before: counter 7, four coins paid last time
B7_ = at(7, 0, 4, 0)  # the same of a hopper without a lifetime count
B0 = at(0, 0, 4, 0, 100)
B0_ = at(0, 0, 4, 0)

# in words, before, said yes, coins seen while it ran, after, flags -> verdict, paid, certain, why
# five coins were asked for
ROWS = [
    ("reply lost, counter equal", B7, False, 0, at(7, 0, 4, 0, 100), NONE,
     NOT_TAKEN, 0, True, "not taken up"),
    ("the same without a lifetime count", B7_, False, 0, at(7, 0, 4, 0), NONE,
     NOT_TAKEN, 0, True, "not taken up"),
    ("wrong key", B7, False, 0, at(7, 0, 4, 0, 100), frozenset({"cipher_key_wrong"}),
     NOT_TAKEN, 0, True, "cipher_key_wrong"),
    ("reply lost, counter advanced, pays", B7, False, 0, at(8, 3, 2, 3), NONE,
     RUNNING, 2, True, ""),
    ("reply lost, counter advanced, done", B7, False, 0, at(8, 0, 5, 0, 105), NONE,
     ENDED, 5, True, ""),
    ("done, no lifetime count", B7_, True, 4, at(8, 0, 5, 0), NONE, ENDED, 5, True, ""),
    ("counter from 255 to 1", at(255, 0, 0, 0, 9), True, 0, at(1, 0, 5, 0, 14), NONE,
     ENDED, 5, True, ""),
    ("first payout after power-up", B0, True, 0, at(1, 0, 5, 0, 105), NONE, ENDED, 5, True, ""),
    ("ran empty after three", B7, True, 3, at(8, 0, 3, 2, 103), NONE, ENDED, 3, True, "short"),
    ("count and registers disagree", B7, True, 1, at(8, 0, 3, 2, 104), NONE,
     ENDED, 3, False, "short"),
    ("registers make no sense, the count does", B7, True, 1, at(8, 0, 9, 9, 104), NONE,
     ENDED, 4, True, "short"),
    ("neither makes sense", B7, True, 1, at(8, 0, 9, 9, 90), NONE, ENDED, 1, False, "short"),
    ("it paid one too many", B7, True, 5, at(8, 0, 5, 0, 106), NONE, ENDED, 5, False, ""),
    ("crash of the hopper, two coins out", B7, True, 1, at(0, 0, 2, 3, 102), CUT,
     ENDED, 2, True, "power_loss"),
    ("the same without a lifetime count", B7_, True, 1, at(0, 0, 2, 3), CUT,
     ENDED, 2, True, "power_loss"),
    ("power lost before the first coin", B7, True, 0, at(0, 0, 0, 5, 100), CUT,
     ENDED, 0, True, "power_loss"),
    ("all paid, then power lost", B7, True, 0, at(0, 0, 5, 0, 105), NONE,
     ENDED, 5, True, "power_loss"),
    ("power lost, command perhaps never heard", B7, False, 0, at(0, 0, 4, 0, 100), NONE,
     ENDED, 0, True, "power_loss"),
    ("the same, nothing but old registers", B7_, False, 0, at(0, 0, 4, 0), NONE,
     ENDED, 0, False, "power_loss"),
    ("power-up 0 before and after, never heard", B0, False, 0, at(0, 0, 4, 0, 100), NONE,
     NOT_TAKEN, 0, True, "not taken up"),
    ("0 before and after, without a count", B0_, False, 0, at(0, 0, 4, 0), NONE,
     NOT_TAKEN, 0, True, "not taken up"),
    ("0 before and after, but it said yes", B0_, True, 0, at(0, 0, 4, 0), NONE,
     ENDED, 0, False, "power_loss"),
    ("0 before and after, coins are missing", B0, False, 0, at(0, 0, 2, 3, 102), CUT,
     ENDED, 2, True, "power_loss"),
    ("0 before, cut before the first coin", B0, False, 0, at(0, 0, 0, 5, 100), CUT,
     ENDED, 0, True, "power_loss"),
    ("somebody else's payout", B7, False, 0, at(9, 0, 5, 0, 110), NONE,
     ENDED, 0, False, "other_payout"),
    ("somebody else's, and no more coins than asked for", B7, False, 0, at(9, 0, 5, 0, 103), NONE,
     ENDED, 3, False, "other_payout"),
    ("said yes and did not count", B7, True, 0, at(7, 0, 4, 0, 100), NONE,
     ENDED, 0, True, "not_counted"),
    ("still pays something unknown", B7, False, 0, at(7, 2, 4, 0), NONE, RUNNING, 0, False, ""),
    ("nothing known of before, pays", None, True, 0, at(8, 3, 2, 3), NONE,
     RUNNING, 0, False, ""),
    ("nothing known of before", None, True, 0, at(8, 0, 5, 0, 105), NONE,
     ENDED, 0, False, "restart"),
    ("nothing known of before, but it was seen to pay", None, True, 3, at(8, 0, 5, 0), NONE,
     ENDED, 5, False, "restart"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_verdict(row) -> None:
    _, before, said_yes, seen, after, flags, verdict, paid, certain, why = row
    found = judge(Dispense(5, before, said_yes, seen), after, flags)
    assert found == Judgement(verdict, paid, certain, why)


BYTE = st.integers(0, 255)
COUNT = st.one_of(st.none(), st.integers(0, COUNT_WRAPS - 1))
EVIDENCE = st.builds(Evidence, BYTE, BYTE, BYTE, BYTE, COUNT)


@given(
    st.integers(1, 255), st.one_of(st.none(), EVIDENCE), st.booleans(), EVIDENCE, st.data(),
    st.sampled_from([NONE, CUT]),
)  # fmt: skip
def test_whatever_it_says(coins, before, said_yes, after, data, flags) -> None:
    seen = data.draw(st.integers(0, coins))
    found = judge(Dispense(coins, before, said_yes, seen), after, flags)
    assert seen <= found.paid <= coins or found.verdict is NOT_TAKEN
    if found.verdict is NOT_TAKEN:  # the only leave to send it again
        assert before is not None
        assert before.counter == after.counter
        assert not said_yes
        assert not after.remaining
    if before is None or after.counter not in (0, before.counter, following(before.counter)):
        assert not found.certain
