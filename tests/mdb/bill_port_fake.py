"""A bill validator at the port: a model with a bill path and stores, no bus, for tests of what
stands above.

Everything takes virtual time on the running loop. Held to the same contract as the real
drivers by `test_mdb_bill_contract*.py`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from vendd.core.sale.bill_reports import (
    BillInEscrow,
    BillInterrupted,
    BillPath,
    BillPayoutEnded,
    BillReading,
    BillRejected,
    BillReturned,
    BillStacked,
    BillType,
    BillUnclear,
    BillValidatorLost,
    BillValidatorReady,
    RecyclerRead,
    RecyclerStore,
    Stacker,
    StackerRead,
)
from vendd.core.sale.reports import DeviceIdentity, LeverPressed
from vendd.ports import Refused, Sink

STARTS_S = 0.9
READS_S = 1.2
STACKS_S = 1.0
RETURNS_S = 0.7
PAYS_S = 1.5
SILENCE_S = 5.0
NEVER_S = 30.0
CAPACITY = 600


@dataclass
class Bill:
    """The one bill in the path. `number` None until it was in escrow; `phase` as in
    `BillInterrupted`."""

    value: int
    type: int | None
    number: int | None = None
    phase: str = "reading"


class FakeBillValidator:
    """Type n is `values[n]`; `recycler` maps value to count, None without one. `start()` first.

    Faults: `bounce` (the next order to stack has no effect), `spit` (it gives back what it
    should stack), `freeze` (it does nothing and says nothing, until a reset), `jam_after`
    (bills the next payout manages), `unplug()`, `plug()`, `reset()`. `stacked`, `stores` and
    `hand` are where bills really are.
    """

    def __init__(
        self,
        sink: Sink,
        values: tuple[int, ...] = (500, 1000, 2000, 5000, 10000),
        recycler: dict[int, int] | None = None,
    ) -> None:
        self._sink = sink
        self.values = values
        self.stores = None if recycler is None else dict(recycler)
        self.stacked: list[int] = []
        self.hand: list[int] = []
        self.enabled: frozenset[int] = frozenset()
        self.hold: frozenset[int] | None = None
        self.ready = False
        self.plugged = True
        self.bounce = self.spit = self.freeze = False
        self.jam_after: int | None = None
        self._bill: Bill | None = None
        self._numbers = 0
        self._paying: str | None = None
        self._paid: dict[int, int] = {}
        self._era = 0  # so that what was under way before a reset stays undone

    # --- ports.BillValidator ------------------------------------------------------------

    def accept(self, bill_types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        self.enabled, self.hold = bill_types, hold

    def stack(self, bill: int) -> None:
        waiting = self._waiting(bill)
        waiting.phase = "stacking"
        if self.freeze:
            self.freeze = False
            self._later(NEVER_S, self._given_up, waiting)
        elif self.bounce:
            self.bounce = False
            self._later(STACKS_S, self._in_escrow, waiting)
        elif self.spit:
            self.spit = False
            self._later(RETURNS_S, self._out, waiting, "returned")
        else:
            self._later(STACKS_S, self._in, waiting)

    def give_back(self, bill: int) -> None:
        waiting = self._waiting(bill)
        waiting.phase = "returning"
        self._later(RETURNS_S, self._out, waiting, "ordered")

    async def pay_out(self, payout_id: str, bills: tuple[tuple[int, int], ...]) -> None:
        queue = [t for t, n in bills for _ in range(n)]
        if self.stores is None or not self.ready or not self.plugged:
            raise Refused("there is no recycler, or it is not ready")
        if self._paying is not None or self._bill is not None:
            raise Refused("bills are moving")
        if not queue or any(self._value(t) not in self.stores for t in queue):
            raise Refused("no such bills")
        self._paying, self._paid = payout_id, {}
        await asyncio.sleep(0.02)
        self._later(PAYS_S, self._pay_one, queue)

    async def read_stores(self) -> None:
        if not self.ready or not self.plugged:
            raise Refused("bill validator is not ready")
        self._later(0.02, self._tell_stores)

    # --- the world's side -----------------------------------------------------------------

    def start(self) -> None:
        self._later(STARTS_S, self._started)

    def insert_bill(self, value: int) -> bool:
        """False: it is not drawn in."""
        if not self.ready or not self.plugged or self._bill or self._paying or not self.enabled:
            if self.ready and self.plugged:
                self._later(0.05, self._sink.put, BillRejected("disabled"))
            return False
        type_ = self.values.index(value) if value in self.values else None
        self._bill = Bill(value, type_)
        self._sink.put(BillReading(True))
        self._later(READS_S, self._read, self._bill)
        return True

    def pull_back(self) -> bool:
        """The customer pulls at a bill. False: nothing comes out."""
        bill = self._bill
        if bill is None or bill.phase != "escrow":
            return False
        self._out(bill, "removed")
        return True

    def press_lever(self) -> None:
        self._later(0.05, self._sink.put, LeverPressed())

    def unplug(self) -> None:
        self.plugged = False
        self._era += 1
        self._later(SILENCE_S, self._lost)

    def plug(self) -> None:
        self.plugged = True
        self._era += 1
        self._later(STARTS_S, self._started)

    def reset(self) -> None:
        """A reset of its own, with whatever is inside."""
        self._era += 1
        self._interrupted("reset")
        self._later(STARTS_S, self._started)

    # --- inside -----------------------------------------------------------------------------

    def _later(self, delay: float, act: Callable[..., object], *args: object) -> None:
        loop, era = asyncio.get_running_loop(), self._era
        loop.call_later(delay, lambda: act(*args) if era == self._era else None)

    def _value(self, type_: int) -> int:
        return self.values[type_] if 0 <= type_ < len(self.values) else 0

    def _waiting(self, number: int) -> Bill:
        bill = self._bill
        if not self.ready or not self.plugged or bill is None or bill.number != number:
            raise Refused("that bill is not in escrow")
        if bill.phase != "escrow":
            raise Refused("the bill is on its way")
        return bill

    def _started(self) -> None:
        self._interrupted("reset")
        self.ready = True
        bills = tuple(
            BillType(t, v, self.stores is not None and v in self.stores)
            for t, v in enumerate(self.values)
        )
        identity = DeviceIdentity("FAK", "1", "FAKE", "0001", 2, 0, "1978", 500, 2)
        stacker, stores = self._stacker(), self._stores()
        self._sink.put(BillValidatorReady(identity, bills, True, stacker, stores))
        bill = self._bill
        if bill is not None and bill.phase == "stacking":
            self._later(STACKS_S, self._in, bill)
        elif bill is not None:
            self._later(RETURNS_S, self._out, bill, "returned")

    def _lost(self) -> None:
        self._interrupted("no answer")
        self.ready = False
        self._sink.put(BillValidatorLost("no answer"))

    def _interrupted(self, why: str) -> None:
        """Told once, however often it starts anew with that bill."""
        self._end_payout(certain=False, why=why)
        bill = self._bill
        if bill is not None and self.ready:
            known = bill.number is not None
            type_, value = (bill.type, bill.value) if known else (None, 0)
            self._sink.put(BillInterrupted(bill.number, type_, value, bill.phase, why))
        self.ready = False

    def _read(self, bill: Bill) -> None:
        if bill.type is None or bill.type not in self.enabled:
            self._bill = None
            self.hand.append(bill.value)
            why = "rejected" if bill.type is None else "type_disabled"
            self._sink.put(BillRejected(why, bill.type))
        elif self.hold is not None and bill.type not in self.hold:
            bill.phase = "stacking"
            self._later(STACKS_S, self._in, bill)
        else:
            self._numbers += 1
            bill.number = self._numbers
            self._in_escrow(bill)

    def _in_escrow(self, bill: Bill) -> None:
        assert bill.number is not None
        assert bill.type is not None
        bill.phase = "escrow"
        self._sink.put(BillInEscrow(bill.number, bill.type, bill.value))

    def _in(self, bill: Bill) -> None:
        assert bill.type is not None
        self._bill = None
        path = BillPath.STACKER
        if self.stores is not None and bill.value in self.stores:
            path = BillPath.RECYCLER
            self.stores[bill.value] += 1
        else:
            self.stacked.append(bill.value)
        self._sink.put(BillStacked(bill.number, bill.type, bill.value, path))
        self._tell_stores()

    def _out(self, bill: Bill, why: str) -> None:
        self._bill = None
        self.hand.append(bill.value)
        if bill.number is not None:
            self._sink.put(BillReturned(bill.number, bill.type or 0, bill.value, why))

    def _given_up(self, bill: Bill) -> None:
        assert bill.type is not None
        unclear = BillUnclear(bill.number, bill.type, bill.value, "no_report", stacker_rose=False)
        self._sink.put(unclear)

    def _pay_one(self, queue: list[int]) -> None:
        assert self.stores is not None
        value = self.values[queue[0]]
        if self.jam_after == sum(self._paid.values()) or not self.stores[value]:
            self.jam_after = None
            self._end_payout(certain=True, why="recycler_jam")
            self._tell_stores()
            return
        self.stores[value] -= 1
        self.hand.append(value)
        self._paid[queue[0]] = self._paid.get(queue[0], 0) + 1
        if queue[1:]:
            self._later(PAYS_S, self._pay_one, queue[1:])
        else:
            self._end_payout(certain=True, why="")
            self._tell_stores()

    def _end_payout(self, *, certain: bool, why: str) -> None:
        payout, self._paying = self._paying, None
        if payout is not None:
            paid = tuple(sorted(self._paid.items()))
            self._sink.put(BillPayoutEnded(payout, paid, certain, why))

    def _tell_stores(self) -> None:
        self._sink.put(StackerRead(self._stacker()))
        if self.stores is not None:
            self._sink.put(RecyclerRead(self._stores()))

    def _stacker(self) -> Stacker:
        return Stacker(len(self.stacked), len(self.stacked) >= CAPACITY, CAPACITY)

    def _stores(self) -> tuple[RecyclerStore, ...]:
        stores = self.stores or {}
        return tuple(
            RecyclerStore(t, v, stores[v]) for t, v in enumerate(self.values) if v in stores
        )
