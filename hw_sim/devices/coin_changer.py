"""An MDB coin changer, level 2 or 3: a peripheral on the bus and a box that coins fall into.

Three things are kept apart: what the changer says (`ChangerCommands`), what it
believes (`ChangerMemory`) and what is true (`CoinTruth`).
"""

import asyncio
import random

from hw_sim.devices.changer_answers import Tongue
from hw_sim.devices.changer_commands import LEVER, ChangerCommands
from hw_sim.devices.changer_parts import TYPES, ChangerMemory, ChangerModel, Works
from hw_sim.devices.coin_acceptor import CoinAcceptor
from hw_sim.devices.coin_payout import CoinPayout
from hw_sim.devices.coin_truth import CoinTruth
from hw_sim.devices.faults import ChangerFault, Faults
from hw_sim.devices.mdb_link import Answer, checksum

JUST_RESET = b"\x0b"
CHANGER_BUSY = b"\x0a"
MANUALLY_DISPENSED = 0x80
ONE_COIN = 0x10
MANUAL_COIN_S = 0.3


class CoinChanger:
    """One changer. `receive`, `acknowledged` and `bus_reset` are the bus side
    (`mdb_link.Peripheral`), the rest is for the world around it; `truth` is for auditors.

    Everything runs on the given loop's clock, values are minor units; `rng` decides timing
    and chance faults, so a seed replays. Is NOT responsible for the adapter's ACKs.
    """

    address = 0x08

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rng: random.Random,
        model: ChangerModel | None = None,
    ) -> None:
        self.model = model or ChangerModel()
        self.memory = ChangerMemory()
        self.truth = CoinTruth(self.model.value(t) for t in self.model.tube_types())
        self.faults = Faults(ChangerFault, rng)
        self._loop = loop
        self._tongue = Tongue(rng, self.faults, self.model)
        works = Works(loop, rng, self.model, self.memory, self.truth, self.faults)
        self.acceptor = CoinAcceptor(works)
        self.payout = CoinPayout(works, self._break)
        self._commands = ChangerCommands(
            works, self.acceptor, self.payout, self._tongue, self.reset_itself
        )
        self.powered = True
        self._silent_until = 0.0
        self._boot(0.0)

    # --- the bus -----------------------------------------------------------------------

    def receive(self, block: bytes) -> Answer | None:
        """One block with CHK; None is silence (dead, busy, wrong CHK, unknown command)."""
        if not self.powered or self._loop.time() < self._silent_until:
            return None
        if checksum(block[:-1]) != block[-1]:
            return None
        self._commands.on_ack = None
        if self.faults.any:
            handled, answer = self._misbehave(block)
            if handled:
                return answer
        data = self._commands.carry_out(block[0] & 0x07, block[1:-1])
        return None if data is None else self._tongue.say(data)

    def acknowledged(self) -> None:
        heard, self._commands.on_ack = self._commands.on_ack, None
        if heard is not None and not self.faults.due(ChangerFault.ACK_LOST):
            heard()

    def bus_reset(self) -> None:
        if self.powered:
            self.reset_itself()

    # --- what can be seen ------------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        """Coins it knows, minor units, smallest first."""
        return tuple(sorted({v for v in map(self.model.value, range(TYPES)) if v}))

    @property
    def jammed(self) -> bool:
        """A tube is out of use until somebody comes."""
        return bool(self.memory.defective)

    @property
    def paying(self) -> bool:
        """Coins are on their way out."""
        return self.payout.busy

    @property
    def fillable(self) -> bool:
        return True

    @property
    def untold(self) -> bool:
        """A coin falls, or has fallen and was not reported yet."""
        return bool(self.truth.falling) or len(self.memory.activity) > 0

    # --- coins and hands ------------------------------------------------------------------

    def insert_coin(self, value: int) -> None:
        """A coin of `value` minor units goes into the slot; it lands 250-450 ms later."""
        self.acceptor.drop(value)

    def insert_slug(self) -> None:
        """Something worthless goes into the slot."""
        self.acceptor.drop(0, slug=True)

    def press_lever(self) -> None:
        """The return lever is pressed once."""
        if self.memory.running:
            self.memory.activity.add(LEVER)

    def hold_lever(self, held: bool = True) -> None:
        """The lever is held (or stuck): this changer reports it on every poll."""
        self._commands.lever_held = held

    def fill_tube(self, value: int, count: int, *, counted: bool = True) -> None:
        """A technician puts coins into a tube; uncounted ones are there but not known."""
        coin_type = self._tube_type(value)
        self.truth.fill(value, count)
        if counted:
            self.memory.counted[coin_type] += count
            self._commands.filled_by_hand[coin_type] += count

    def refill(self, low: int, full: int) -> None:
        """A technician fills up the tubes that hold less than `low` coins."""
        for value, count in self.truth.counts().items():
            if count < low:
                self.fill_tube(value, full - count)

    def manual_dispense(self, value: int, count: int = 1) -> None:
        """Someone presses the changer's own payout button `count` times."""
        coin_type = self._tube_type(value)
        for nth in range(count):
            self._loop.call_later(MANUAL_COIN_S * (nth + 1), self._dispense_by_hand, coin_type)

    # --- trouble --------------------------------------------------------------------------

    def unplug(self) -> None:
        """The MDB cable is pulled: no power, no answer."""
        if self.powered:
            self.powered = False
            self.memory.running = False
            self.memory.power_cuts += 1
            self._restart(0.0)

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
        self._restart(self.model.reset_s)

    def miscount(self, value: int, counted: int) -> None:
        """The changer believes in another number of coins than there are."""
        self.memory.counted[self._tube_type(value)] = counted

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """Arm a `ChangerFault` by name; see there for what one opportunity is."""
        self.faults.arm(fault, times, after)

    def repair(self) -> None:
        """A technician clears jams and stuck coins; armed faults are forgotten."""
        self.faults.clear()
        self.memory.defective.clear()
        self.acceptor.unplugged = False
        self._commands.lever_held = False
        self.truth.free_stuck(self._loop.time())

    # --- inside ---------------------------------------------------------------------------

    def _misbehave(self, block: bytes) -> tuple[bool, Answer | None]:
        """Whether a fault of the whole exchange took this block, and what it answers."""
        due = self.faults.due
        if due(ChangerFault.RANDOM_RESET):
            self.reset_itself()
            return True, None
        if due(ChangerFault.SILENT):
            return True, None
        if due(ChangerFault.ANSWER_NAK):
            return True, self._tongue.nak()
        if due(ChangerFault.BUSY):
            poll = block[0] & 0x07 == 3
            return True, self._tongue.say(CHANGER_BUSY) if poll else None
        return False, None

    def _tube_type(self, value: int) -> int:
        for coin_type in self.model.tube_types():
            if self.model.value(coin_type) == value:
                return coin_type
        raise ValueError(f"this changer has no tube for coins of {value}")

    def _dispense_by_hand(self, coin_type: int) -> None:
        memory = self.memory
        if not memory.running or self.payout.busy or not memory.manual >> coin_type & 1:
            return
        if self.truth.eject(self.model.value(coin_type), self._loop.time()) is None:
            memory.counted[coin_type] = 0
            return
        memory.counted[coin_type] = max(0, memory.counted[coin_type] - 1)
        self._commands.paid_by_hand[coin_type] += 1
        left = min(memory.counted[coin_type], 255)
        memory.activity.add(bytes([MANUALLY_DISPENSED | ONE_COIN | coin_type, left]))

    def _break(self, fault: ChangerFault) -> None:
        if fault is ChangerFault.PAYOUT_RESET:
            self.reset_itself()
        else:
            self.power_cycle()

    def _boot(self, takes_s: float) -> None:
        self.memory.running = True
        self._restart(takes_s)

    def _restart(self, takes_s: float) -> None:
        """Back to the power-on state; silent for `takes_s`, then JUST RESET."""
        self._commands.on_ack = None
        self.payout.stop()
        self.memory.forget()
        self.memory.activity.add(JUST_RESET)
        now = self._loop.time()
        self._silent_until = now + takes_s
        self._commands.tubes_ready_at = now + max(takes_s, self.model.tubes_ready_s)
