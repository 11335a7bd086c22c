"""Age verification carried by a cashless device's diagnostics (DRAVP, DRAVS).

DRAVP tells the age that customers must have; it is told again when the age changes or
the device started anew. DRAVS asks whether the one who stands there has it. Either is
answered at once, or acknowledged and answered on a later POLL.
"""

from math import inf
from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_news import AgeChecked
from vendd.wire.mdb.cashless_poll import AgeAnswer

PATIENCE_S: Final = 90.0  # the customer has to show something to the device
OFF: Final = 0


class AgeCheck:
    """One device's side of it. `approved`: the bits of a status that mean *old enough*."""

    def __init__(self, approved: frozenset[bytes]) -> None:
        self._approved = approved
        self._id: str | None = None
        self._years = OFF
        self._told = OFF  # the age the device knows
        self._waiting = False  # acknowledged; the answer comes on POLL
        self._until = inf
        self._abort = False

    @property
    def busy(self) -> bool:
        return self._id is not None

    def begin(self, check_id: str, years: int) -> None:
        self._id, self._years = check_id, years
        self._waiting = False
        self._until = inf

    def stop(self) -> list[AgeChecked]:
        """Nobody waits for it any more: tell, and take the question back from the device."""
        return self._end(verified=False, bits=b"", abort=True)

    def forget(self) -> list[AgeChecked]:
        """The device started anew, or is gone."""
        self._told, self._abort = OFF, False
        return self._end(verified=False, bits=b"", abort=False)

    def next(self, now: float) -> bytes | None:
        """The command to send, if one is due."""
        if self._abort:
            return cd.age_limit(OFF)
        if self._id is None or self._waiting:
            return None
        if self._until == inf:
            self._until = now + PATIENCE_S
        return cd.AGE_STATUS if self._told == self._years else cd.age_limit(self._years)

    def taken(self) -> None:
        """The command was acknowledged."""
        self._waiting = self._id is not None and not self._abort
        self._abort = False

    def heard(self, answer: AgeAnswer) -> list[AgeChecked]:
        if not self._waiting:
            return []  # of a question that was taken back
        if answer.status:
            verified = self._told == self._years and answer.bits in self._approved
            return self._end(verified=verified, bits=answer.bits, abort=False)
        if self._told != self._years:
            self._told = self._years
            self._waiting = False
        return []

    def overdue(self, now: float) -> list[AgeChecked]:
        return self.stop() if now >= self._until else []

    def _end(self, *, verified: bool, bits: bytes, abort: bool) -> list[AgeChecked]:
        check_id, self._id = self._id, None
        self._waiting = False
        if check_id is None:
            return []
        if abort:
            self._abort, self._told = True, OFF
        return [AgeChecked(check_id, verified, bits.hex().upper())]
