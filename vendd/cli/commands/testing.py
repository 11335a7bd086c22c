"""Trying hardware: test motor, test put-back."""

import click

from vendd.cli.session import OrderOptions, Session, command, orders


def add(group: click.Group) -> None:
    test = click.Group("test", help="Try hardware; no sale, and in no paid counter.")
    group.add_command(test)
    slot = click.argument("slot")
    command(test, "motor")(orders(slot(motor)))
    command(test, "put-back")(orders(slot(put_back)))


def motor(session: Session, order: OrderOptions, slot: str) -> None:
    """Turn a slot's motor once. What it moved is booked as a test: stock -1."""
    order.confirm(f"Turn the motor of {slot.upper()} now? Mind your hands.")
    session.done("/v1/test", {"slot": slot.upper(), "action": "motor"}, order)


def put_back(session: Session, order: OrderOptions, slot: str) -> None:
    """What a test had moved stands in its slot again: stock +1."""
    session.done("/v1/test", {"slot": slot.upper(), "action": "put-back"}, order)
