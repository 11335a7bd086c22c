"""What is asked, and how it is answered: the same for the local socket and the gateway.

Imported when the first request comes: a machine that nobody looks at does without its memory.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from vendd.api import looking, orders, owed, stream
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


async def _events(call: Call) -> Response:
    """Without `after` the newest ones."""
    after, kinds = call.number("after", None, 0, 1 << 62), call.query.get("types", "")
    types = tuple(f"vend.{kind}.v1" for kind in kinds.split(",")[:20] if kind)
    found = await call.services.records.events(
        after or 0, call.limit(), types=types, newest=after is None
    )
    up_to = await call.services.records.delivered()
    told = [stream.event(e.seq, e.attributes, e.data, topic=e.topic, up_to=up_to) for e in found]
    return stream.Events(events=tuple(told))


async def _dead(call: Call) -> Response:
    letters = await call.services.records.dead_letters(call.limit())
    return stream.DeadLetters(
        dead_letters=tuple(
            stream.DeadLetter(
                seq=e.seq, type=e.type, time=e.attributes["time"], topic=e.topic, reason=reason
            )
            for e, reason in letters
        )
    )


async def _replay(call: Call) -> Response:
    request = parsed(orders.ReplayRequest, call.body)
    count = await call.services.desk.replay(request.from_seq, request.to_seq)
    if count is None:
        detail = f"nothing of {request.from_seq} to {request.to_seq} can be sent again"
        raise Failed(409, "Not now", detail, "state", "vendctl events tail shows what is kept")
    return stream.Replayed(from_seq=request.from_seq, to_seq=request.to_seq, events=count)


async def _sales(call: Call) -> Response:
    found = await call.services.records.events(
        0, call.limit(), types=("vend.sale-closed.v1",), newest=True
    )
    return stream.sales(call.services.desk.sight(), [stream.sale(e.seq, e.data) for e in found])


async def _cash(call: Call) -> Response:
    return stream.cash(call.services.desk.sight(), await call.services.records.boxes())


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
    ("GET", "/v1/events"): _events,
    ("GET", "/v1/events/dead"): _dead,
    ("POST", "/v1/events/replay"): _replay,
    ("GET", "/v1/sales"): _sales,
    ("GET", "/v1/cash"): _cash,
    ("POST", "/v1/service"): _order(orders.ServiceRequest),
    ("POST", "/v1/inhibit"): _order(orders.InhibitRequest),
    ("POST", "/v1/refill"): _order(orders.RefillRequest),
    ("POST", "/v1/stock/remove"): _order(orders.RemoveRequest),
    ("POST", "/v1/stock/count"): _order(orders.CountRequest),
    ("POST", "/v1/slot"): _order(orders.SlotRequest),
    ("POST", "/v1/price"): _order(orders.PriceRequest),
    ("POST", "/v1/claims/close"): _order(orders.ClaimRequest),
    ("POST", "/v1/test"): _order(orders.TrialRequest),
    ("POST", "/v1/doubts/resolve"): _order(orders.DoubtRequest),
}
