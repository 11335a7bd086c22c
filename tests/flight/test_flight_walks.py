"""Any day at all, recorded and replayed: every decision is the one that was made."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw_sim.replay.flight_file import BadDump, _kinds, orders
from tests.flight.tapes import RecordedBench, Tape, replayed
from tests.sale.script import DROP, coin, keyed, left_home, paid, play, turned
from tests.sale.walk import benches, walks
from vendd.core.operator.orders import Order
from vendd.core.plain import plain, value_of
from vendd.core.sale.reports import KeyPressed, Report

st.register_type_strategy(Order, st.one_of([st.builds(kind) for kind in orders().values()]))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(bench=benches(), moves=walks())
def test_any_walk_decides_the_same_when_it_is_replayed(bench, moves):
    tested = RecordedBench(world=bench.world)
    for move in moves:
        move(tested)
    if not tested.tape.lines:
        return
    tally, told = replayed(tested.tape.lines)
    assert tally.differences is None, told
    assert tally.decisions == len([one for one in tested.tape.lines if b'"hash"' in one])


def a_sale() -> list[bytes]:
    bench = RecordedBench(tape=Tape(size=100))
    play(bench, (coin(200),), (keyed("A3"),), (left_home,), (DROP,), (turned(),), (paid(),))
    return bench.tape.lines


def test_a_sale_in_words():
    tally, told = replayed(a_sale())
    assert tally.differences is None
    for words in (
        "saw   coin accepted: type",
        "now   sale phase idle -> credit",
        "does  turn motor: attempt id s1.1",
        "shows VENDING A3 | PLEASE WAIT",
        "books sale closed: sale id s1",
    ):
        assert words in told


def test_another_price_is_another_decision_and_what_follows_is_not_compared():
    lines = a_sale()
    assert b'"cash":150' in lines[0]
    lines[0] = lines[0].replace(b'"cash":150', b'"cash":250')
    tally, told = replayed(lines)
    assert tally.differences == ["life 1, report 3 at 1.000 s"]
    assert tally.skipped == len(lines) - 4
    assert "recorded: Vending, credit 200, [Reserved]" in told
    assert "decided:  Credit, credit 200, []" in told


def test_a_report_of_another_version_is_said_to_be_unknown():
    lines = a_sale()
    lines[2] = lines[2].replace(b'"KeyPressed"', b'"KeyTouched"')
    tally, told = replayed(lines)
    assert tally.differences
    assert "'KeyTouched' is no Report that this software knows" in told


def test_segments_that_were_lost_are_named():
    bench = RecordedBench(tape=Tape(size=2))
    bench.report(*(KeyPressed("A"), KeyPressed("9")) * 4)
    lines = bench.tape.lines
    tally, told = replayed(lines[:3] + lines[6:])
    assert tally.differences is None
    assert "(reports 3 to 4 are not on record)" in told


@pytest.mark.parametrize("kind", _kinds().values(), ids=_kinds())
def test_every_kind_of_report_is_read_as_it_was_written(kind: type):
    @settings(max_examples=2, deadline=None, database=None)
    @given(report=st.builds(kind) if hasattr(kind, "__dataclass_fields__") else st.just(kind()))
    def check(report):
        back = value_of(Report, plain(report), _kinds() | orders())
        assert type(back) is kind
        assert plain(back) == plain(report)

    check()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_in_words_or_replayed(data):
    lines = a_sale()
    number = data.draw(st.integers(0, len(lines) - 1))
    line = bytearray(lines[number])
    for _ in range(data.draw(st.integers(1, 3))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    lines[number] = bytes(line)
    with suppress(BadDump):
        replayed(lines)
