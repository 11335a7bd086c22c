"""What a coin changer answers to each command, faults aside (NAMA MDB/ICP 4.2, section 5)."""

from collections.abc import Callable

from hw_sim.devices.changer_answers import Tongue
from hw_sim.devices.changer_parts import (
    MAX_ACTIVITY,
    OPTION_DIAGNOSTICS,
    OPTION_MANUAL,
    OPTION_PAYOUT,
    TYPES,
    Works,
)
from hw_sim.devices.coin_acceptor import CoinAcceptor
from hw_sim.devices.coin_payout import CoinPayout
from hw_sim.devices.faults import ChangerFault

ACKNOWLEDGE = b""  # a plain ACK; None is silence
LEVER = b"\x01"
PAYOUT_BUSY, UNPLUGGED = b"\x02", b"\x06"
LONGEST_SILENCE_S = 1.5  # less than the changer's non-response time of 2 s


class ChangerCommands:
    """Carries out commands; `on_ack` is what the master's ACK to the last answer sets off."""

    def __init__(
        self,
        works: Works,
        acceptor: CoinAcceptor,
        payout: CoinPayout,
        tongue: Tongue,
        reset: Callable[[], None],
    ) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._truth = works.truth
        self._faults = works.faults
        self._acceptor = acceptor
        self._payout = payout
        self._tongue = tongue
        self._reset = reset
        self._spoke_at = 0.0
        self.on_ack: Callable[[], None] | None = None
        self.tubes_ready_at = 0.0
        self.lever_held = False
        self.filled_by_hand = [0] * TYPES
        self.paid_by_hand = [0] * TYPES

    def carry_out(self, command: int, data: bytes) -> bytes | None:
        """Data to answer, empty for ACK, None for silence. `command`: the lower three bits."""
        if command == 3:
            return self._poll()
        if command == 7:
            return self._expansion(data)
        if command == 0:
            self._reset()
            return ACKNOWLEDGE
        if command == 4:
            return self._coin_type(data)
        if self._payout.busy:
            return None  # can't answer detailed commands while coins move
        if command == 1:
            return self._model.setup()
        if command == 2:
            return self._tube_status()
        if command == 5:
            return self._dispense(data)
        return None

    def _poll(self) -> bytes | None:
        activity, payout = self._memory.activity, self._payout
        if payout.busy and not activity and self._prefers_silence():
            return None
        self._spoke_at = self._loop.time()
        status = PAYOUT_BUSY if payout.busy else b""
        if self._faults.any or self._acceptor.unplugged:
            status += self._odd_status()
        if self.lever_held:
            status += LEVER
        if not activity:
            return status
        self.on_ack = activity.accepted
        return status + activity.offer(MAX_ACTIVITY - len(status))

    def _prefers_silence(self) -> bool:
        style = self._model.busy_style
        if style == "busy" or self._loop.time() - self._spoke_at > LONGEST_SILENCE_S:
            return False
        return style == "silent" or self._rng.random() < 0.5

    def _odd_status(self) -> bytes:
        status = b""
        if self._acceptor.unplugged or self._faults.due(ChangerFault.ACCEPTOR_UNPLUGGED):
            status += UNPLUGGED
        if self._faults.due(ChangerFault.UNKNOWN_STATUS):
            status += bytes([self._rng.randrange(0x0E, 0x20)])
        return status

    def _tube_status(self) -> bytes | None:
        if self._loop.time() < self.tubes_ready_at:
            return None
        full = 0
        counts = bytearray(TYPES)
        for coin_type in self._model.tube_types():
            if coin_type in self._memory.defective:
                full |= 1 << coin_type  # full with count 0: defective
                continue
            counts[coin_type] = min(self._memory.counted[coin_type], 255)
            column = self._truth.tubes[self._model.value(coin_type)]
            if len(column) >= self._model.full_at(coin_type):
                full |= 1 << coin_type
        return full.to_bytes(2, "big") + bytes(counts)

    def _coin_type(self, data: bytes) -> bytes | None:
        if len(data) != 4:
            return None
        self._memory.enabled = int.from_bytes(data[:2], "big")
        self._memory.manual = int.from_bytes(data[2:], "big")
        return ACKNOWLEDGE

    def _dispense(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        self._spoke_at = self._loop.time()
        self._payout.dispense(data[0] & 0x0F, data[0] >> 4)
        return ACKNOWLEDGE

    # --- expansion commands (0F), level 3 ---------------------------------------------

    def _expansion(self, data: bytes) -> bytes | None:
        if self._model.level < 3 or not data:
            return None
        subcommand, rest = data[0], data[1:]
        options = self._memory.options
        if subcommand == 0x00:
            return None if self._payout.busy else self._model.identification()
        if subcommand == 0x01 and len(rest) == 4:
            self._memory.options = rest[3] & self._model.options
            return ACKNOWLEDGE
        if subcommand in (0x02, 0x03, 0x04) and options & OPTION_PAYOUT:
            return self._alternative_payout(subcommand, rest)
        if subcommand == 0x05 and options & OPTION_DIAGNOSTICS:
            return self._tongue.diagnosis(self._diagnosis())
        if subcommand == 0x06 and options & OPTION_MANUAL:
            return self._counts(self.filled_by_hand)
        if subcommand == 0x07 and options & OPTION_MANUAL:
            return self._counts(self.paid_by_hand)
        return None

    def _alternative_payout(self, subcommand: int, rest: bytes) -> bytes | None:
        payout = self._payout
        if subcommand == 0x02:
            if payout.busy or len(rest) != 1:
                return None
            self._spoke_at = self._loop.time()
            payout.pay(rest[0] * self._model.scale)
            return ACKNOWLEDGE
        if subcommand == 0x03:
            return ACKNOWLEDGE if payout.busy else self._counts(payout.paid)
        if not payout.busy and payout.paid_value == 0:
            return ACKNOWLEDGE  # finished
        said = payout.paid_value

        def heard() -> None:
            payout.paid_value -= said

        self.on_ack = heard
        return bytes([said // self._model.scale])

    def _counts(self, counts: list[int]) -> bytes:
        """Counts per type without the unused end, at least one; zero once they were heard."""

        def heard() -> None:
            counts[:] = [0] * TYPES

        self.on_ack = heard
        used = max((t for t in range(TYPES) if counts[t]), default=0)
        return bytes(min(n, 255) for n in counts[: used + 1])

    def _diagnosis(self) -> bytes:
        pairs = b""
        if any(self.filled_by_hand):
            pairs += b"\x05\x20"  # new inventory information
        if self._memory.defective:
            pairs += b"\x15\x00"  # cassette or tube
        if self._truth.stuck:
            pairs += b"\x11\x30"  # discriminator: coin jam
        return pairs or (b"\x03\x00" if self._memory.enabled else b"\x06\x00")
