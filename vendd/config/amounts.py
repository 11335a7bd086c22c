"""Checks on everything that is an amount of money: readable in the machine's currency."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from vendd.config.draft import Draft
from vendd.config.model import AMOUNTS
from vendd.config.payment import CcTalk
from vendd.config.problems import Problem
from vendd.config.reading import Path_
from vendd.config.sections import SlotEntry
from vendd.core.money import Currency, currency, parse_amount

_Amounts = Iterator[tuple[Path_, str]]


def money_of(draft: Draft) -> Currency | None:
    """Whatever else is wrong with ``[machine]``: amounts can be read once the currency can."""
    code = draft.tree.at(("machine", "currency"))
    try:
        return currency(code) if isinstance(code, str) else None
    except ValueError:
        return None


def prices(entry: SlotEntry) -> list[tuple[str, str]]:
    """(price list, amount as text) of one slot."""
    lists = {} if entry.price is None else entry.price.model_dump(exclude_none=True)
    return list(lists.items())


def minor(text: str, money: Currency) -> int | None:
    """Minor units; None for what is complained about here."""
    try:
        return parse_amount(text, money)
    except ValueError:
        return None


def _amounts(draft: Draft) -> Iterator[Problem]:
    money = money_of(draft)
    if money is None:
        if re.fullmatch("[A-Z]{3}", str(draft.tree.at(("machine", "currency")))):
            remedy = 'write the ISO 4217 code of a currency in use, as in "EUR"'
            yield draft.problem(("machine", "currency"), "is no currency", remedy)
        return
    for path, text in (*_of_sale(draft), *_of_slots(draft), *_of_pieces(draft)):
        try:
            parse_amount(text, money)
        except ValueError as error:
            what, _, remedy = str(error).partition(": ")
            yield draft.problem(path, what.removeprefix(f"{text!r} "), remedy)


def _pieces_have_a_value(draft: Draft) -> Iterator[Problem]:
    money = money_of(draft)
    for path, text in _of_pieces(draft):
        if money is not None and minor(text, money) == 0:
            yield draft.problem(path, "is worth nothing", "write an amount above 0")


def _of_sale(draft: Draft) -> _Amounts:
    for key in AMOUNTS:
        text = getattr(draft.sale, key, None)
        if text is not None:
            yield ("sale", key), text


def _of_slots(draft: Draft) -> _Amounts:
    for place, entry in draft.slots:
        for name, text in prices(entry):
            yield ("slot", place, "price", name), text


def _of_pieces(draft: Draft) -> _Amounts:
    """Amounts that name a coin or a bill."""
    validator = draft.bill_validator
    if validator is not None:
        for key in ("security", "recycle", "manual"):
            for place, text in enumerate(getattr(validator, key) or ()):
                yield ("bill_validator", key, place), text
    if draft.cctalk is not None:
        yield from _of_cctalk(draft.cctalk)
    for place, pulse in draft.pulses:
        for pulses, text in pulse.coins.items():
            yield ("pulse", place, "coins", str(pulses)), text


def _of_cctalk(cctalk: CcTalk) -> _Amounts:
    if cctalk.coins is not None:
        if cctalk.coins.unit is not None:
            yield ("cctalk", "coins", "unit"), cctalk.coins.unit
        for position, text in cctalk.coins.values.items():
            yield ("cctalk", "coins", "values", str(position)), text
    for place, hopper in enumerate(cctalk.hopper):
        yield ("cctalk", "hopper", place, "value"), hopper.value


CHECKS: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (_amounts, _pieces_have_a_value)
