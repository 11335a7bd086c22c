"""Orders as they are asked for and answered."""

from typing import Annotated, Literal

from pydantic import Field

from vendd.api.problems import Request, Response
from vendd.core.operator.orders import (
    ClearJam,
    CloseClaim,
    CountStock,
    EnterService,
    Fill,
    Inhibit,
    LeaveService,
    Order,
    PutBack,
    Refill,
    Remove,
    ResolveDoubt,
    SetPrice,
    SlotSale,
    TryMotor,
)
from vendd.core.operator.verdicts import Decided


class OrderRequest(Request):
    """`why`: in the person's words, for the journal. `preview`: say what would happen."""

    why: Annotated[str, Field(max_length=200)] = ""
    preview: bool = False

    def order(self) -> Order:
        """What is asked for, in the core's words."""
        raise NotImplementedError


class ServiceRequest(OrderRequest):
    state: Literal["enter", "leave"]

    def order(self) -> Order:
        return EnterService() if self.state == "enter" else LeaveService()


class InhibitRequest(OrderRequest):
    on: bool

    def order(self) -> Order:
        return Inhibit(self.on)


SlotName = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,4}$")]
Units = Annotated[int, Field(ge=-999, le=999)]


class FillRequest(Request):
    """`units` left out: to the slot's par level."""

    slot: SlotName
    units: Units | None = None


class RefillRequest(OrderRequest):
    """Nothing named: every slot to its par level."""

    fills: Annotated[tuple[FillRequest, ...], Field(max_length=999, strict=False)] = ()

    def order(self) -> Order:
        return Refill(tuple(Fill(fill.slot, fill.units) for fill in self.fills))


class RemoveRequest(OrderRequest):
    slot: SlotName
    units: Units
    reason: Literal["expired", "damaged", "other"]

    def order(self) -> Order:
        return Remove(self.slot, self.units, self.reason)


class CountRequest(OrderRequest):
    """What really is in each slot."""

    counts: Annotated[dict[SlotName, Units], Field(min_length=1, max_length=999)]

    def order(self) -> Order:
        return CountStock(tuple(self.counts.items()))


class SlotRequest(OrderRequest):
    slot: SlotName
    action: Literal["enable", "disable", "clear-jam"]

    def order(self) -> Order:
        if self.action == "clear-jam":
            return ClearJam(self.slot)
        return SlotSale(self.slot, self.action == "enable")


class PriceRequest(OrderRequest):
    """`price` in minor units."""

    slot: SlotName
    price_list: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")] = "cash"
    price: Annotated[int, Field(ge=0, le=10_000_000)]

    def order(self) -> Order:
        return SetPrice(self.slot, self.price_list, self.price)


class ClaimRequest(OrderRequest):
    ref: Annotated[str, Field(min_length=1, max_length=32)]
    how: Literal["paid_by_hand", "refunded_elsewhere", "written_off"]

    def order(self) -> Order:
        return CloseClaim(self.ref, self.how)


class DoubtRequest(OrderRequest):
    number: Annotated[int, Field(ge=1)]
    decision: Literal["sold", "refunded", "written_off"]

    def order(self) -> Order:
        return ResolveDoubt(self.number, self.decision)


class TrialRequest(OrderRequest):
    """Turn a motor once, or say that its product was put back."""

    slot: SlotName
    action: Literal["motor", "put-back"]

    def order(self) -> Order:
        return TryMotor(self.slot) if self.action == "motor" else PutBack(self.slot)


class ReplayRequest(Request):
    """Send delivered events again, both ends included."""

    from_seq: Annotated[int, Field(ge=1)]
    to_seq: Annotated[int, Field(ge=1)]


class Change(Response):
    what: str
    field: str
    before: int | str | bool | None
    after: int | str | bool | None


class Done(Response):
    """What an order changed, or with `preview` would change."""

    preview: bool
    changes: tuple[Change, ...]
    said: str

    @classmethod
    def of(cls, decided: Decided, *, preview: bool) -> "Done":
        changes = tuple(
            Change(what=c.what, field=c.field, before=c.before, after=c.after)
            for c in decided.changes
        )
        return cls(preview=preview, changes=changes, said=decided.said)
