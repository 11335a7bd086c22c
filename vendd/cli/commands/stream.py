"""What went by: events tail|replay|dead, sales, cash levels."""

import json
import threading
from collections.abc import Callable, Iterator

import click

from vendd.cli.output import Data, amount
from vendd.cli.session import OrderOptions, Session, command, orders

_limit = click.option(
    "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="how many"
)


def add(group: click.Group) -> None:
    events = click.Group("events", help="The machine's events, as they leave it.")
    group.add_command(events)
    command(events, "tail")(_tail_options(tail))
    command(events, "dead")(_limit(dead))
    first, last = (click.argument(n, type=click.IntRange(1)) for n in ("from_seq", "to_seq"))
    command(events, "replay")(orders(first(last(replay))))
    command(group, "sales")(_limit(sales))
    cash = click.Group("cash", help="The money in the machine.")
    group.add_command(cash)
    command(cash, "levels")(levels)


def _tail_options(function: Callable[..., None]) -> Callable[..., None]:
    kind = click.option("--type", "kinds", multiple=True, help="as in sale-closed; repeatable")
    after = click.option("--after", type=click.IntRange(0), help="from this seq on")
    follow = click.option("--follow", "-f", is_flag=True, help="go on until Ctrl-C")
    return _limit(kind(after(follow(function))))


def tail(
    session: Session, limit: int, kinds: tuple[str, ...], after: int | None, follow: bool
) -> None:
    """The newest events, oldest first. With --json --follow one envelope per look."""
    pause = threading.Event()
    while True:
        query = {"limit": limit, "types": ",".join(kinds) or None, "after": after}
        data = session.local.get("/v1/events", query)
        if data["events"] or not follow:
            session.show(data, _events)
        if not follow:
            return
        after = max([after or 0, *(event["seq"] for event in data["events"])])
        pause.wait(1.0)


def _events(data: Data) -> Iterator[str]:
    for event in data["events"]:
        waits = "" if event["delivered"] else "  (not delivered)"
        name = event["type"].removeprefix("vend.")
        yield f"{event['seq']}  {event['time']}  {name}{waits}  {json.dumps(event['data'])}"
    if not data["events"]:
        yield "no event"


def dead(session: Session, limit: int) -> None:
    """Events that the broker refused for good, and why."""
    session.show(session.local.get("/v1/events/dead", {"limit": limit}), _dead)


def _dead(data: Data) -> Iterator[str]:
    for letter in data["dead_letters"]:
        yield f"{letter['seq']}  {letter['time']}  {letter['type']}: {letter['reason']}"
    if not data["dead_letters"]:
        yield "no dead letter"


def replay(session: Session, order: OrderOptions, from_seq: int, to_seq: int) -> None:
    """Send events FROM_SEQ to TO_SEQ again, dead letters among them."""
    order.confirm(f"Send events {from_seq} to {to_seq} again?")
    body = {"from_seq": from_seq, "to_seq": to_seq}
    if order.preview:
        session.show({**body, "events": 0}, lambda _: ["dry run, nothing was asked for"])
        return
    session.show(session.local.post("/v1/events/replay", body), _replayed)


def _replayed(data: Data) -> list[str]:
    return [f"{data['events']} events will be sent again"]


def sales(session: Session, limit: int) -> None:
    """The newest sales, whatever became of them."""
    session.show(session.local.get("/v1/sales", {"limit": limit}), _sales)


def _sales(data: Data) -> Iterator[str]:
    money = data["money"]
    for sale in data["sales"]:
        why = f" ({sale['reason']})" if sale["reason"] else ""
        paid = f" by {'+'.join(sale['tenders'])}" if sale["tenders"] else ""
        price = amount(sale["price"], money)
        yield (
            f"{sale['closed_at']}  {sale['sale_id']}  {sale['slot']} {sale['product']}"
            f"  {price}{paid}  {sale['outcome']}{why}"
        )
    value = amount(data["sales_value"], money)
    yield f"{data['sales_count']} sales for {value} since initialisation"


def levels(session: Session) -> None:
    """What the books say is in tubes, recycler, coin box and stacker."""
    session.show(session.local.get("/v1/cash"), _levels)


def _levels(data: Data) -> Iterator[str]:
    money = data["money"]
    for tube in data["tubes"]:
        marks = "".join(f"  {name}" for name in ("full", "defective") if tube[name])
        value = amount(tube["coin"] * tube["count"], money)
        yield f"tube      {tube['count']:>5} x {amount(tube['coin'], money):>6}  {value:>8}{marks}"
    for piece in data["pieces"]:
        value = amount(piece["value"] * piece["count"], money)
        each = amount(piece["value"], money)
        yield f"{piece['where']:<9} {piece['count']:>5} x {each:>6}  {value:>8}"
    exact = "; exact change only" if data["exact_change_only"] else ""
    yield f"{amount(data['change_value'], money)} can be paid out{exact}"
