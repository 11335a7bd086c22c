"""What is asked, and how it is answered: the same for the local socket and the gateway.

Imported when the first request comes: a machine that nobody looks at does without its memory.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from vendd.api import looking, orders, owed
from vendd.api.orders import Done, OrderRequest
from vendd.api.problems import Failed, Response, parsed, refused
from vendd.ports.desk import Desk, Order, Person, Records, Refused

_MOST: Final = 500
_USUAL: Final = 50


@dataclass(frozen=True, slots=True)
class Services:
    """What requests are answered from."""

    desk: Desk
    records: Records


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a person who has a role."""

    person: Person
    services: Services
    query: Mapping[str, str]
    body: bytes

    def number(self, name: str, usual: int | None, least: int, most: int) -> int | None:
        """A number from the query. Raises `Failed`."""
        text = self.query.get(name)
        if text is None:
            return usual
        if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
            detail = f"{name} = {text[:40]!r} is no number from {least} to {most}"
            raise Failed(422, "Not understood", detail, "invalid")
        return int(text)

    def limit(self) -> int:
        return self.number("limit", _USUAL, 1, _MOST) or _USUAL

    async def order(self, order: Order, request: OrderRequest) -> Done:
        """Given to the desk. Raises `Failed` when it was refused, or not begun in time."""
        try:
            answer = await self.services.desk.order(
                self.person, order, request.why, preview=request.preview
            )
        except TimeoutError:
            detail = "the machine did not come to it in time; nothing was done"
            raise Failed(504, "Too late", detail, "timeout", "vendctl status") from None
        if isinstance(answer, Refused):
            raise refused(answer)
        return Done.of(answer, preview=request.preview)


Handler = Callable[[Call], Awaitable[Response]]


async def _status(call: Call) -> Response:
    return looking.status(call.services.desk.sight())


async def _slots(call: Call) -> Response:
    return looking.slots(call.services.desk.sight())


async def _faults(call: Call) -> Response:
    return looking.faults(call.services.desk.sight())


async def _journal(call: Call) -> Response:
    before = call.number("before", None, 1, 1 << 62)
    lines = await call.services.records.journal(before, call.limit())
    return looking.Journal(entries=tuple(looking.JournalEntry.of(line) for line in lines))


async def _claims(call: Call) -> Response:
    closed = bool(call.number("closed", 0, 0, 1))
    lines = await call.services.records.claims(closed=closed, limit=call.limit())
    return owed.claims(call.services.desk.sight(), lines)


async def _doubts(call: Call) -> Response:
    closed = bool(call.number("closed", 0, 0, 1))
    lines = await call.services.records.doubts(closed=closed, limit=call.limit())
    return owed.doubts(call.services.desk.sight(), lines)


def _order(model: type[OrderRequest]) -> Handler:
    """The handler of an order that is asked for like this."""

    async def handle(call: Call) -> Response:
        request = parsed(model, call.body)
        return await call.order(request.order(), request)

    return handle


ROUTES: Final[dict[tuple[str, str], Handler]] = {
    ("GET", "/v1/status"): _status,
    ("GET", "/v1/slots"): _slots,
    ("GET", "/v1/faults"): _faults,
    ("GET", "/v1/journal"): _journal,
    ("GET", "/v1/claims"): _claims,
    ("GET", "/v1/doubts"): _doubts,
    ("POST", "/v1/service"): _order(orders.ServiceRequest),
    ("POST", "/v1/inhibit"): _order(orders.InhibitRequest),
    ("POST", "/v1/refill"): _order(orders.RefillRequest),
    ("POST", "/v1/stock/remove"): _order(orders.RemoveRequest),
    ("POST", "/v1/stock/count"): _order(orders.CountRequest),
    ("POST", "/v1/slot"): _order(orders.SlotRequest),
    ("POST", "/v1/price"): _order(orders.PriceRequest),
    ("POST", "/v1/claims/close"): _order(orders.ClaimRequest),
    ("POST", "/v1/doubts/resolve"): _order(orders.DoubtRequest),
}
