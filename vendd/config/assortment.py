"""Checks on what is sold: slots, products, levels and prices."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from vendd.config.draft import Draft
from vendd.config.model import AMOUNTS
from vendd.config.problems import Problem
from vendd.config.reading import Path_
from vendd.core.money import Currency, currency, parse_amount


def _slots_unique(draft: Draft) -> Iterator[Problem]:
    entries = draft.slots
    yield from _twice(draft, "slot", "selection", ((n, s.selection) for n, s in entries))
    yield from _twice(draft, "slot", "item_no", ((n, s.item_no) for n, s in entries))
    yield from _twice(draft, "product", "id", ((n, p.id) for n, p in draft.products))
    first: dict[str, str] = {}
    for place, slot in entries:
        for motor in slot.motors:
            if motor in first:
                what = f"turns motor {motor}, which is slot {first[motor]}'s"
                path = ("slot", place, "motors")
                yield draft.problem(path, what, "a motor turns for one slot, once")
            first.setdefault(motor, slot.selection)


def _twice(
    draft: Draft, kind: str, key: str, values: Iterable[tuple[int, str | int]]
) -> Iterator[Problem]:
    first: dict[str | int, int] = {}
    for place, value in values:
        if value in first:
            what = f"stands in entry {first[value] + 1} and in entry {place + 1}"
            yield draft.problem((kind, place, key), what, f"give each [[{kind}]] its own {key}")
        first.setdefault(value, place)


def _slots_refer(draft: Draft) -> Iterator[Problem]:
    products = {entry.id for _, entry in draft.products}
    complete = isinstance(raw := draft.tree.values.get("product"), list) and len(raw) == len(
        draft.products
    )
    for place, slot in draft.slots:
        if complete and slot.product not in products:
            yield draft.problem(
                ("slot", place, "product"), "is no product", _nearest(slot.product, products)
            )
        if draft.motors is None:
            continue
        known = draft.motors.names()
        for n, motor in enumerate(slot.motors):
            if motor not in known:
                yield draft.problem(
                    ("slot", place, "motors", n), "is no motor of [motors]", _nearest(motor, known)
                )


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}"


def _selections_can_be_keyed(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots:
        path = ("slot", place, "selection")
        if draft.sale is not None and len(slot.selection) != draft.sale.selection_length:
            remedy = f"every selection has sale.selection_length = {draft.sale.selection_length}"
            yield draft.problem(path, f"has {len(slot.selection)} characters", remedy)
        if draft.keypad is None:
            continue
        legends = set(draft.keypad.legends()) - {draft.keypad.clear}
        for character in sorted(set(slot.selection) - legends):
            yield draft.problem(path, f"needs the key {character!r}", "keypad.keys has none")


def _levels(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots:
        par = slot.capacity if slot.par is None else slot.par
        pairs = (
            ("level", slot.level, "capacity", slot.capacity),
            ("par", par, "capacity", slot.capacity),
            ("threshold", slot.threshold, "par", par),
        )
        for small, value, large, most in pairs:
            if value > most:
                what = f"is larger than {large} = {most}"
                yield draft.problem(("slot", place, small), what, f"write at most {most}")


def _currency_and_amounts(draft: Draft) -> Iterator[Problem]:
    if draft.machine is None:
        return
    try:
        money = currency(draft.machine.currency)
    except ValueError as error:
        yield draft.problem(("machine", "currency"), str(error), "write the code of your currency")
        return
    for key in AMOUNTS:
        text = getattr(draft.sale, key, None)
        if text is not None:
            yield from _amount(draft, ("sale", key), text, money)
    for place, slot in draft.slots:
        if slot.price is not None:
            for name, text in slot.price.model_dump(exclude_none=True).items():
                yield from _amount(draft, ("slot", place, "price", name), text, money)


def _amount(draft: Draft, path: Path_, text: str, money: Currency) -> Iterator[Problem]:
    try:
        amount = parse_amount(text, money)
    except ValueError as error:
        what, _, remedy = str(error).partition(": ")
        yield draft.problem(path, what.removeprefix(f"{text!r} "), remedy)
        return
    if path[0] == "slot" and amount == 0:
        remedy = "write a price above 0, or free = true and no price"
        yield draft.problem(path, "is 0, and a price of 0 gives nothing away", remedy)


def _support_line_fits(draft: Draft) -> Iterator[Problem]:
    if draft.sale is None or draft.display is None:
        return
    length, columns = len(draft.sale.support_line), draft.display.columns
    if length > columns:
        what = f"has {length} characters"
        remedy = f"write at most {columns}, as display.columns says"
        yield draft.problem(("sale", "support_line"), what, remedy)


def _free_or_priced(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots:
        if slot.free and slot.price is not None:
            remedy = "remove the price, or free = true"
            yield draft.problem(("slot", place, "price"), "stands beside free = true", remedy)
        elif not slot.free and slot.price is None:
            remedy = 'write price = { cash = "1.50" }, or free = true'
            yield draft.problem(("slot", place, "price"), "is missing", remedy)


CHECKS: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (
    _slots_unique,
    _slots_refer,
    _selections_can_be_keyed,
    _levels,
    _currency_and_amounts,
    _free_or_priced,
    _support_line_fits,
)
