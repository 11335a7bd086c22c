"""A bill validator at the port, with a recycler if it has one: `ports.BillValidator` for the
daemon, `BillMech` for people."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Final

from hw_sim.clock import WorldClock
from hw_sim.devices.bill_truth import BillTruth, Place
from hw_sim.devices.faults import Faults
from hw_sim.ports.device import Device
from hw_sim.ports.validator_parts import Bill, PortBillFault
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
from vendd.core.sale.reports import DeviceIdentity, FaultEnded, FaultStarted
from vendd.ports import Refused, Sink

VALUES: Final = (500, 1000, 2000, 5000)
STARTS_S: Final = 0.9
READS_S: Final = (0.9, 1.6)
STACKS_S: Final = (0.8, 1.4)
RETURNS_S: Final = (0.5, 1.0)
PAYS_S: Final = 1.5
TAKEN_S: Final = 1.0
TELLS_S: Final = 0.02
SILENCE_S: Final = 5.0
NEVER_S: Final = 29.5  # a verdict is due within 30 s of the order
CUT_S: Final = 1.0
CAPACITY: Final = 600
STORE: Final = 30
JAM: Final = ("jam", "bill_validator")
_WHO: Final = DeviceIdentity("SIM", "1", "BILLS", "0001", 2, 0, "1978", 500, 2)


class PortBillValidator(Device):
    """Type n is `values[n]`. `recycled`: value -> bills in the recycler, None without one."""

    def __init__(
        self,
        clock: WorldClock,
        rng: random.Random,
        values: Sequence[int] = VALUES,
        recycled: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(clock)
        self.truth = BillTruth(recycled or ())
        for value, count in (recycled or {}).items():
            self.truth.fill(value, count)
        self.faults = Faults(PortBillFault, rng)
        self._rng = rng
        self._values = tuple(values)
        self._recycles = recycled is not None
        self._accepted: frozenset[int] = frozenset()
        self._hold: frozenset[int] | None = None
        self._bill: Bill | None = None
        self._numbers = 0
        self._payout: str | None = None
        self._paid: dict[int, int] = {}
        self._defective: set[int] = set()  # stores of the recycler, by value

    # --- ports.BillValidator --------------------------------------------------------------

    def accept(self, bill_types: frozenset[int], hold: frozenset[int] | None = None) -> None:
        self._accepted, self._hold = bill_types, hold

    def stack(self, bill: int) -> None:
        waiting = self._waiting(bill)
        waiting.phase = "stacking"
        due = self.faults.due
        if due(PortBillFault.ESCROW_BOUNCE):
            self.later(self._rng.uniform(*STACKS_S), self._in_escrow, waiting)
        elif due(PortBillFault.STACK_RETURNS):
            self.later(self._rng.uniform(*RETURNS_S), self._out, waiting, "returned")
        elif due(PortBillFault.STACK_STUCK):
            self.later(NEVER_S, self._unclear, waiting, False)
        else:
            self._move_in(waiting)

    def give_back(self, bill: int) -> None:
        waiting = self._waiting(bill)
        waiting.phase = "returning"
        self.later(self._rng.uniform(*RETURNS_S), self._out, waiting, "ordered")

    async def pay_out(self, payout_id: str, bills: tuple[tuple[int, int], ...]) -> None:
        queue = [type_ for type_, count in bills for _ in range(count)]
        if not self._recycles or not self.ready or not self.plugged:
            raise Refused("there is no recycler, or it is not ready")
        if self._payout is not None or self._bill is not None:
            raise Refused("bills are moving")
        if not queue or any(self._value(t) not in self.truth.recycler for t in queue):
            raise Refused("no such bills")
        self._payout, self._paid = payout_id, {}
        await asyncio.sleep(TELLS_S)
        self.later(PAYS_S, self._pay_one, queue)

    async def read_stores(self) -> None:
        if not self.ready or not self.plugged:
            raise Refused("bill validator is not ready")
        self.later(TELLS_S, self._tell_stores)

    # --- people: BillMech ---------------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        return self._values

    @property
    def jammed(self) -> bool:
        return bool(self.truth.path[Place.STUCK] or self._defective)

    @property
    def paying(self) -> bool:
        return self._payout is not None

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        self.faults.arm(fault, times, after)

    def insert_bill(self, value: int) -> bool:
        """False: it is not drawn in."""
        running = self.ready and self.plugged
        if not running or self._bill or self._payout is not None or not self._accepted:
            if running and self._bill is None:
                self.later(TELLS_S, self.tell, BillRejected("disabled"))
            return False
        type_ = self._values.index(value) if value in self._values else None
        self.truth.insert(value)
        self._bill = Bill(value, type_)
        self.tell(BillReading(active=True))
        self.later(self._rng.uniform(*READS_S), self._read, self._bill)
        return True

    def pull_back(self) -> bool:
        bill = self._bill
        if bill is None or bill.phase != "escrow" or not self.plugged or not self.ready:
            return False
        self._out(bill, "removed")
        return True

    def press_lever(self) -> None:
        """It has none."""

    def repair(self) -> None:
        """A technician clears jams; a bill that stuck is in somebody's hand by now."""
        self.faults.clear()
        if self.jammed:
            self._defective.clear()
            self.truth.free_stuck()
            if self._bill is not None and self._bill.place is Place.STUCK:
                self._bill = None
            self.tell(FaultEnded(*JAM))
        if self._bill is not None and self._bill.place is Place.STUCK:
            self._bill = None  # handed back

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self._era += 1
            self.later(SILENCE_S, self._lost)

    def plug(self) -> None:
        if not self.plugged:
            self.plugged = True
            self._restart()

    def reset(self) -> None:
        """A reset of its own, with whatever is inside."""
        self._era += 1
        self._interrupted("reset")
        self._restart()

    # --- lives -----------------------------------------------------------------------------

    def begin(self, sink: Sink) -> None:
        super().begin(sink)
        self._accepted, self._hold = frozenset(), None
        self._payout = None
        self._numbers = 0
        if self._bill is not None:
            self._bill.number, self._bill.told = None, True
        if self.plugged:
            self.later(STARTS_S, self._started)
        else:
            self.later(SILENCE_S, self._lost)

    # --- starts ----------------------------------------------------------------------------

    def _restart(self) -> None:
        self._era += 1
        if self.heard:
            self.later(STARTS_S, self._started)
        else:
            self._payout = None
            self.later(STARTS_S, self._clear)

    def _started(self) -> None:
        self._interrupted("reset")
        self.ready = True
        bills = tuple(
            BillType(t, v, recycled=v in self.truth.recycler) for t, v in enumerate(self._values)
        )
        self.tell(BillValidatorReady(_WHO, bills, True, self._stacker(), self._stores()))
        self._clear()

    def _clear(self) -> None:
        """What was going in goes in, the rest comes back."""
        bill = self._bill
        if bill is None or bill.place is Place.STUCK:
            return
        if bill.place is Place.MOVING:
            self.later(self._rng.uniform(*STACKS_S), self._in, bill)
        else:
            self.later(self._rng.uniform(*RETURNS_S), self._out, bill, "returned")

    def _lost(self) -> None:
        self._interrupted("no answer")
        self.ready = False
        self.tell(BillValidatorLost("no answer"))

    def _interrupted(self, why: str) -> None:
        """Told once, however often it starts anew with that bill."""
        self._end_payout(certain=False, why=why)
        bill = self._bill
        if bill is not None and self.ready and not bill.told:
            bill.told = True
            known = bill.number is not None
            type_, value = (bill.type, bill.value) if known else (None, 0)
            self.tell(BillInterrupted(bill.number, type_, value, bill.phase, why))
        self.ready = False

    # --- bills that come in ------------------------------------------------------------------

    def _value(self, type_: int) -> int:
        return self._values[type_] if 0 <= type_ < len(self._values) else 0

    def _waiting(self, number: int) -> Bill:
        bill = self._bill
        if not self.ready or not self.plugged or bill is None or bill.number != number:
            raise Refused("that bill is not in escrow")
        if bill.phase != "escrow":
            raise Refused("the bill is on its way")
        return bill

    def _read(self, bill: Bill) -> None:
        if self.faults.due(PortBillFault.BILL_JAM):
            self._place(bill, Place.STUCK)
            self.tell(FaultStarted(*JAM))
        elif bill.type is None or self.faults.due(PortBillFault.BILL_REJECTED):
            self._reject(bill, "rejected")
        elif bill.type not in self._accepted:
            self._reject(bill, "type_disabled")
        elif self._hold is not None and bill.type not in self._hold:
            bill.phase = "stacking"
            self._move_in(bill)
        else:
            self._numbers += 1
            bill.number = self._numbers
            self._place(bill, Place.ESCROW)
            self._in_escrow(bill)
            if self.faults.due(PortBillFault.RESET_IN_ESCROW):
                self.reset()

    def _reject(self, bill: Bill, why: str) -> None:
        self._bill = None
        self.truth.give_back(bill.value, bill.place, self.clock.now())
        self.tell(BillRejected(why, bill.type))

    def _place(self, bill: Bill, place: Place) -> None:
        self.truth.move(bill.value, bill.place, place)
        bill.place = place

    def _in_escrow(self, bill: Bill) -> None:
        assert bill.number is not None
        assert bill.type is not None
        bill.phase = "escrow"
        self.tell(BillInEscrow(bill.number, bill.type, bill.value))

    def _move_in(self, bill: Bill) -> None:
        if bill.place is not Place.MOVING:
            self._place(bill, Place.MOVING)
        takes = self._rng.uniform(*STACKS_S)
        if self.faults.due(PortBillFault.RESET_IN_STACKING):
            self.later(takes / 2, self.reset)
        elif self.faults.due(PortBillFault.POWER_CUT_IN_STACKING):
            self.later(takes / 2, self._power_cut)
        else:
            self.later(takes, self._in, bill)

    def _power_cut(self) -> None:
        self.unplug()
        self.clock.later(CUT_S, self.plug)

    def _in(self, bill: Bill) -> None:
        assert bill.type is not None
        self._bill = None
        store = self.truth.recycler.get(bill.value)
        path = BillPath.STACKER
        if store is not None and store < STORE and bill.value not in self._defective:
            path = BillPath.RECYCLER
            self.truth.recycle(bill.value, bill.place)
        else:
            self.truth.stack(bill.value, bill.place)
            if bill.number is not None and self.faults.due(PortBillFault.STACKED_UNTOLD):
                self.later(NEVER_S - STACKS_S[1], self._told_unclear, bill, True)
                return
        self.tell(BillStacked(bill.number, bill.type, bill.value, path))
        self._tell_stores()

    def _out(self, bill: Bill, why: str) -> None:
        self._bill = None
        self._era += bill.phase == "returning" and why == "removed"
        self.truth.give_back(bill.value, bill.place, self.clock.now())
        if bill.number is not None or bill.told:
            self.tell(BillReturned(bill.number, bill.type or 0, bill.value, why))

    def _unclear(self, bill: Bill, rose: bool) -> None:
        self._told_unclear(bill, rose)
        bill.told = True
        self.reset()

    def _told_unclear(self, bill: Bill, rose: bool) -> None:
        assert bill.type is not None
        unclear = BillUnclear(bill.number, bill.type, bill.value, "no_report", stacker_rose=rose)
        self.tell(unclear)
        if rose:
            self._tell_stores()

    # --- bills that go out ---------------------------------------------------------------------

    def _pay_one(self, queue: list[int]) -> None:
        due, value = self.faults.due, self._values[queue[0]]
        if due(PortBillFault.PAYOUT_RESET):
            self.reset()
            return
        if due(PortBillFault.PAYOUT_POWER_CUT):
            self._power_cut()
            return
        if due(PortBillFault.PAYOUT_JAM):
            self._defective.add(value)
            self.tell(FaultStarted(*JAM))
        if value in self._defective or not self.truth.recycler[value]:
            self._end_payout(certain=True, why="recycler_jam")
            self._tell_stores()
            return
        self.truth.offer(value)
        self.clock.later(TAKEN_S, self._taken)
        self._paid[queue[0]] = self._paid.get(queue[0], 0) + 1
        if len(queue) > 1:
            self.later(PAYS_S, self._pay_one, queue[1:])
        else:
            self.later(TAKEN_S + TELLS_S, self._paid_all)

    def _paid_all(self) -> None:
        self._end_payout(certain=True, why="")
        self._tell_stores()

    def _taken(self) -> None:
        self.truth.take_offered(self.clock.now())

    def _end_payout(self, *, certain: bool, why: str) -> None:
        payout, self._payout = self._payout, None
        if payout is not None:
            self.tell(BillPayoutEnded(payout, tuple(sorted(self._paid.items())), certain, why))

    # --- what is in it --------------------------------------------------------------------------

    def _tell_stores(self) -> None:
        self.tell(StackerRead(self._stacker()))
        if self._recycles and self._payout is None:
            self.tell(RecyclerRead(self._stores()))

    def _stacker(self) -> Stacker:
        count = self.truth.stacker.total()
        return Stacker(count, count >= CAPACITY, CAPACITY)

    def _stores(self) -> tuple[RecyclerStore, ...]:
        return tuple(
            RecyclerStore(t, v, 0, full=True, defective=True)
            if v in self._defective
            else RecyclerStore(t, v, self.truth.recycler[v])
            for t, v in enumerate(self._values)
            if v in self.truth.recycler
        )
