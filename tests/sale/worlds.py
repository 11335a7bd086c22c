"""The machines that tests put on the bench: coins, bills, card readers, slots and their prices."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vendd.core.planogram import Product, Slot
from vendd.core.policy import Policy
from vendd.core.sale.bill_reports import BillType, RecyclerStore
from vendd.core.sale.reports import Coin, Tube
from vendd.core.snapshot import BillValidator, CardReader, Changer, Moment, SlotView, Snapshot

COINS = tuple(
    Coin(type_, value, to_tube)
    for type_, value, to_tube in (
        (0, 10, True),
        (1, 20, True),
        (2, 50, True),
        (3, 100, True),
        (4, 200, False),
    )
)
"""Four kinds have a tube; 2.00 goes to the box."""
TYPE_OF = {c.value: c.type for c in COINS}
BILLS = (BillType(0, 500, True), BillType(1, 1_000, True), BillType(2, 2_000, False))
"""5.00 and 10.00 can go to the recycler, where there is one."""
BILL_OF = {b.value: b for b in BILLS}
PRICES = {"A1": 100, "A2": 150, "A3": 150, "B1": 250}
DEAR = {"A1": 100, "A3": 150, "C1": 1_200}
"""Prices above the 5.00 and the 10.00 bill: those are stacked at once."""
FREE = "F1"
DAY_MS = 86_400_000


def tubes_with(counts: Mapping[int, int]) -> tuple[Tube, ...]:
    """Tubes by coin value; values that are not named hold nothing."""
    return tuple(Tube(c.type, c.value, counts.get(c.value, 0)) for c in COINS if c.to_tube)


def stores_with(counts: Mapping[int, int]) -> tuple[RecyclerStore, ...]:
    """The recycler by bill value; values that are not named hold nothing."""
    return tuple(RecyclerStore(b.type, b.value, counts.get(b.value, 0)) for b in BILLS[:2])


FULL_TUBES = tubes_with({10: 20, 20: 20, 50: 20, 100: 20})


def validator(*, ready: bool = True, escrow: bool = True, recycler: bool = False) -> BillValidator:
    """A bill validator; without a recycler every bill goes to the stacker."""
    bills = BILLS if recycler else tuple(replace(b, recycled=False) for b in BILLS)
    return BillValidator(fitted=True, ready=ready, escrow=escrow, bills=bills)


def reader(number: int = 1, **features: Any) -> CardReader:
    """A card reader that is ready: the card comes first, unless `selection_first`."""
    return CardReader(number, **{"ready": True, "serial": f"SN{number}", **features})


def world_with(
    tubes: tuple[Tube, ...] = FULL_TUBES,
    level: int = 5,
    prices: Mapping[str, int] | None = None,
    *,
    bills: BillValidator | None = None,
    recycler: Mapping[int, int] | None = None,
    readers: Iterable[CardReader] = (),
    cards: Mapping[str, int] | None = None,
    ages: Mapping[str, int] | None = None,
    **policy: Any,
) -> Snapshot:
    """A machine that is in service, its devices ready. Without `bills`, `recycler` and `readers`
    it takes coins only. `cards`: prices for cards, `ages`: years to have, by selection."""
    slots = {
        selection: SlotView(_slot(selection, n, price, cards or {}, ages or {}), level)
        for n, (selection, price) in enumerate((PRICES if prices is None else prices).items(), 1)
    }
    free = Slot(FREE, 99, Product(f"p-{FREE}", "Free", "A"), (FREE,), 10, 10, 1, {}, True)
    slots[FREE] = SlotView(free, level)
    if bills is None and recycler is not None:
        bills = validator(recycler=True)
    return Snapshot(
        slots,
        Policy(**policy),
        tubes,
        Changer(ready=True, coins=COINS),
        validator=bills or BillValidator(),
        recycler=stores_with(recycler) if recycler is not None else (),
        readers=tuple(readers),
    )


def _slot(
    selection: str, no: int, price: int, cards: Mapping[str, int], ages: Mapping[str, int]
) -> Slot:
    product = Product(f"p-{selection}", f"Product {selection}", "A")
    product = replace(product, min_age=ages.get(selection, 0))
    prices = {"cash": price}
    if selection in cards:
        prices["card"] = cards[selection]
    return Slot(selection, no, product, (selection,), 10, 10, 1, prices)


def moment(now_ms: int, wall_ms: int) -> Moment:
    """Some day in October 2024, and on from there."""
    days, ms = divmod(wall_ms, DAY_MS)
    day = f"2024-10-{4 + days:02d}" if days < 27 else f"2025-{1 + (days - 27) // 28:02d}-01"
    seconds, ms = divmod(ms, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
    return Moment(now_ms, f"{day}T{clock}Z")
