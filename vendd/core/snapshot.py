"""What is committed, as the machine may see it: stock, tubes, prices, service, policy, the moment.

Immutable. `Snapshot.after(records)` gives the next one once a commit is durable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vendd.core.planogram import Slot, SlotState
from vendd.core.policy import Policy
from vendd.core.rows import (
    CountersAdded,
    LevelChanged,
    Record,
    Released,
    Reserved,
    SlotSet,
    TubeSet,
)
from vendd.core.sale.reports import Coin, Tube


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot as committed."""

    slot: Slot
    level: int
    reserved: int = 0
    state: SlotState = SlotState.ON_SALE
    no_drop_streak: int = 0

    @property
    def available(self) -> int:
        """Units nobody has spoken for."""
        return self.level - self.reserved

    @property
    def sellable(self) -> bool:
        return self.state is SlotState.ON_SALE and self.available > 0


@dataclass(frozen=True, slots=True)
class Changer:
    """The coin changer as far as decisions need it."""

    ready: bool = False
    coins: tuple[Coin, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Since initialisation."""

    sales_count: int = 0
    sales_value: int = 0
    cash_in: int = 0
    cash_out: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """When the report arrived: `uptime_ms` of this boot, `wall` RFC 3339 UTC (E4)."""

    uptime_ms: int = 0
    wall: str = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Snapshot:
    slots: Mapping[str, SlotView]
    policy: Policy
    tubes: tuple[Tube, ...] = ()
    changer: Changer = Changer()
    out_of_service: tuple[str, ...] = ()
    door_open: bool = False
    drop_sensor_blocked: bool = False
    totals: Totals = Totals()
    now: Moment = field(default_factory=Moment)

    @property
    def in_service(self) -> bool:
        return not self.out_of_service and not self.door_open

    def after(self, records: Iterable[Record]) -> "Snapshot":
        """The snapshot once `records` are committed; facts change nothing here."""
        slots = dict(self.slots)
        tubes = {t.type: t for t in self.tubes}
        totals = self.totals
        for record in records:
            match record:
                case Reserved(_, selection, quantity):
                    view = slots[selection]
                    slots[selection] = replace(view, reserved=view.reserved + quantity)
                case Released(_, selection, quantity):
                    view = slots[selection]
                    slots[selection] = replace(view, reserved=view.reserved - quantity)
                case LevelChanged(selection, delta):
                    view = slots[selection]
                    slots[selection] = replace(view, level=view.level + delta)
                case SlotSet(selection, state, _, streak):
                    slots[selection] = replace(slots[selection], state=state, no_drop_streak=streak)
                case TubeSet(type_, value, count, full, defective):
                    tubes[type_] = Tube(type_, value, count, full, defective)
                case CountersAdded(count, value, cash_in, cash_out):
                    totals = Totals(
                        totals.sales_count + count,
                        totals.sales_value + value,
                        totals.cash_in + cash_in,
                        totals.cash_out + cash_out,
                    )
                case _:
                    pass
        return replace(
            self, slots=slots, tubes=tuple(tubes[t] for t in sorted(tubes)), totals=totals
        )
