"""Every fact becomes a CloudEvent whose data validates against the shipped schema (E1, E4)."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import Context, encode, kind_of, topic_of
from vendd.events.kinds import BY_FACT, BY_TYPE, TOPICS, Kind
from vendd.events.schemas import load
from vendd.events.schemas.generate import rendered, schema

CONTEXT = Context(
    machine="demo-0001",
    boot_id="6a0f",
    boot_count=3,
    uptime_ms=123456,
    time="2026-01-31T12:00:00.000Z",
    clocksync=False,
    currency="EUR",
    exponent=2,
    software="1.0.0",
    config_hash="c0ffee",
    planogram_ver=4,
    price_ver=9,
)
MOVED = facts.CashMoved(
    src="tube",
    dst="customer",
    denominations=(facts.CoinCount(50, 2),),
    value=100,
    reason="manual_dispense",
    door_open=True,
)
KINDS = pytest.mark.parametrize("kind", BY_FACT.values(), ids=lambda kind: kind.name)


@pytest.fixture(autouse=True, scope="module")
def finite_floats() -> None:
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


def data_of(fact: Fact, context: Context = CONTEXT) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(encode(fact, 7, 3, context).data)
    return decoded


def test_every_fact_has_a_kind() -> None:
    # A fact without a type could not be committed; a type must not stand for two facts.
    defined = {cls for cls in vars(facts).values() if isinstance(cls, type)}
    assert set(BY_FACT) == {cls for cls in defined if issubclass(cls, Fact)} - {Fact}
    assert len(BY_TYPE) == len(BY_FACT)
    assert {topic_of(cls) for cls in BY_FACT} <= set(TOPICS)


@KINDS
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_fact_encodes_to_its_schema(kind: Kind, data: st.DataObject) -> None:
    fact = data.draw(st.from_type(kind.fact))
    sent = data_of(fact)
    Draft202012Validator(load(kind.type)).validate(sent)
    assert not sent.keys() - load(kind.type)["properties"].keys()
    assert None not in sent.values()


@KINDS
def test_schemas_are_up_to_date(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema(kind))
    shipped = json.dumps(load(kind.type), indent=2, ensure_ascii=False) + "\n"
    assert shipped == rendered(kind), "run python -m vendd.events.schemas"


def test_a_schema_refuses_what_is_not_of_its_type() -> None:
    validator = Draft202012Validator(load("vend.cash-moved.v1"))
    good = data_of(MOVED)
    assert validator.is_valid(good)
    assert not validator.is_valid(good | {"value": 1.5})
    assert not validator.is_valid({k: v for k, v in good.items() if k != "from"})


def test_envelope() -> None:
    event = encode(MOVED, seq=7, topicseq=3, context=CONTEXT)
    assert event.topic == "machine-events"
    assert event.type == "vend.cash-moved.v1"
    assert event.money
    assert event.attributes == {
        "specversion": "1.0",
        "id": "demo-0001:7",
        "source": "/machines/demo-0001",
        "type": "vend.cash-moved.v1",
        "time": "2026-01-31T12:00:00.000Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:vendd:schema:vend.cash-moved.v1",
        "machine": "demo-0001",
        "seq": "7",
        "topicseq": "3",
        "bootid": "6a0f",
        "bootcount": "3",
        "uptimems": "123456",
        "clocksync": "false",
    }
    assert load(event.type)["$id"] == event.attributes["dataschema"]


def test_attribute_names_are_cloudevents_names() -> None:
    # CloudEvents 1.0 section "Attribute naming": lower-case letters and digits.
    context = replace(CONTEXT, traceparent="00-1-2-01")
    fact = facts.ClaimClosed("c1", 50, "paid_by_hand", "tech-7")
    attributes = encode(fact, 1, 1, context).attributes
    assert all(name.isascii() and name.isalnum() and name.islower() for name in attributes)
    assert attributes["traceparent"] == "00-1-2-01"
    assert attributes["subject"] == "c1"


def test_data_uses_wire_names_and_leaves_none_out() -> None:
    assert data_of(MOVED) == {
        "from": "tube",
        "to": "customer",
        "denominations": [{"coin": 50, "count": 2}],
        "value": 100,
        "reason": "manual_dispense",
        "door_open": True,
        "currency": "EUR",
        "exponent": 2,
        "actor": {"kind": "customer"},
    }
    claim = facts.ClaimOpened("c1", 50, "no_change")
    assert "sale_id" not in data_of(claim)


def test_nested_none_is_left_out_too() -> None:
    evidence = facts.Evidence(left_home=True, drop=False, tubes_before=((50, 3),))
    fact = facts.SaleDoubtful("s1", 150, "cash", "sold", "sold", evidence, power_loss=True)
    assert data_of(fact)["evidence"] == {
        "left_home": True,
        "drop": False,
        "tubes_before": [[50, 3]],
    }


def test_stock_events_name_the_versions_and_the_actor() -> None:
    alert = facts.LowStockAlert(facts.AlertState.RAISED, "A1", "cola", 2, 2, 10, 8, 5)
    context = replace(CONTEXT, actor_kind="technician", actor_id="t-7")
    assert data_of(alert, context) == {
        "state": "raised",
        "slot": "A1",
        "product_id": "cola",
        "level": 2,
        "threshold": 2,
        "par": 10,
        "needed": 8,
        "product_level_machine": 5,
        "planogram_ver": 4,
        "price_ver": 9,
        "config_hash": "c0ffee",
        "software": "1.0.0",
        "actor": {"kind": "technician", "id": "t-7"},
    }


def test_money_is_never_thinned_and_telemetry_may_be() -> None:
    assert kind_of(facts.SaleClosed).money
    assert kind_of(facts.CashMoved).money
    assert not kind_of(facts.Fault).money
    assert not kind_of(facts.Door).money


def test_text_is_utf8_as_it_is() -> None:
    fact = facts.ClaimOpened("Köln-€-1", 50, "no_change")
    event = encode(fact, 1, 1, CONTEXT)
    assert "Köln-€-1".encode() in event.data


def test_a_text_that_could_be_a_card_number_is_masked_and_a_number_of_ours_is_not() -> None:
    found = facts.DeviceFound(
        "cashless1", "ACM", "model 5555555555554444", "4111111111111111", "1", 3, 0, "EUR", 1, 2
    )
    assert data_of(found)["serial"] == "4000000000001111"
    assert data_of(found)["model"] == "model 5000000000004444"
    clock = facts.ClockSet(4111111111111111, "jump", 1)
    assert data_of(clock)["offset_ms"] == 4111111111111111
