"""What a bill validator answers to each command, faults aside (NAMA MDB/ICP 4.2, section 6)."""

from collections.abc import Callable

from hw_sim.devices.bill_dispenser import BillDispenser
from hw_sim.devices.bill_parts import MAX_ACTIVITY, OPTION_RECYCLING, TYPES, BillFault, BillWorks
from hw_sim.devices.bill_way import BillWay

ACKNOWLEDGE = b""  # a plain ACK; None is silence
BUSY, BOX_OUT, DISABLED = b"\x03", b"\x08", b"\x09"
PAYOUT_BUSY, BILL_WAITING = b"\x22", b"\x2a"
LONGEST_SILENCE_S = 3.0  # less than the validator's non-response time of 5 s


class BillCommands:
    """Carries out commands; `on_ack` is what the master's ACK to the last answer sets off."""

    def __init__(
        self,
        works: BillWorks,
        way: BillWay,
        dispenser: BillDispenser,
        reset: Callable[[], None],
    ) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._faults = works.faults
        self._way = way
        self._dispenser = dispenser
        self._reset = reset
        self._spoke_at = 0.0
        self.on_ack: Callable[[], None] | None = None

    def carry_out(self, command: int, data: bytes) -> bytes | None:
        """Data to answer, empty for ACK, None for silence. `command`: the lower three bits."""
        if command == 3:
            return self._poll()
        if command == 0:
            self._reset()
            return ACKNOWLEDGE
        if command == 1:
            return self._model.setup()
        if command == 2:
            return ACKNOWLEDGE if len(data) == 2 else None
        if command == 4:
            return self._bill_type(data)
        if command == 5:
            return self._escrow(data)
        if command == 6:
            full = 0x8000 if self._model.stacker_full(self._memory.stacked) else 0
            return (full | self._memory.stacked).to_bytes(2, "big")
        return self._expansion(data)

    def _poll(self) -> bytes | None:
        activity = self._memory.activity
        mute = self._way.moving and self._model.busy_style == "silent" and not activity
        if mute and self._loop.time() - self._spoke_at < LONGEST_SILENCE_S:
            return None
        self._spoke_at = self._loop.time()
        told = self._status()
        if activity:
            self.on_ack = activity.accepted
            told += activity.offer(MAX_ACTIVITY - len(told))
        return told

    def _status(self) -> bytes:
        status = b""
        if self._way.moving:
            status += BUSY
        if self._dispenser.busy:
            status += PAYOUT_BUSY
        if self._dispenser.waiting:
            status += BILL_WAITING
        if self._model.says_disabled and not self._way.can_take:
            status += DISABLED
        if self._faults.due(BillFault.UNKNOWN_STATUS):
            status += bytes([self._rng.choice((0x0D, 0x1F, 0x33, 0x3F, 0x60, 0x7F))])
        return status

    def _bill_type(self, data: bytes) -> bytes | None:
        if len(data) != 4:
            return None
        self._memory.enabled = int.from_bytes(data[:2], "big")
        self._memory.held = int.from_bytes(data[2:], "big")
        return ACKNOWLEDGE

    def _escrow(self, data: bytes) -> bytes | None:
        if len(data) != 1 or data[0] > 1:
            return None
        self._way.order(stack=data[0] == 1)
        return ACKNOWLEDGE

    # --- expansion commands (37) -------------------------------------------------------

    def _expansion(self, data: bytes) -> bytes | None:
        if not data:
            return None
        subcommand, rest = data[0], data[1:]
        if subcommand == 0x00:
            return self._model.identification()
        if self._model.level < 2:
            return None
        if subcommand == 0x02:
            return self._model.identification() + bytes(3) + bytes([self._model.options])
        if subcommand == 0x01 and len(rest) == 4:
            self._memory.options = rest[3] & self._model.options
            return ACKNOWLEDGE
        if not self._memory.options & OPTION_RECYCLING:
            return None
        return self._recycling(subcommand, rest)

    def _recycling(self, subcommand: int, rest: bytes) -> bytes | None:
        dispenser = self._dispenser
        if subcommand == 0x03:
            return sum(1 << t for t in self._model.recycled_types()).to_bytes(2, "big")
        if subcommand == 0x04 and len(rest) == 18:
            self._memory.manual = int.from_bytes(rest[:2], "big")
            return ACKNOWLEDGE
        if subcommand == 0x05:
            return None if dispenser.busy else self._levels()
        if subcommand in (0x06, 0x07):
            return self._dispense(subcommand, rest)
        if subcommand == 0x08:
            return ACKNOWLEDGE if dispenser.busy else self._paid()
        if subcommand == 0x09:
            return self._paid_units()
        if subcommand == 0x0A:
            dispenser.cancel()
            return ACKNOWLEDGE
        return None

    def _levels(self) -> bytes:
        full = 0
        counts = [0] * TYPES
        for bill_type in self._model.recycled_types():
            if bill_type in self._memory.defective:
                full |= 1 << bill_type  # full with count 0: defective
                continue
            counts[bill_type] = self._memory.counted[bill_type]
            if counts[bill_type] >= self._model.recycler_capacity:
                full |= 1 << bill_type
        return full.to_bytes(2, "big") + b"".join(n.to_bytes(2, "big") for n in counts)

    def _dispense(self, subcommand: int, rest: bytes) -> bytes | None:
        if self._dispenser.busy or self._way.occupied or self._dispenser.waiting:
            return None
        if subcommand == 0x06 and len(rest) == 3:
            if rest[0] not in self._model.recycled_types():
                return None
            self._dispenser.dispense(rest[0], int.from_bytes(rest[1:], "big"))
            return ACKNOWLEDGE
        if subcommand == 0x07 and len(rest) == 2:
            self._dispenser.dispense_value(int.from_bytes(rest, "big"))
            return ACKNOWLEDGE
        return None

    def _paid(self) -> bytes:
        counts = self._dispenser.paid
        said = list(counts)

        def heard() -> None:
            counts[:] = [0] * TYPES

        self.on_ack = heard
        return b"".join(n.to_bytes(2, "big") for n in said)

    def _paid_units(self) -> bytes:
        dispenser = self._dispenser
        if not dispenser.busy and dispenser.paid_units == 0:
            return ACKNOWLEDGE  # finished
        said = dispenser.paid_units

        def heard() -> None:
            dispenser.paid_units -= said

        self.on_ack = heard
        return said.to_bytes(2, "big")
