"""Orders as they are asked for and answered."""

from typing import Annotated, Literal

from pydantic import Field

from vendd.api.problems import Request, Response
from vendd.core.operator.orders import EnterService, Inhibit, LeaveService, Order
from vendd.core.operator.verdicts import Decided


class OrderRequest(Request):
    """`why`: in the person's words, for the journal. `preview`: say what would happen."""

    why: Annotated[str, Field(max_length=200)] = ""
    preview: bool = False


class ServiceRequest(OrderRequest):
    state: Literal["enter", "leave"]

    def order(self) -> Order:
        return EnterService() if self.state == "enter" else LeaveService()


class InhibitRequest(OrderRequest):
    on: bool

    def order(self) -> Order:
        return Inhibit(self.on)


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
