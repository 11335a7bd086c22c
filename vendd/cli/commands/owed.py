"""What is owed and unknown: claims list|close, doubtful list|resolve."""

from collections.abc import Iterator

import click

from vendd.cli.output import Data, amount
from vendd.cli.session import OrderOptions, Session, command, orders

_HOW = ["paid_by_hand", "refunded_elsewhere", "written_off"]
_DECISIONS = ["sold", "refunded", "written_off"]


def add(group: click.Group) -> None:
    every = click.option("--all", "closed", is_flag=True, help="closed ones, too")
    claims = click.Group("claims", help="Money that customers are owed.")
    group.add_command(claims)
    command(claims, "list")(every(claims_list))
    how = click.option("--how", type=click.Choice(_HOW), required=True)
    command(claims, "close")(orders(click.argument("ref")(how(claims_close))))
    doubtful = click.Group("doubtful", help="Sales whose outcome nobody saw.")
    group.add_command(doubtful)
    command(doubtful, "list")(every(doubtful_list))
    decision = click.option("--as", "decision", type=click.Choice(_DECISIONS), required=True)
    number = click.argument("number", type=click.IntRange(1))
    command(doubtful, "resolve")(orders(number(decision(doubtful_resolve))))


def claims_list(session: Session, closed: bool) -> None:
    """What customers are owed, newest first."""
    session.show(session.local.get("/v1/claims", {"closed": int(closed)}), _claims)


def _claims(data: Data) -> Iterator[str]:
    money = data["money"]
    for claim in data["claims"]:
        how, by = claim["closed_how"], claim["closed_by"]
        end = f"  closed: {how} by {by}, {claim['changed_at']}" if how else ""
        sale = f" of {claim['sale_id']}" if claim["sale_id"] else ""
        owed = amount(claim["amount"], money)
        yield f"{claim['ref']}  {owed}  {claim['reason']}{sale}, {claim['opened_at']}{end}"
    yield f"{amount(data['owed'], money)} owed" if data["claims"] else "no claim"


def claims_close(session: Session, order: OrderOptions, ref: str, how: str) -> None:
    """A claim was settled outside the machine (owners only). Nothing is paid out here."""
    order.confirm(f"Close claim {ref} as {how}?")
    session.done("/v1/claims/close", {"ref": ref, "how": how}, order)


def doubtful_list(session: Session, closed: bool) -> None:
    """Sales whose outcome nobody saw, with what the devices showed."""
    session.show(session.local.get("/v1/doubts", {"closed": int(closed)}), _doubts)


def _doubts(data: Data) -> Iterator[str]:
    money = data["money"]
    for doubt in data["doubts"]:
        end = f"  -> {doubt['decision']} by {doubt['decided_by']}" if doubt["decision"] else ""
        what = f"{doubt['sale_id']}  {amount(doubt['amount'], money)}"
        yield (
            f"{doubt['number']}  {doubt['at']}  {what} {doubt['tender']},"
            f" booked as {doubt['booked_as']} ({doubt['policy']}){end}"
        )
        shown = ", ".join(f"{name} {value}" for name, value in doubt["evidence"].items())
        yield f"      {shown}"
    if not data["doubts"]:
        yield "no doubtful sale"


def doubtful_resolve(session: Session, order: OrderOptions, number: int, decision: str) -> None:
    """Decide what a doubtful sale was (owners only). Needs --why; the books stay as they are."""
    order.confirm(f"Record doubtful sale {number} as {decision}?")
    session.done("/v1/doubts/resolve", {"number": number, "decision": decision}, order)
