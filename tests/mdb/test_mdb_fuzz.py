"""Whatever comes back: no crash, no hang, no credit out of nothing. See also `tests/fuzz`."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_script import BY_COINS, EUR, Script

from tests.fuzz.changer_talk import REPLIES, ChangerTalk
from vendd.wire.mdb.changer_start import ChangerRules
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.qibixx import QibixxCodec


def talk(script: Script) -> ChangerTalk:
    return ChangerTalk(script.machine, script.now)


@settings(max_examples=200, deadline=None)
@given(st.lists(REPLIES, max_size=80), st.sampled_from([EUR, BY_COINS]))
def test_any_replies_from_power_on(replies: list[Reply], rules: ChangerRules) -> None:
    checked = talk(Script(rules))
    for reply in replies:
        checked.exchange(reply)
    assert checked.coins == 0 or checked.machine.poll.values != (0,) * 16


@settings(max_examples=300, deadline=None)
@given(st.lists(REPLIES, max_size=80), st.sampled_from([EUR, BY_COINS]), st.integers(0, 20))
def test_any_replies_in_operation_and_in_a_payout(
    replies: list[Reply], rules: ChangerRules, at: int
) -> None:
    script = Script(rules)
    script.up()
    checked = talk(script)
    for number, reply in enumerate(replies):
        if number == at:
            checked.order("pay")
        checked.exchange(reply)
    checked.falls_silent()  # and the payout comes to its one end


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_changer_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    script = Script()
    script.up()
    checked = talk(script)
    for _ in range(500):
        noise = Reply(Answer.DATA, rng.randbytes(rng.randint(1, 35)))
        reset = Reply(Answer.DATA, b"\x0b")
        checked.exchange(rng.choice([ACKED, NAKED, SILENT, GARBLED, LOST, noise, reset]))
    checked.recovers()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30))
def test_arbitrary_bytes_on_the_line_are_no_credit(pieces: list[bytes]) -> None:
    """No line of garbage is a coin: only `r,` or `p,` and clean hex is data at all."""
    script = Script()
    script.up()
    checked = talk(script)
    codec = QibixxCodec()
    for piece in pieces:
        for item in codec.feed(piece.replace(b"r,", b"").replace(b"p,", b"")):
            if isinstance(item, Reply):
                checked.exchange(item)
    assert checked.coins == 0
