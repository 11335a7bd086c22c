"""Whatever comes back from a bill validator: no crash, no hang, no credit out of nothing.

See also `tests/fuzz`.
"""

import random

import pytest
from bill_script import EUR, INIT1, RECYCLER
from bill_script import BillScript as Script
from hypothesis import given, settings
from hypothesis import strategies as st
from mdb_script import Row

from tests.fuzz.bill_talk import REPLIES, BillTalk
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

ORDERS = st.lists(st.sampled_from(["", "", "stack", "give_back", "pay"]), max_size=80)


def talk(script: Script) -> BillTalk:
    return BillTalk(script.machine, script.now)


@settings(max_examples=200, deadline=None)
@given(st.lists(REPLIES, max_size=80))
def test_any_replies_from_power_on(replies: list[Reply]) -> None:
    checked = talk(Script(EUR))
    for reply in replies:
        checked.exchange(reply)


@settings(max_examples=300, deadline=None)
@given(st.lists(REPLIES, max_size=80), ORDERS, st.sampled_from([INIT1, RECYCLER]))
def test_any_replies_in_operation_and_in_payouts(
    replies: list[Reply], orders: list[str], init: list[Row]
) -> None:
    script = Script()
    script.up(init)
    checked = talk(script)
    for number, reply in enumerate(replies):
        checked.order(orders[number] if number < len(orders) else "")
        checked.exchange(reply)
    checked.falls_silent()  # and every payout comes to its one end


@pytest.mark.parametrize("seed", range(5))
def test_a_sane_validator_recovers_from_anything(seed: int) -> None:
    rng = random.Random(seed)
    script = Script()
    script.up(RECYCLER)
    checked = talk(script)
    for _ in range(500):
        noise = Reply(Answer.DATA, rng.randbytes(rng.randint(1, 35)))
        reset = Reply(Answer.DATA, b"\x06")
        checked.exchange(rng.choice([ACKED, NAKED, SILENT, GARBLED, LOST, noise, reset]))
    checked.recovers()
