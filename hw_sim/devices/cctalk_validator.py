"""A ccTalk bill validator at byte level: transport, escrow, stacker, and where every bill is."""

import asyncio
from collections.abc import Mapping

from hw_sim.devices.bill_truth import BillTruth, Place
from hw_sim.devices.cctalk_device import Polled
from hw_sim.devices.cctalk_link import ACK, Said

READS_S = 1.0
STACKS_S = 1.2
RETURNS_S = 0.8
ESCROW_S = 30.0
EURO = {1: ("EU0005A", 500), 2: ("EU0010A", 1000), 3: ("EU0020A", 2000), 4: ("EU0050A", 5000)}
RETURNED, INVALID, INHIBITED, JAM_SAFE, STACKER_FULL = 1, 2, 4, 16, 14
EMPTY, FAILED = 254, 255


class CcTalkValidator(Polled):
    """`escrow`: the value of the bill inside, 0 for none; `truth`: where every bill is.
    `jam_next`: the next stacking jams safely. `fail_routes`: so many orders fail."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        address: int = 40,
        bills: Mapping[int, tuple[str, int]] | None = None,
        crc: bool = False,
    ) -> None:
        super().__init__(loop, address, "Bill Validator", poll_header=159, crc=crc)
        self._bills = dict(EURO if bills is None else bills)
        self.truth = BillTruth(())
        self.escrow = 0
        self._place = Place.ENTRY
        self.jam_next = False
        self.fail_routes = 0
        self.stacks_at_start = False  # a bill found in escrow at power-up is stacked
        self._moving = ""
        self._timer: asyncio.TimerHandle | None = None
        self.commands |= {
            156: lambda data: Said(data=b"\x64\x00\x02" if data == b"EU" else b"\0\0\0"),
            157: self._bill_id,
            153: lambda data: ACK if len(data) == 1 else None,
            154: self._route,
        }

    # --- what can be seen ------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        """Bills it knows, minor units, smallest first."""
        return tuple(sorted({value for _, value in self._bills.values()}))

    @property
    def jammed(self) -> bool:
        return bool(self.truth.path[Place.STUCK])

    @property
    def paying(self) -> bool:
        """It has no recycler."""
        return False

    def stacked(self) -> int:
        return self.truth.stacker_total()

    @property
    def returned(self) -> int:
        return self.truth.returned

    def conserved(self) -> bool:
        """Every bill is somewhere."""
        return self.truth.conserved()

    # --- people ----------------------------------------------------------------------

    def insert_bill(self, value: int) -> bool:
        """A customer's bill; one at a time is drawn in. False: it is in the hand again."""
        before = self.truth.returned
        self.insert(value)
        refused = self.truth.returned > before
        if refused:
            self.truth.take_hand()
            self.truth.inserted -= value
            self.truth.returned -= value
        return not refused

    def insert(self, value: int) -> None:
        """The same, booked as inserted and returned when it is not drawn in."""
        self.truth.insert(value)
        position = self._position(value)
        if self._moving or self.escrow or position is None or not self.taking(position):
            self.truth.give_back(value, Place.ENTRY, self.loop.time())
            if self.powered:
                self.events.add(0, INVALID if position is None else INHIBITED)
            return
        self._moving = "reading"
        self.escrow = value
        self._place = Place.ENTRY
        self._timer = self.loop.call_later(READS_S, self._read, position)

    def pull_back(self) -> bool:
        """It holds what it has drawn in."""
        return False

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """``bill_jam``: the next stacking jams; ``stack_refused``: `times` orders fail."""
        if fault == "bill_jam":
            self.jam_next = True
        elif fault == "stack_refused":
            self.fail_routes = times
        else:
            raise ValueError(f"{fault!r} is no fault of a ccTalk bill validator")

    def unplug(self) -> None:
        self.power_off()

    def plug(self) -> None:
        self.power_on()

    def repair(self) -> None:
        self.jam_next = False
        self.fail_routes = 0
        self.truth.free_stuck()

    def stopped(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def started(self, *, power_up: bool) -> None:
        super().started(power_up=power_up)
        moving, self._moving = self._moving, ""
        if not self.escrow:
            return
        stack = moving == "stacking" or (moving != "reading" and self.stacks_at_start)
        self._begin("stacking" if stack else "returning")

    def _position(self, value: int) -> int | None:
        return next((p for p, (_, v) in self._bills.items() if v == value), None)

    def _move(self, new: Place) -> None:
        self.truth.move(self.escrow, self._place, new)
        self._place = new

    def _read(self, position: int) -> None:
        self._moving = ""
        self._move(Place.ESCROW)
        self.events.add(position, 1)
        self._timer = self.loop.call_later(ESCROW_S, self._begin, "returning")

    def _begin(self, moving: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._moving = moving
        takes = STACKS_S if moving == "stacking" else RETURNS_S
        self._timer = self.loop.call_later(takes, self._moved)

    def _moved(self) -> None:
        moving, self._moving = self._moving, ""
        self._timer = None
        value = self.escrow
        if moving == "stacking" and self.jam_next:
            self.jam_next = False
            self._move(Place.STUCK)
            self.events.add(0, JAM_SAFE)
        elif moving == "stacking":
            self.truth.stack(value, self._place)
            self.events.add(self._position(value) or 0, 0)
        else:
            self.truth.give_back(value, self._place, self.loop.time())
            self.events.add(0, RETURNED)
        self.escrow = 0

    def _bill_id(self, data: bytes) -> Said | None:
        if len(data) != 1:
            return None
        name, _ = self._bills.get(data[0], (".......", 0))
        return Said(data=name.encode("ascii"))

    def _route(self, data: bytes) -> Said | None:
        if len(data) != 1:
            return None
        if not self.escrow or self._moving:
            return Said(data=bytes([EMPTY]))
        if data[0] == 255:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(ESCROW_S, self._begin, "returning")
        elif self.fail_routes > 0:
            self.fail_routes -= 1
            return Said(data=bytes([FAILED]))
        else:
            self._begin("stacking" if data[0] == 1 else "returning")
        return ACK
