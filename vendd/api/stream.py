"""Events as they were committed, sales among them, and cash as it lies in the machine."""

import json
from collections.abc import Mapping
from typing import Any

from vendd.api.looking import Money, Tube, money, tubes
from vendd.api.problems import Response
from vendd.core.operator.sight import Sight


class Event(Response):
    """`delivered`: the broker has it. `data`: as its JSON Schema says."""

    seq: int
    type: str
    time: str
    topic: str
    delivered: bool
    data: dict[str, Any]


class Events(Response):
    """In the order of their seq."""

    events: tuple[Event, ...]


class DeadLetter(Response):
    seq: int
    type: str
    time: str
    topic: str
    reason: str


class DeadLetters(Response):
    """Events that the broker refused for good, oldest first."""

    dead_letters: tuple[DeadLetter, ...]


class Replayed(Response):
    """`events`: how many will be sent again."""

    from_seq: int
    to_seq: int
    events: int


class Sale(Response):
    seq: int
    sale_id: str
    closed_at: str
    slot: str
    product: str
    price: int
    outcome: str
    reason: str | None
    tenders: tuple[str, ...]


class Sales(Response):
    """The newest, oldest of them first; totals since initialisation beside them."""

    money: Money
    sales_count: int
    sales_value: int
    sales: tuple[Sale, ...]


class Pieces(Response):
    """`where`: coin_box, stacker or recycler."""

    where: str
    value: int
    count: int


class Cash(Response):
    """What the books say is in the machine. `change_value`: what could be paid out now."""

    money: Money
    tubes: tuple[Tube, ...]
    pieces: tuple[Pieces, ...]
    change_value: int
    exact_change_only: bool


def event(seq: int, attributes: Mapping[str, str], data: bytes, *, topic: str, up_to: int) -> Event:
    """`up_to`: the newest seq that was delivered."""
    return Event(
        seq=seq,
        type=attributes["type"],
        time=attributes["time"],
        topic=topic,
        delivered=seq <= up_to,
        data=json.loads(data),
    )


def sale(seq: int, data: bytes) -> Sale:
    """From a `sale-closed`."""
    body = json.loads(data)
    return Sale(
        seq=seq,
        sale_id=body["sale_id"],
        closed_at=body["closed_at"],
        slot=body["slot"],
        product=body["product_name"],
        price=body["price_charged"],
        outcome=body["outcome"],
        reason=body.get("reason"),
        tenders=tuple(dict.fromkeys(t["kind"] for t in body["tenders"] if t.get("applied"))),
    )


def sales(sight: Sight, found: list[Sale]) -> Sales:
    totals = sight.world.totals
    return Sales(
        money=money(sight),
        sales_count=totals.sales_count,
        sales_value=totals.sales_value,
        sales=tuple(found),
    )


def cash(sight: Sight, boxes: list[tuple[str, int, int]]) -> Cash:
    world = sight.world
    stores = [("recycler", s.value, s.count) for s in world.recycler if s.count]
    held, change_value = tubes(sight)
    return Cash(
        money=money(sight),
        tubes=held,
        pieces=tuple(Pieces(where=w, value=v, count=c) for w, v, c in [*stores, *boxes]),
        change_value=change_value,
        exact_change_only=sight.state.exact_change,
    )
