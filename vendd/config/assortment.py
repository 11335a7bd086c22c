"""Checks on what is sold: products, slots, levels and price lists."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from vendd.config.amounts import minor, money_of, prices
from vendd.config.draft import Draft
from vendd.config.model import as_slot
from vendd.config.problems import Problem
from vendd.config.sections import SlotEntry
from vendd.core.money import Currency, format_amount, parse_amount
from vendd.core.planogram import Product, Slot, check_planogram


def _products_unique(draft: Draft) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for place, entry in draft.products:
        if entry.id in first:
            what = f"stands in entry {first[entry.id] + 1} and in entry {place + 1}"
            remedy = "give each [[product]] its own id"
            yield draft.problem(("product", place, "id"), what, remedy)
        first.setdefault(entry.id, place)


def _products_exist(draft: Draft) -> Iterator[Problem]:
    raw = draft.tree.values.get("product")
    if not isinstance(raw, list) or len(raw) != len(draft.products):
        return  # one of them is wrong itself and may be the one that is meant
    products = {entry.id for _, entry in draft.products}
    for place, slot in draft.slots:
        if slot.product not in products:
            remedy = _nearest(slot.product, products)
            yield draft.problem(("slot", place, "product"), "is no product", remedy)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}"


def _selections_can_be_keyed(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots[:1]:  # the others must be as long as the first
        if draft.sale is not None and len(slot.selection) != draft.sale.selection_length:
            what = f"has {len(slot.selection)} characters"
            remedy = f"every selection has sale.selection_length = {draft.sale.selection_length}"
            yield draft.problem(("slot", place, "selection"), what, remedy)
    if draft.keypad is None:
        return
    legends = set(draft.keypad.legends()) - {draft.keypad.clear}
    for place, slot in draft.slots:
        for character in sorted(set(slot.selection) - legends):
            what = f"needs the key {character!r}, which keypad.keys has not"
            remedy = f"the keys are {' '.join(sorted(legends))}"
            yield draft.problem(("slot", place, "selection"), what, remedy)


def _first_levels(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots:
        if slot.level > slot.capacity:
            what = f"is larger than capacity = {slot.capacity}"
            remedy = f"write at most {slot.capacity}"
            yield draft.problem(("slot", place, "level"), what, remedy)


def _planogram(draft: Draft) -> Iterator[Problem]:
    """The core's own rules, their findings at the keys where they were set."""
    money = money_of(draft)
    if money is None:
        return
    named = {motor for _, slot in draft.slots for motor in slot.motors}
    motors = named if draft.motors is None else draft.motors.names()
    slots = [_readable(entry, money) for _, entry in draft.slots]
    for found in check_planogram(slots, motors=motors):
        number, key = _WHERE.fullmatch(found.where).groups()  # type: ignore[union-attr]
        place = draft.slots[int(number) - 1][0]
        yield draft.problem(("slot", place, *key.split()), found.what, found.remedy)


_WHERE: Final = re.compile(r"slot (\d+) \(.*\) ([a-z0-9_ ]+)")


def _readable(entry: SlotEntry, money: Currency) -> Slot:
    """The slot with stand-ins for what is complained about elsewhere: product and bad amounts."""
    readable = {}
    for name, text in prices(entry):
        try:
            readable[name] = parse_amount(text, money)
        except ValueError:
            readable[name] = 1
    known = {entry.product: Product(entry.product, entry.product)}
    unpriced = as_slot(entry.model_copy(update={"price": None}), known, money)
    return replace(unpriced, prices=readable)


def _price_lists(draft: Draft) -> Iterator[Problem]:
    for place, slot in draft.slots:
        for name, _ in prices(slot):
            path = ("slot", place, "price", name)
            near = difflib.get_close_matches(name, ("card", "cash"), n=1)
            if not _LIST.fullmatch(name):
                remedy = "a price list is a name of small letters, digits and '_'"
                yield draft.problem(path, "is no name of a price list", remedy)
            elif near and name != near[0]:
                remedy = f'did you mean "{near[0]}"?'
                yield draft.problem(path, "is a price list of its own", remedy, warning=True)


_LIST: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def _card_prices(draft: Draft) -> Iterator[Problem]:
    """What a card pays must stay above nothing."""
    money = money_of(draft)
    if money is None or draft.sale is None or draft.sale.card_discount is None:
        return
    less = minor(draft.sale.card_discount, money) or 0
    more = minor(draft.sale.card_surcharge or "", money) or 0
    for place, slot in draft.slots:
        cash = None if slot.price is None else minor(slot.price.cash, money)
        if slot.price is not None and slot.price.card is None and cash and cash + more <= less:
            path = ("slot", place, "price")
            discount = format_amount(less, money)
            what = f"leaves nothing to pay by card after sale.card_discount = {discount}"
            yield draft.problem(path, what, "write a card price, or a smaller discount")


def _support_line_fits(draft: Draft) -> Iterator[Problem]:
    if draft.sale is None or draft.display is None:
        return
    length, columns = len(draft.sale.support_line), draft.display.columns
    if length > columns:
        what = f"has {length} characters"
        remedy = f"write at most {columns}, as display.columns says"
        yield draft.problem(("sale", "support_line"), what, remedy)


CHECKS: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (
    _products_unique,
    _products_exist,
    _selections_can_be_keyed,
    _first_levels,
    _price_lists,
    _card_prices,
    _planogram,
    _support_line_fits,
)
