"""Looking at the machine: status, watch, slots, faults, journal."""

import json
from collections.abc import Callable, Iterable, Iterator

import click

from vendd.cli.output import Data, age, amount, bold, coloured, columns
from vendd.cli.session import Session, command


def add(group: click.Group) -> None:
    command(group, "status")(status)
    command(group, "watch")(_watch_options(watch))
    command(group, "slots")(slots)
    command(group, "faults")(faults)
    command(group, "journal")(_journal_options(journal))


def status(session: Session) -> None:
    """One screen: in service? payments, stock, tubes, faults, outbox."""
    session.show(session.local.get("/v1/status"), _status)


def _status(data: Data) -> Iterator[str]:
    money = data["money"]
    sells = "in service" if data["in_service"] else "OUT OF SERVICE"
    why = f" ({', '.join(data['reasons'])})" if data["reasons"] else ""
    yield bold(f"{data['machine']}  {sells}{why}")
    visit = data["visit"]
    if visit:
        yield f"visit     {visit['id']}: {visit['user']} ({visit['role']}) since {visit['since']}"
    yield f"door      {data['door']}"
    yield f"now       {_now(data, money)}"
    yield f"payments  {_tenders(data)}"
    tubes = ", ".join(_tube(tube, money) for tube in data["tubes"]) or "none"
    yield f"tubes     {tubes}; {amount(data['change_value'], money)} can be paid out"
    yield from _stock(data["stock"])
    yield from _faults(data)
    outbox = data["outbox"]
    waits = f", the oldest for {age(outbox['oldest_age_s'])}" if outbox["depth"] else ""
    yield f"outbox    {outbox['depth']} events wait{waits}"
    totals = data["totals"]
    yield (
        f"sales     {totals['sales_count']} for {amount(totals['sales_value'], money)}"
        " since initialisation"
    )
    believed = "" if data["clock_synchronised"] else " (not synchronised)"
    yield f"clock     {data['now']}{believed}"
    yield f"vendd     {data['software']}, up {age(data['uptime_s'])}, boot {data['boot_count']}"


def _now(data: Data, money: Data) -> str:
    credit = f", credit {amount(data['credit'], money)}" if data["credit"] else ""
    broken = "" if data["books_writable"] else "; THE BOOKS CAN'T BE WRITTEN"
    return f"{data['phase'].replace('_', ' ')}{credit}{broken}"


def _tenders(data: Data) -> str:
    said = [f"{t['kind']} {'ok' if t['usable'] else 'DOWN'}" for t in data["tenders"]]
    return ", ".join([*said, *(["exact change only"] if data["exact_change_only"] else [])])


def _tube(tube: Data, money: Data) -> str:
    marks = "".join(
        mark for name, mark in (("full", " full"), ("defective", " DEFECTIVE")) if tube[name]
    )
    return f"{tube['count']} x {amount(tube['coin'], money)}{marks}"


def _stock(stock: Data) -> Iterator[str]:
    yield (
        f"stock     {stock['sellable']} of {stock['slots']} slots sell,"
        f" {stock['units']} products, {stock['needed']} to par"
    )
    for name, title in (("sold_out", "sold out"), ("low", "low"), ("off", "off")):
        if stock[name]:
            yield f"          {title}: {' '.join(stock[name])}"


def _faults(data: Data) -> Iterator[str]:
    if not data["faults"]:
        yield "faults    none"
    for n, fault in enumerate(data["faults"]):
        yield f"{'faults' if n == 0 else '':<10}{fault['id']} ({fault['severity']}) {_more(fault)}"


def _more(fault: Data) -> str:
    detail = f": {fault['detail']}" if fault["detail"] else ""
    return f"since {fault['since']}{detail}"


_watch_options = click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="how often to look",
)


def watch(session: Session, every: float) -> None:
    """Status again and again, until Ctrl-C. With --json one envelope per line."""
    import threading

    pause = threading.Event()
    while True:
        data = session.local.get("/v1/status")
        if coloured() and not session.output.as_json:
            click.echo("\x1b[2J\x1b[H", nl=False)
        session.show(data, _status)
        pause.wait(every)


def slots(session: Session) -> None:
    """Every slot: product, level, prices, state."""
    session.show(session.local.get("/v1/slots"), _slots)


def _slots(data: Data) -> list[str]:
    rows = [("slot", "product", "level", "par", "cap", "cash", "card", "state")]
    for slot in data["slots"]:
        cash, card = (_price(slot, name, data["money"]) for name in ("cash", "card"))
        held = f" ({slot['reserved']} reserved)" if slot["reserved"] else ""
        rows.append(
            (
                slot["slot"],
                slot["product"],
                f"{slot['level']}{held}",
                str(slot["par"]),
                str(slot["capacity"]),
                cash,
                card,
                slot["state"],
            )
        )
    return columns(rows, frozenset({2, 3, 4, 5, 6}))


def _price(slot: Data, name: str, money: Data) -> str:
    if slot["free"]:
        return "free"
    prices = slot["prices"]
    return amount(prices.get(name, prices["cash"]), money)


def faults(session: Session) -> None:
    """What is wrong now, and since when."""
    session.show(session.local.get("/v1/faults"), _fault_list)


def _fault_list(data: Data) -> Iterable[str]:
    for fault in data["faults"]:
        times = f", {fault['count']} times" if fault["count"] > 1 else ""
        stops = f", stops {' '.join(fault['stops'])}" if fault["stops"] else ""
        yield f"{fault['id']}  {fault['severity']}{stops}, {_more(fault)}{times}"
    if not data["faults"]:
        yield "no fault"


def _journal_options(function: Callable[..., None]) -> Callable[..., None]:
    limit = click.option(
        "--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="lines"
    )
    before = click.option("--before", type=click.IntRange(1), help="lines older than this number")
    return limit(before(function))


def journal(session: Session, limit: int, before: int | None) -> None:
    """Who did what and why, newest first."""
    query = {"limit": limit, "before": before}
    session.show(session.local.get("/v1/journal", query), _journal)


def _journal(data: Data) -> Iterator[str]:
    for line in data["entries"]:
        refused = "REFUSED " if line["outcome"] == "refused" else ""
        why = f" -- {line['why']}" if line["why"] else ""
        yield (
            f"{line['id']}  {line['at']}  {line['user']} ({line['role'] or 'no role'})"
            f"  {refused}{line['action']}{why}"
        )
        for name in line["after"]:
            before, after = (json.dumps(line[side].get(name)) for side in ("before", "after"))
            yield f"      {name}: {before} -> {after}"
    if not data["entries"]:
        yield "the journal is empty"
