"""Faults by name: armed for the n-th opportunity, or happening by chance."""

import random
from enum import StrEnum
from typing import Generic, TypeVar


class ChangerFault(StrEnum):
    """What a changer does wrong, and what counts as one opportunity to do it."""

    # each coin that is about to be paid
    PAYOUT_JAM = "payout_jam"  # `02 04 07`: tube jams and is defective, the rest stays unpaid
    PAYOUT_RESET = "payout_reset"  # `0B` in the middle, the rest stays unpaid
    PAYOUT_POWER_CUT = "payout_power_cut"  # loses power for a second in the middle
    # each half second after the last coin was paid
    PAYOUT_ENDLESS = "payout_endless"  # busy, and the value poll goes on with zeros
    # each coin at the acceptor's gate
    COIN_REJECTED = "coin_rejected"  # returned, and reported as rejected
    COIN_LOST = "coin_lost"  # validated, stuck on its way: `03`
    COIN_JAM = "coin_jam"  # stuck in the acceptance path: `0C`
    DOUBLE_ARRIVAL = "double_arrival"  # returned: `05`
    WRONG_TUBE = "wrong_tube"  # lands in another tube than the one it is counted for: `09`
    # each block that arrives
    SILENT = "silent"  # not answered, not carried out
    DEAF = "deaf"  # carried out, answered too late for the master (slow reply)
    ANSWER_NAK = "answer_nak"  # not carried out
    RANDOM_RESET = "random_reset"  # resets itself instead of answering
    BUSY = "busy"  # polls say `0A`, detailed commands stay unanswered
    # each data answer
    BAD_CHK = "bad_chk"
    NOISE = "noise"  # random bytes with a wrong CHK
    SHORT_ANSWER = "short_answer"  # cut in the middle, its CHK right
    ACK_LOST = "ack_lost"  # does not hear the master's ACK: the same activity comes again
    # each poll
    UNKNOWN_STATUS = "unknown_status"  # status bytes that nobody has defined
    ACCEPTOR_UNPLUGGED = "acceptor_unplugged"  # `06`
    # each diagnostic request
    LONG_DIAG = "long_diag"  # more than 16 bytes, an odd number


Fault = TypeVar("Fault", bound=StrEnum)


class Faults(Generic[Fault]):
    """Which faults of one `kind` are due. Deterministic for a seeded `rng`.

    `arm(fault, times, after)`: skip `after` opportunities, then hit `times` of them.
    `rate(fault, p)`: each opportunity is hit with probability p. Names that the kind does not
    have, and numbers that make no sense, are a ValueError.
    """

    def __init__(self, kind: type[Fault], rng: random.Random) -> None:
        self._kind = kind
        self._rng = rng
        self._armed: dict[Fault, list[int]] = {}  # fault -> [after, times]
        self._rates: dict[Fault, float] = {}
        self.any = False  # lets the healthy path skip all questions
        self.hits: dict[Fault, int] = {}

    def arm(self, fault: str, times: int = 1, after: int = 0) -> None:
        if times < 1 or after < 0:
            raise ValueError("a fault hits at least once, after zero or more opportunities")
        self._armed[self._kind(fault)] = [after, times]
        self.any = True

    def rate(self, fault: str, probability: float) -> None:
        if not 0.0 <= probability <= 1.0:
            raise ValueError("a probability lies between 0 and 1")
        self._rates[self._kind(fault)] = probability
        self.any = True

    def clear(self, fault: str | None = None) -> None:
        """Forget one fault, or all."""
        if fault is None:
            self._armed.clear()
            self._rates.clear()
        else:
            self._armed.pop(self._kind(fault), None)
            self._rates.pop(self._kind(fault), None)
        self.any = bool(self._armed or self._rates)

    def due(self, fault: Fault) -> bool:
        """One opportunity for `fault`: does it happen?"""
        if not self.any:
            return False
        hit = self._armed_hit(fault)
        if not hit and fault in self._rates:
            hit = self._rng.random() < self._rates[fault]
        if hit:
            self.hits[fault] = self.hits.get(fault, 0) + 1
        return hit

    def _armed_hit(self, fault: Fault) -> bool:
        armed = self._armed.get(fault)
        if armed is None:
            return False
        if armed[0] > 0:
            armed[0] -= 1
            return False
        armed[1] -= 1
        if armed[1] == 0:  # what is armed is over; a rate stays
            del self._armed[fault]
            self.any = bool(self._armed or self._rates)
        return True
