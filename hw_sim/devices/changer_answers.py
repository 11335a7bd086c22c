"""How a changer's answers get onto the wire, and how that goes wrong."""

import random

from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.faults import ChangerFault, Faults
from hw_sim.devices.mdb_link import ACK, NAK, RESPONSE_S, Answer, checksum

DEAF_S = 3 * RESPONSE_S


class Tongue:
    """Frames answers: ACK, NAK, data with CHK, each after the device's own response time."""

    def __init__(
        self, rng: random.Random, faults: Faults[ChangerFault], model: ChangerModel
    ) -> None:
        self._rng = rng
        self._faults = faults
        self._first, self._spread = model.answer_s[0], model.answer_s[1] - model.answer_s[0]

    def say(self, data: bytes) -> Answer:
        """Empty data is a plain ACK."""
        delay = self._first + self._spread * self._rng.random()
        wire = bytes([*data, checksum(data)]) if data else bytes([ACK])
        if self._faults.any:
            wire = self._spoil(data, wire)
            if self._faults.due(ChangerFault.DEAF):
                delay += DEAF_S
        return Answer(wire, delay)

    def nak(self) -> Answer:
        return Answer(bytes([NAK]), self._first)

    def diagnosis(self, pairs: bytes) -> bytes:
        """SEND DIAG STATUS; some devices answer with far more than anyone expects."""
        if self._faults.due(ChangerFault.LONG_DIAG):
            return pairs + bytes(self._rng.randrange(256) for _ in range(27 - len(pairs)))
        return pairs

    def _spoil(self, data: bytes, wire: bytes) -> bytes:
        due = self._faults.due
        if not data:
            return wire
        if due(ChangerFault.BAD_CHK):
            return wire[:-1] + bytes([wire[-1] ^ 0x5A])
        if due(ChangerFault.NOISE):
            noise = bytes(self._rng.randrange(256) for _ in range(self._rng.randint(2, 20)))
            return noise + bytes([checksum(noise) ^ 0xA5])
        if len(data) > 1 and due(ChangerFault.SHORT_ANSWER):
            short = data[: self._rng.randrange(1, len(data))]
            return short + bytes([checksum(short)])
        return wire
