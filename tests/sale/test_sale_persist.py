"""What survives a power cut, and what is refused in plain words (L6, L2)."""

import json

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from tests.sale.bench import Bench
from tests.sale.script import DROP, LEVER, coin, keyed, left_home, play, turned
from vendd.core.sale import persist
from vendd.core.sale.machine import durable_changed
from vendd.core.sale.states import (
    EPHEMERAL,
    Notice,
    State,
)

STORED = persist.dump(
    play(Bench(), (coin(200),), (keyed("A3"),), (LEVER,), (left_home,), (DROP,), (turned(),)).state
)


def test_what_is_half_typed_does_not_survive():
    state = State(entry="A", notice=Notice("thanks"), refused=("A3",), booting=True)
    assert persist.load(persist.dump(state)) == State()


def test_durable_is_what_is_stored():
    assert not durable_changed(State(), State(entry="A", lever_last=5))
    assert durable_changed(State(), State(exact_change=True))
    stored = json.loads(persist.dump(State()))["state"]
    assert not EPHEMERAL & stored.keys()
    assert EPHEMERAL | stored.keys() == set(State.__dataclass_fields__)


def test_a_newer_state_is_refused():
    newer = json.dumps({"version": persist.VERSION + 1, "state": {}}).encode()
    with pytest.raises(persist.NewerState, match="install the newer vendd again"):
        persist.load(newer)


def test_fields_that_an_older_vendd_did_not_know_get_their_defaults():
    body = json.loads(STORED)
    del body["state"]["lever_stuck"]
    del body["state"]["customer"]["owed_ref"]
    assert persist.load(json.dumps(body).encode()) == persist.load(STORED)


def test_an_older_shape_is_upgraded(monkeypatch):
    monkeypatch.setattr(persist, "VERSION", 2)
    monkeypatch.setitem(persist.UPGRADES, 1, lambda body: {**body, "credit": body["credit"] + 1})
    assert persist.load(STORED).credit == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"version":1}',
        b'{"version":"x","state":{}}',
        b'{"version":0,"state":{}}',
        b'{"version":1,"state":{"phase":{"phase":"Dancing"}}}',
        b'{"version":1,"state":{"phase":7}}',
        b'{"version":1,"state":{"phase":{"phase":"Vending"}}}',
        b'{"version":1,"state":{"customer":{}}}',
        b'{"version":1,"state":{"customer":5}}',
        b'{"version":1,"state":{"credit":"5"}}',
        b'{"version":1,"state":{"credit":5.5}}',
        b'{"version":1,"state":{"credit":true}}',
        b'{"version":1,"state":{"credit":null}}',
        b'{"version":1,"state":{"phase":null}}',
        b'{"version":1,"state":{"doubts":7}}',
        b'{"version":1,"state":{"doubts":[7]}}',
    ],
)
def test_nonsense_is_refused_in_plain_words(data):
    with pytest.raises(ValueError, match="stored sale state is not readable"):
        persist.load(data)


@settings(max_examples=300, deadline=None)
@for_all(st.integers(0, len(STORED) - 1), st.binary(min_size=0, max_size=3))
def test_a_damaged_state_is_a_state_or_refused(at, junk):
    try:
        state = persist.load(STORED[:at] + junk + STORED[at + len(junk) :])
    except ValueError:
        return
    assert isinstance(state, State)
    persist.dump(state)
