"""An MDB card reader, level 1 to 3: a peripheral on the bus and a place to hold cards to.

What it says is in `ReaderCommands`, what it does with cards in `ReaderSession`, and
what holders really paid in `CardTruth`.
"""

import asyncio
import random

from hw_sim.devices.card_reader_commands import ReaderCommands
from hw_sim.devices.card_reader_parts import Card, CardFault, CardTruth, ReaderModel
from hw_sim.devices.card_reader_session import ReaderSession, Stage
from hw_sim.devices.faults import Faults
from hw_sim.devices.mdb_link import ACK, NAK, RESPONSE_S, Answer, checksum

__all__ = ["Card", "CardFault", "CardReader", "ReaderModel", "Stage"]

JUST_RESET = b"\x00"
BAD_CARD = b"\x0a\x11"
POLL = 2
DEAF_S = 3 * RESPONSE_S
ADDRESSES = {1: 0x10, 2: 0x60}
CUT_S = 1.0


class CardReader:
    """One reader, the machine's first or second. `receive`, `acknowledged` and `bus_reset` are
    the bus side (`mdb_link.Peripheral`), the rest is for the world around it; `truth` is for
    auditors.

    Everything runs on the given loop's clock, amounts are minor units; `rng` decides timing
    and chance faults, so a seed replays. Is NOT responsible for the adapter's ACKs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rng: random.Random,
        model: ReaderModel | None = None,
        *,
        number: int = 1,
    ) -> None:
        self.address = ADDRESSES[number]
        self.model = model or ReaderModel()
        self.truth = CardTruth()
        self.faults = Faults(CardFault, rng)
        self._loop = loop
        self._rng = rng
        self.session = ReaderSession(loop, rng, self.model, self.truth, self.faults)
        self.session.on_approved = self._break
        self._commands = ReaderCommands(self.session, self.reset_itself)
        self.powered = True
        self._silent_until = 0.0
        self._saying = b""  # the message whose ACK is awaited
        self._restart(0.0)

    @property
    def stage(self) -> Stage:
        return self.session.stage

    # --- the bus -----------------------------------------------------------------------

    def receive(self, block: bytes) -> Answer | None:
        """One block with CHK; None is silence (dead, busy, wrong CHK, unknown command)."""
        if not self.powered or self._loop.time() < self._silent_until:
            return None
        if checksum(block[:-1]) != block[-1]:
            return None
        self._saying = b""
        due = self.faults.due
        if due(CardFault.RANDOM_RESET):
            self.reset_itself()
            return None
        if due(CardFault.SILENT):
            return None
        if due(CardFault.ANSWER_NAK):
            return Answer(bytes([NAK]), self.model.answer_s[0])
        command = block[0] & 0x07
        data = self._commands.carry_out(command, block[1:-1])
        if data is None:
            return None
        if command == POLL and not data and due(CardFault.MALFUNCTION):
            data = BAD_CARD
        elif data:
            self._saying = data
            if data not in self.session.said:
                self.session.said.append(data)  # said again on POLL unless it is acknowledged
        return self._say(data)

    def acknowledged(self) -> None:
        said, self._saying = self._saying, b""
        if said and not self.faults.due(CardFault.ACK_LOST):
            if said in self.session.said:
                self.session.said.remove(said)
            self.session.heard(said)

    def bus_reset(self) -> None:
        if self.powered:
            self.reset_itself()

    # --- cards and hands ------------------------------------------------------------------

    def tap(self, card: Card) -> bool:
        """A card is held to the reader. False: it is off, busy or not enabled."""
        return self._awake() and self.session.tap(card)

    def remove(self) -> None:
        """The card is taken away."""
        if self._awake():
            self.session.leave()

    def press_cancel(self) -> None:
        """The reader's own cancel button."""
        if self._awake():
            self.session.leave()

    def decline_next(self) -> None:
        """The bank says no to the next request."""
        self.session.decline_next = True

    def show_age(self, years: int) -> None:
        self._commands.show_age(years)

    @property
    def asks_age(self) -> bool:
        """The reader asks the customer to prove an age."""
        return self._commands.age_asked

    # --- trouble --------------------------------------------------------------------------

    def silence(self, seconds: float) -> None:
        """It answers nothing for a while, and forgets nothing."""
        self._silent_until = max(self._silent_until, self._loop.time() + seconds)

    def lose_power(self) -> None:
        """The MDB cable is pulled: no power, no answer; an approved vend counts as sold."""
        if self.powered:
            self.powered = False
            self._restart(0.0)

    def plug(self) -> None:
        if not self.powered:
            self.powered = True
            self._restart(self.model.boot_s)

    def power_cycle(self, off_s: float = CUT_S) -> None:
        self.lose_power()
        self._loop.call_later(off_s, self.plug)

    def reset_itself(self) -> None:
        """A reset (by command, or of its own): JUST RESET at the next poll."""
        self._restart(self.model.reset_s)

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """Arm a `CardFault` by name; see there for what one opportunity is."""
        self.faults.arm(fault, times, after)

    # --- inside ---------------------------------------------------------------------------

    def _awake(self) -> bool:
        return self.powered and self._loop.time() >= self._silent_until

    def _break(self, fault: CardFault) -> None:
        if fault is CardFault.RESET_APPROVED:
            self.reset_itself()
        else:
            self.power_cycle()

    def _restart(self, takes_s: float) -> None:
        """Back to the power-on state; silent for `takes_s`, then JUST RESET."""
        self._saying = b""
        self.session.restart()
        self._commands.age_limit, self._commands.age_asked = 0, False
        self.session.said.append(JUST_RESET)
        self._silent_until = self._loop.time() + takes_s

    def _say(self, data: bytes) -> Answer:
        """Empty data is a plain ACK."""
        first, last = self.model.answer_s
        delay = first + (last - first) * self._rng.random()
        wire = bytes([*data, checksum(data)]) if data else bytes([ACK])
        due = self.faults.due
        if data and due(CardFault.BAD_CHK):
            wire = wire[:-1] + bytes([wire[-1] ^ 0x5A])
        elif data and due(CardFault.NOISE):
            noise = bytes(self._rng.randrange(256) for _ in range(self._rng.randint(2, 20)))
            wire = noise + bytes([checksum(noise) ^ 0xA5])
        if due(CardFault.DEAF):
            delay += DEAF_S
            self._saying = b""  # its ACK will never come
        return Answer(wire, delay)
