"""The way of a bill from the slot through the reader into escrow, stacker, recycler or hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hw_sim.devices.bill_parts import BillFault, BillWorks
from hw_sim.devices.bill_truth import Place

STACKED, ESCROW, RETURNED, RECYCLED, DISABLED_TYPE = 0x80, 0x90, 0xA0, 0xB0, 0xC0
ATTEMPT = 0x40
JAM, REMOVED, INVALID_ESCROW, REJECTED, CREDITED_REMOVAL = 0x05, 0x07, 0x0A, 0x0B, 0x0C
PULLABLE = 0.6  # share of the reading during which a customer can hold the bill back
ON_A_STRING_S = 1.0


@dataclass
class _Bill:
    """The bill in the path; there is at most one. `type` is None for what is no bill here."""

    value: int
    type: int | None
    place: Place = Place.ENTRY
    stacking: bool = False  # on its way in for good
    drawn_at: float = 0.0


class BillWay:
    """Moves the one bill in the path. `broken` is called when a fault makes the validator
    reset itself or lose its power instead."""

    def __init__(self, works: BillWorks, broken: Callable[[BillFault], None]) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._truth = works.truth
        self._faults = works.faults
        self._broken = broken
        self._bill: _Bill | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reading_s = 0.0
        self._attempts = 0

    @property
    def moving(self) -> bool:
        """The motor runs."""
        return self._timer is not None

    @property
    def in_escrow(self) -> bool:
        return self._bill is not None and self._bill.place is Place.ESCROW and not self.moving

    @property
    def occupied(self) -> bool:
        return self._bill is not None

    @property
    def can_take(self) -> bool:
        """Bills are enabled, and there is somewhere to put them."""
        memory = self._memory
        return (
            memory.running
            and bool(memory.enabled)
            and not memory.box_out
            and not self._model.stacker_full(memory.stacked)
        )

    def insert(self, value: int) -> bool:
        """A customer offers a bill. False: it is not drawn in, and stays in the hand."""
        if self._bill is not None or not self.can_take:
            if self._memory.running and self._bill is None:
                self._memory.activity.add(bytes([ATTEMPT | 1]))
            return False
        self._truth.insert(value)
        self._bill = _Bill(value, self._model.type_of(value), drawn_at=self._loop.time())
        self._reading_s = self._rng.uniform(*self._model.reads_s)
        self._after(self._reading_s, self._judged)
        return True

    def pull_back(self) -> bool:
        """The customer pulls the bill out again, where that can be done."""
        bill = self._bill
        if bill is None:
            return False
        if bill.place is Place.ENTRY:
            late = self._loop.time() - bill.drawn_at > PULLABLE * self._reading_s
            if self.moving and late:
                return False
            self._leave(bill, b"")
            return True
        if bill.place is Place.ESCROW and self.in_escrow and bill.type is not None:
            self._leave(bill, bytes([REMOVED, RETURNED | bill.type]))
            return True
        return False

    def order(self, *, stack: bool) -> None:
        """An ESCROW command."""
        bill = self._bill
        if bill is None or not self.in_escrow:
            if bill is None or not bill.stacking:
                self._memory.activity.add(bytes([INVALID_ESCROW]))
        elif not stack:
            self._return(bill)
        elif not self._misstacked(bill):
            self._stack(bill)

    # --- power and resets --------------------------------------------------------------

    def stop(self) -> None:
        """Power or program gone: the bill stays where it is."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def clear(self) -> None:
        """After a start the path is cleared: what was going in goes in, the rest by model."""
        bill = self._bill
        if bill is None or bill.place is Place.STUCK:
            return
        if bill.type is not None and (
            bill.stacking or (bill.place is Place.ESCROW and self._model.after_reset == "stack")
        ):
            self._stack(bill)
        else:
            self._return(bill)

    def free(self) -> None:
        """A technician opens the path."""
        self.stop()
        if self._bill is not None and self._bill.place is not Place.STUCK:
            self._truth.move(self._bill.value, self._bill.place, Place.STUCK)
        self._bill = None
        self._truth.free_stuck()

    # --- inside -----------------------------------------------------------------------------

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        self.stop()

        def due() -> None:
            self._timer = None
            then()

        self._timer = self._loop.call_later(seconds, due)

    def _judged(self) -> None:
        bill = self._bill
        assert bill is not None
        if self._faults.due(BillFault.BILL_JAM):
            self._jam(bill)
        elif bill.type is None or self._faults.due(BillFault.BILL_REJECTED):
            self._return(bill, bytes([REJECTED]))
        elif not self._memory.enabled >> bill.type & 1:
            self._return(bill, bytes([DISABLED_TYPE | bill.type]))
        elif self._model.escrow and self._memory.held >> bill.type & 1:
            self._truth.move(bill.value, bill.place, Place.ESCROW)
            bill.place = Place.ESCROW
            if self._faults.due(BillFault.RESET_IN_ESCROW):
                self._broken(BillFault.RESET_IN_ESCROW)
                return
            self._memory.activity.add(bytes([ESCROW | bill.type]))
        else:
            self._stack(bill)

    def _jam(self, bill: _Bill) -> None:
        self._truth.move(bill.value, bill.place, Place.STUCK)
        bill.place = Place.STUCK
        self._memory.activity.add(bytes([JAM]))

    def _misstacked(self, bill: _Bill) -> bool:
        """An order to stack that goes wrong."""
        due = self._faults.due
        if due(BillFault.ESCROW_BOUNCE):
            self._after(self._rng.uniform(*self._model.stacks_s), self._in_escrow_again)
        elif due(BillFault.STACK_RETURNS):
            self._return(bill)
        elif not due(BillFault.STACK_STUCK):
            return False
        return True

    def _in_escrow_again(self) -> None:
        if self._bill is not None and self._bill.type is not None:
            self._memory.activity.add(bytes([ESCROW | self._bill.type]))

    def _return(self, bill: _Bill, says: bytes | None = None) -> None:
        if says is None:
            says = bytes([RETURNED | bill.type]) if bill.type is not None else bytes([REJECTED])
        self._after(self._rng.uniform(*self._model.returns_s), lambda: self._leave(bill, says))

    def _leave(self, bill: _Bill, says: bytes) -> None:
        self.stop()
        self._truth.give_back(bill.value, bill.place, self._loop.time())
        self._bill = None
        for byte in says:
            self._memory.activity.add(bytes([byte]))

    def _stack(self, bill: _Bill) -> None:
        bill.stacking = True
        if bill.place is not Place.MOVING:
            self._truth.move(bill.value, bill.place, Place.MOVING)
            bill.place = Place.MOVING
        takes = self._rng.uniform(*self._model.stacks_s)
        for fault in (BillFault.RESET_IN_STACKING, BillFault.POWER_CUT_IN_STACKING):
            if self._faults.due(fault):
                self._after(takes / 2, lambda which=fault: self._broken(which))  # type: ignore[misc]
                return
        self._after(takes, lambda: self._stacked(bill))

    def _stacked(self, bill: _Bill) -> None:
        assert bill.type is not None
        self._bill = None
        memory = self._memory
        if self._recycles(bill.type):
            self._truth.recycle(bill.value, bill.place)
            memory.counted[bill.type] += 1
            memory.activity.add(bytes([RECYCLED | bill.type]))
            return
        self._truth.stack(bill.value, bill.place)
        memory.stacked += 1
        if not self._faults.due(BillFault.STACKED_UNTOLD):
            memory.activity.add(bytes([STACKED | bill.type]))
        if self._faults.due(BillFault.CREDITED_REMOVAL):
            self._loop.call_later(ON_A_STRING_S, self._steal, bill.value)

    def _recycles(self, bill_type: int) -> bool:
        return (
            bool(self._memory.options)
            and bill_type in self._model.recycled_types()
            and bill_type not in self._memory.defective
            and self._memory.counted[bill_type] < self._model.recycler_capacity
        )

    def _steal(self, value: int) -> None:
        if self._truth.stacker[value]:
            self._truth.steal(value)
            self._memory.activity.add(bytes([CREDITED_REMOVAL]))
