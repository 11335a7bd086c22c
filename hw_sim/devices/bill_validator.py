"""An MDB bill validator, level 1 or 2 with a recycler: a peripheral on the bus and a bill path.

Three things are kept apart: what the validator says (`BillCommands`), what it
believes (`BillMemory`) and what is true (`BillTruth`).
"""

import asyncio
import random

from hw_sim.devices.bill_commands import BOX_OUT, BillCommands
from hw_sim.devices.bill_dispenser import BillDispenser
from hw_sim.devices.bill_parts import TYPES, BillFault, BillMemory, BillModel, BillWorks
from hw_sim.devices.bill_truth import BillTruth, Place
from hw_sim.devices.bill_way import BillWay
from hw_sim.devices.faults import Faults
from hw_sim.devices.mdb_link import ACK, NAK, RESPONSE_S, Answer, checksum

__all__ = ["BillModel", "BillValidator"]

JUST_RESET = 0x06
LEVER = b"\x21"
FILLED, BY_HAND = 0xD0, 0xE0
DEAF_S = 3 * RESPONSE_S
FILL_S = 0.5


class BillValidator:
    """One validator. `receive`, `acknowledged` and `bus_reset` are the bus side
    (`mdb_link.Peripheral`), the rest is for the world around it; `truth` is for auditors.

    Everything runs on the given loop's clock, values are minor units; `rng` decides timing
    and chance faults, so a seed replays. Is NOT responsible for the adapter's ACKs.
    """

    address = 0x30

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rng: random.Random,
        model: BillModel | None = None,
    ) -> None:
        self.model = model or BillModel()
        self.memory = BillMemory()
        self.truth = BillTruth(self.model.value(t) for t in self.model.recycled_types())
        self.faults = Faults(BillFault, rng)
        self._loop = loop
        self._rng = rng
        works = BillWorks(loop, rng, self.model, self.memory, self.truth, self.faults)
        self.way = BillWay(works, self._break)
        self.dispenser = BillDispenser(works, self._break)
        self._commands = BillCommands(works, self.way, self.dispenser, self.reset_itself)
        self.powered = True
        self._silent_until = 0.0
        self._clearing: asyncio.TimerHandle | None = None
        self._boot(0.0)

    # --- the bus -----------------------------------------------------------------------

    def receive(self, block: bytes) -> Answer | None:
        """One block with CHK; None is silence (dead, busy, wrong CHK, unknown command)."""
        if not self.powered or self._loop.time() < self._silent_until:
            return None
        if checksum(block[:-1]) != block[-1]:
            return None
        self._commands.on_ack = None
        due = self.faults.due
        if due(BillFault.RANDOM_RESET):
            self.reset_itself()
            return None
        if due(BillFault.SILENT):
            return None
        if due(BillFault.ANSWER_NAK):
            return Answer(bytes([NAK]), self.model.answer_s[0])
        data = self._commands.carry_out(block[0] & 0x07, block[1:-1])
        return None if data is None else self._say(data)

    def acknowledged(self) -> None:
        heard, self._commands.on_ack = self._commands.on_ack, None
        if heard is not None and not self.faults.due(BillFault.ACK_LOST):
            heard()

    def bus_reset(self) -> None:
        if self.powered:
            self.reset_itself()

    # --- what can be seen ------------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        """Bills it knows, minor units, smallest first."""
        return tuple(sorted({v for v in map(self.model.value, range(TYPES)) if v}))

    @property
    def jammed(self) -> bool:
        """A bill sticks, or a store of the recycler is out of use, until somebody comes."""
        return bool(self.truth.path[Place.STUCK] or self.memory.defective)

    @property
    def paying(self) -> bool:
        """Bills are on their way out."""
        return self.dispenser.busy

    # --- customers ------------------------------------------------------------------------

    def insert_bill(self, value: int) -> bool:
        """A customer offers a bill of `value` minor units (any other value: no bill at all).
        False: it was not drawn in."""
        return self.way.insert(value)

    def pull_back(self) -> bool:
        """The customer pulls the bill out of the mouth. False: it can't be held any more."""
        return self.way.pull_back()

    def press_lever(self) -> None:
        """The escrow lever, where the validator has one (level 2)."""
        if self.memory.running:
            self.memory.activity.add(LEVER)

    def leave_bills(self, ignored: bool = True) -> None:
        """Customers don't take paid bills out of the exit."""
        self.dispenser.ignored = ignored

    # --- technicians ------------------------------------------------------------------------

    def fill(self, value: int, count: int) -> None:
        """Bills into the recycler before anything begins; counted, not reported one by one."""
        bill_type = self._recycled_type(value)
        self.truth.fill(value, count)
        self.memory.counted[bill_type] += count

    def fill_by_hand(self, value: int, count: int = 1) -> None:
        """A technician feeds bills into the recycler, each is reported."""
        bill_type = self._recycled_type(value)
        for nth in range(count):
            self._loop.call_later(FILL_S * (nth + 1), self._filled, bill_type, value)

    def open_box(self) -> None:
        """The cash box is taken out: reported once, disabled until it is back."""
        if not self.memory.box_out:
            self.memory.box_out = True
            if self.memory.running:
                self.memory.activity.add(BOX_OUT)

    def empty_stacker(self) -> int:
        """The cash box is emptied (open it first); the value that was in it."""
        self.memory.stacked = 0
        return sum(value * count for value, count in self.truth.empty_stacker().items())

    def close_box(self) -> None:
        self.memory.box_out = False

    def repair(self) -> None:
        """A technician clears jams and stuck bills; armed faults are forgotten."""
        self.faults.clear()
        self.memory.defective.clear()
        self.way.free()

    # --- trouble --------------------------------------------------------------------------

    def unplug(self) -> None:
        """The MDB cable is pulled: no power, no answer."""
        if self.powered:
            self.powered = False
            self.memory.running = False
            self._halt()

    def plug(self) -> None:
        if not self.powered:
            self.powered = True
            self._boot(self.model.boot_s)

    def power_cycle(self, off_s: float = 1.0) -> None:
        """Power away for `off_s` seconds, then a boot with JUST RESET at its end."""
        self.unplug()
        self._loop.call_later(off_s, self.plug)

    def reset_itself(self) -> None:
        """A reset (by command, or of its own): JUST RESET at the next poll."""
        self._halt()
        self._restart(self.model.reset_s)

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """Arm a `BillFault` by name; see there for what one opportunity is."""
        self.faults.arm(fault, times, after)

    # --- inside ---------------------------------------------------------------------------

    def _say(self, data: bytes) -> Answer:
        first, last = self.model.answer_s
        delay = first + (last - first) * self._rng.random()
        if self.faults.due(BillFault.DEAF):
            delay += DEAF_S
        return Answer(self._spoilt(data) if data else bytes([ACK]), delay)

    def _spoilt(self, data: bytes) -> bytes:
        due = self.faults.due
        if due(BillFault.NOISE):
            noise = bytes(self._rng.randrange(256) for _ in range(self._rng.randint(2, 20)))
            return noise + bytes([checksum(noise) ^ 0xA5])
        if len(data) > 1 and due(BillFault.SHORT_ANSWER):
            data = data[: self._rng.randrange(1, len(data))]
        wrong = 0x5A if due(BillFault.BAD_CHK) else 0
        return data + bytes([checksum(data) ^ wrong])

    def _recycled_type(self, value: int) -> int:
        for bill_type in self.model.recycled_types():
            if self.model.value(bill_type) == value:
                return bill_type
        raise ValueError(f"this recycler has no store for bills of {value}")

    def _filled(self, bill_type: int, value: int) -> None:
        self.truth.fill(value, 1)
        self.memory.counted[bill_type] += 1
        if self.memory.running:
            self.memory.activity.add(bytes([FILLED | bill_type]))

    def _break(self, fault: BillFault) -> None:
        if fault in (BillFault.PAYOUT_POWER_CUT, BillFault.POWER_CUT_IN_STACKING):
            self.power_cycle()
        else:
            self.reset_itself()

    def _halt(self) -> None:
        self._commands.on_ack = None
        self.way.stop()
        self.dispenser.stop()
        if self._clearing is not None:
            self._clearing.cancel()

    def _boot(self, takes_s: float) -> None:
        self.memory.running = True
        self._restart(takes_s)

    def _restart(self, takes_s: float) -> None:
        """Back to the power-on state; silent for `takes_s`, then JUST RESET, then the path is
        cleared. Bill movements nobody heard of are told again, where the model remembers."""
        activity = self.memory.activity
        untold = [b for b in activity.offer(1 << 16) if b >= 0x80] if self.model.remembers else []
        activity.clear()
        self.memory.forget()
        for byte in (JUST_RESET, *untold):
            activity.add(bytes([byte]))
        self._silent_until = self._loop.time() + takes_s
        self._clearing = self._loop.call_later(takes_s, self.way.clear)
