"""The faults a bill validator reports, one beginning and one end each (NAMA MDB/ICP 4.2, 6.3 POLL).

Status bytes that come once end when something proves them over: a bill that gets
through, a payout that works, a new start, or (for an attempt at theft) a quiet
minute. A cash box that is out ends when the validator works again.
"""

from collections.abc import Iterable
from typing import Final

from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb.changer_news import FaultBegan, FaultGone

REMOVAL_QUIET_S: Final = 60.0
DISABLED_S: Final = 10.0  # "disabled" for so long though bills are enabled

STACKER_FULL: Final = "stacker_full"
BOX_OUT: Final = "cash_box_out"
OFF: Final = "validator_disabled"
_REMOVAL: Final = "bill_removal"
_ONCE: Final = {
    bd.MOTOR: "bill_motor",
    bd.SENSOR: "bill_sensor",
    bd.ROM_CHECKSUM: "validator_rom",
    bd.JAM: "bill_jam",
    bd.BOX_OUT: BOX_OUT,
    bd.CREDITED_REMOVAL: _REMOVAL,
    bd.DISPENSER_SENSOR: "recycler_sensor",
    bd.DISPENSER_MOTOR: "recycler_motor",
    bd.DISPENSER_JAM: "recycler_jam",
    bd.DISPENSER_ROM: "recycler_rom",
}
_BY_BILL: Final = frozenset({"bill_motor", "bill_sensor", "bill_jam", BOX_OUT, OFF})
_BY_PAYOUT: Final = frozenset({"recycler_sensor", "recycler_motor", "recycler_jam"})

Change = FaultBegan | FaultGone


class BillFaults:
    """Which faults are there now. `removal_alarm` False: 0C is not taken as a fault."""

    def __init__(self, *, removal_alarm: bool = True) -> None:
        self._active: dict[str, str] = {}
        self._removal_at: float | None = None
        self._removal_alarm = removal_alarm
        self._disabled_since: float | None = None
        self._off_while_out = False

    @property
    def active(self) -> frozenset[str]:
        return frozenset(self._active)

    def begin(self, code: str, detail: str = "") -> list[Change]:
        if code in self._active:
            return []
        self._active[code] = detail
        return [FaultBegan(code, detail)]

    def end(self, codes: Iterable[str]) -> list[Change]:
        return [FaultGone(c) for c in sorted(codes) if self._active.pop(c, None) is not None]

    def polled(self, statuses: frozenset[int], now: float, *, enabled: bool) -> list[Change]:
        """The status bytes of one POLL answer (none for a plain ACK). `enabled`: bills are on."""
        changes: list[Change] = []
        for code in sorted(statuses & _ONCE.keys()):
            if code == bd.CREDITED_REMOVAL:
                if not self._removal_alarm:
                    continue
                self._removal_at = now
            changes += self.begin(_ONCE[code])
        if self._removal_at is not None and now > self._removal_at + REMOVAL_QUIET_S:
            self._removal_at = None
            changes += self.end((_REMOVAL,))
        return changes + self._disabled(bd.DISABLED in statuses, now, enabled=enabled)

    def _disabled(self, says_so: bool, now: float, *, enabled: bool) -> list[Change]:
        """Disabled by itself: while the cash box is out, or for no reason that it gives."""
        if not enabled:
            self._disabled_since = None
            return []
        if not says_so:
            self._disabled_since = None
            over = (OFF, BOX_OUT) if self._off_while_out else (OFF,)
            self._off_while_out = False
            return self.end(over)
        self._off_while_out = self._off_while_out or BOX_OUT in self._active
        if self._disabled_since is None:
            self._disabled_since = now
        late = now - self._disabled_since > DISABLED_S
        return self.begin(OFF) if late and not self._off_while_out else []

    def bill_came(self) -> list[Change]:
        self._off_while_out = False
        return self.end(_BY_BILL) if self._active else []

    def payout_worked(self) -> list[Change]:
        return self.end(_BY_PAYOUT)

    def stacker(self, *, full: bool) -> list[Change]:
        return self.begin(STACKER_FULL) if full else self.end((STACKER_FULL,))

    def restarted(self, *, keep: str = "") -> list[Change]:
        """The validator starts anew: what still is wrong, it will say again."""
        self._removal_at = self._disabled_since = None
        self._off_while_out = False
        return self.end(code for code in tuple(self._active) if code != keep)
