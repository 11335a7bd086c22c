"""The machine as a start finds it: the configuration, and what the books say of it."""

from collections.abc import Iterable, Mapping

from vendd.config import Config
from vendd.core.planogram import Slot
from vendd.core.rows import PriceSet
from vendd.core.snapshot import BillValidator, CardReader, Changer, SlotView, Snapshot
from vendd.ports import Loaded


def slots_now(config: Config, loaded: Loaded) -> Mapping[str, Slot]:
    """The configured slots with the prices that were set at the machine since."""
    return priced(config, loaded.operator.prices)


def priced(config: Config, prices: Iterable[PriceSet]) -> Mapping[str, Slot]:
    """`slots_now`, of prices that were read by somebody else."""
    slots = dict(config.slots())
    for price in prices:
        slot = slots.get(price.selection)
        if slot is not None and not slot.free:
            slots[price.selection] = slot.priced(price.price_list, price.price)
    return slots


def first_snapshot(config: Config, loaded: Loaded, price_ver: int) -> Snapshot:
    """What is committed at the start; devices have said nothing yet."""
    slots = {
        selection: SlotView(slot, row.level, row.reserved, row.state, row.no_drop_streak)
        for selection, slot in slots_now(config, loaded).items()
        if (row := loaded.slots.get(selection)) is not None
    }
    coins = config.changer_bus() is not None or bool(config.pulse)
    operator = loaded.operator
    return Snapshot(
        slots,
        config.policy(),
        loaded.tubes,
        changer=Changer(fitted=coins),
        validator=BillValidator(fitted=config.validator_bus() is not None),
        recycler=loaded.recycler,
        readers=tuple(CardReader(reader.number) for reader in config.readers()),
        totals=loaded.totals,
        claims={claim.ref: claim for claim in operator.claims},
        doubts={doubt.number: doubt for doubt in operator.doubts},
        prices_pending=tuple(p for p in operator.prices_pending if p.selection in slots),
        price_ver=price_ver,
    )
