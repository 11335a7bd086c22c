"""Being at the machine: service enter|leave, inhibit."""

import click

from vendd.cli.session import OrderOptions, Session, command, orders


def add(group: click.Group) -> None:
    visit = click.Group("service", help="Begin and end a visit; meanwhile nothing is sold.")
    group.add_command(visit)
    command(visit, "enter")(orders(enter))
    command(visit, "leave")(orders(leave))
    state = click.argument("state", type=click.Choice(["on", "off"]))
    command(group, "inhibit")(orders(state(inhibit)))


def enter(session: Session, order: OrderOptions) -> None:
    """Out of service for customers; credit is returned, a sale that runs is finished."""
    session.done("/v1/service", {"state": "enter"}, order)


def leave(session: Session, order: OrderOptions) -> None:
    """The visit is over; the machine sells again unless something else stops it."""
    session.done("/v1/service", {"state": "leave"}, order)


def inhibit(session: Session, order: OrderOptions, state: str) -> None:
    """Take the machine out of service (on) until somebody says off."""
    if state == "on":
        order.confirm("Customers can't buy until vendctl inhibit off. Go on?")
    session.done("/v1/inhibit", {"on": state == "on"}, order)
