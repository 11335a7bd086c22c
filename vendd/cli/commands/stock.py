"""Slots: refill, stock remove|count, slot enable|disable|clear-jam, price set."""

import re
from collections.abc import Callable

import click

from vendd.cli.exits import Exit, Failure
from vendd.cli.session import OrderOptions, Session, command, orders


def add(group: click.Group) -> None:
    slots = click.argument("slots", nargs=-1, metavar="[SLOT | SLOT=UNITS]...")
    command(group, "refill")(orders(slots(refill)))
    stock = click.Group("stock", help="Correct what the books say is in the machine.")
    group.add_command(stock)
    command(stock, "remove")(orders(_remove_options(remove)))
    counts = click.argument("counts", nargs=-1, required=True, metavar="SLOT=LEVEL...")
    command(stock, "count")(orders(counts(count)))
    slot = click.Group("slot", help="Put a slot on sale, or take it off.")
    group.add_command(slot)
    for name, text in _SLOT.items():
        one = command(slot, name)(orders(click.argument("slot")(_slot(name))))
        one.help = text
    price = click.Group("price", help="What things cost.")
    group.add_command(price)
    command(price, "set")(orders(_price_options(price_set)))


_SLOT = {
    "enable": "Put a slot on sale again that somebody disabled.",
    "disable": "Take a slot off sale.",
    "clear-jam": "Put a slot on sale again that failed: you have looked at it.",
}


def refill(session: Session, order: OrderOptions, slots: tuple[str, ...]) -> None:
    """Book products that were put in: everything to par, these SLOTs to par, or SLOT=UNITS more.

    \b
    vendctl refill            every slot to its par level
    vendctl refill A1 B2      these two to par
    vendctl refill A1=4       four more in A1
    """
    if not slots:
        order.confirm("Book every slot as filled to its par level?")
    fills = [{"slot": name, "units": units} for name, units in map(_fill, slots)]
    session.done("/v1/refill", {"fills": fills}, order)


def _fill(text: str) -> tuple[str, int | None]:
    name, _, units = text.partition("=")
    return name.upper(), _units(text, units) if "=" in text else None


def _units(text: str, units: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,3}", units):
        raise Failure(Exit.USAGE, f"{text!r}: {units!r} is no number of products", "as in A1=4")
    return int(units)


def _remove_options(function: Callable[..., None]) -> Callable[..., None]:
    slot = click.argument("slot")
    units = click.argument("units", type=click.IntRange(1, 999))
    reason = click.option(
        "--reason", type=click.Choice(["expired", "damaged", "other"]), required=True
    )
    return slot(units(reason(function)))


def remove(session: Session, order: OrderOptions, slot: str, units: int, reason: str) -> None:
    """Book products that were taken out."""
    body = {"slot": slot.upper(), "units": units, "reason": reason}
    session.done("/v1/stock/remove", body, order)


def count(session: Session, order: OrderOptions, counts: tuple[str, ...]) -> None:
    """What really is in slots: the difference becomes an adjustment. Needs --why."""
    levels: dict[str, int] = {}
    for text in counts:
        name, sign, level = text.partition("=")
        if not sign or name.upper() in levels:
            what = f"{text!r} is no count" if not sign else f"{name} is named twice"
            raise Failure(Exit.USAGE, what, "as in A1=4")
        levels[name.upper()] = _units(text, level)
    order.confirm(f"Correct the books of {', '.join(levels)}?")
    session.done("/v1/stock/count", {"counts": levels}, order)


def _slot(action: str) -> Callable[..., None]:
    def run(session: Session, order: OrderOptions, slot: str) -> None:
        session.done("/v1/slot", {"slot": slot.upper(), "action": action}, order)

    return run


def _price_options(function: Callable[..., None]) -> Callable[..., None]:
    slot, price = click.argument("slot"), click.argument("price")
    name = click.option("--list", "price_list", default="cash", show_default=True)
    return slot(price(name(function)))


def price_set(
    session: Session, order: OrderOptions, slot: str, price: str, price_list: str
) -> None:
    """Set a price, as in: vendctl price set A3 1.60. Whoever has credit keeps the old one."""
    exponent = int(session.local.get("/v1/slots")["money"]["exponent"])
    minor = minor_units(price, exponent)
    order.confirm(f"Let {slot.upper()} cost {price} ({price_list})?")
    body = {"slot": slot.upper(), "price_list": price_list, "price": minor}
    session.done("/v1/price", body, order)


def minor_units(text: str, exponent: int) -> int:
    """An amount as people write it. Raises `Failure` for one that the currency has not."""
    pattern = rf"([0-9]{{1,7}})\.([0-9]{{{exponent}}})" if exponent else r"([0-9]{1,7})()"
    found = re.fullmatch(pattern, text)
    if found is None:
        like = f"1.{'5'.ljust(exponent, '0')}" if exponent else "150"
        raise Failure(Exit.USAGE, f"{text!r} is no amount of this currency", f"write {like}")
    return int(found[1] + found[2])
