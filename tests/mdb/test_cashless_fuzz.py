"""Whatever comes back: no crash, no hang, one answer per order, no approval out of nothing.

See also `tests/fuzz`.
"""

import random

import pytest
from cashless_script import FULL3, INIT1, MONEY_ON_CARD, CardScript, card
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.reader_talk import ENDS, MEANING, ORDERS, REPLIES, ReaderTalk
from vendd.wire.mdb.cashless_poll import Mode, Noise, messages
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

STEPS = st.lists(st.one_of(REPLIES, st.sampled_from(ORDERS)), max_size=100)


def talk(script: CardScript) -> ReaderTalk:
    return ReaderTalk(script.machine, script.now)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.booleans())
def test_any_replies_from_power_on(steps: list[Reply | str], held: bool) -> None:
    checked = talk(CardScript(MONEY_ON_CARD, held=held))
    for step in steps:
        checked.step(step)
    checked.falls_silent()


@settings(max_examples=500, deadline=None)
@given(STEPS, st.sampled_from(["level 1", "level 3", "session", "asked", "approved"]))
def test_any_replies_in_operation(steps: list[Reply | str], where: str) -> None:
    script = card(init=FULL3 if where == "level 3" else INIT1)
    checked = talk(script)
    if where not in ("level 1", "level 3"):
        checked.exchange(Reply(Answer.DATA, b"\x03\x03\xe8"))
    if where in ("asked", "approved"):
        checked.order("request")
        checked.exchange(Reply(Answer.DATA, b"\x05\x00\x96") if where == "approved" else ACKED)
    for step in steps:
        checked.step(step)
    checked.falls_silent()


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=35), st.integers(1, 3), st.booleans())
def test_any_bytes_are_some_messages(data: bytes, level: int, wide: bool) -> None:
    found = messages(data, Mode(level, wide))
    assert found
    assert sum(isinstance(one, Noise) for one in found) <= len(data)


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_reader_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    checked = talk(card())
    for _ in range(400):
        data = Reply(Answer.DATA, rng.choice([rng.randbytes(rng.randint(1, 35)), *MEANING]))
        checked.exchange(rng.choice([ACKED, NAKED, SILENT, GARBLED, LOST, data, data]))
        checked.order(rng.choice(["request", "cancel", "failed", "recall", "end_session"]))
    checked.recovers(ENDS)
