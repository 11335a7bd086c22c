"""The faults a changer reports, one beginning and one end each (NAMA MDB/ICP 4.2, 5.3 POLL).

POLL status bytes differ: some come with every poll while they last, others once.
Those that come once end when something proves them over: a coin that gets
through, a payout that works, an "all OK" in the diagnostics, a new start, or
(for an attempt at theft) a quiet minute.
"""

from collections.abc import Iterable
from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_news import FaultBegan, FaultGone

REMOVAL_QUIET_S: Final = 60.0

_ONCE: Final = {
    cd.TUBE_SENSOR: "tube_sensor",
    cd.TUBE_JAM: "tube_jam",
    cd.ROM_CHECKSUM: "changer_rom",
    cd.ROUTING_ERROR: "coin_routing",
    cd.COIN_JAM: "coin_jam",
    cd.COIN_REMOVAL: "coin_removal",
}
_UNPLUGGED: Final = "acceptor_unplugged"
_BY_COIN: Final = frozenset({"coin_jam", "coin_routing", _UNPLUGGED})
_BY_PAYOUT: Final = frozenset({"tube_jam"})
_BY_OK: Final = frozenset({"tube_sensor", "tube_jam", "coin_jam"})

Change = FaultBegan | FaultGone


class ChangerFaults:
    """Which faults are there now. `removal_alarm` False: 0D is not taken as a fault."""

    def __init__(self, *, removal_alarm: bool = True) -> None:
        self._active: dict[str, str] = {}
        self._diagnosed: set[str] = set()
        self._removal_at: float | None = None
        self._removal_alarm = removal_alarm

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

    def polled(self, statuses: frozenset[int], now: float) -> list[Change]:
        """The status bytes of one POLL answer (none of them for a plain ACK)."""
        if not statuses and not self._active:
            return []
        changes: list[Change] = []
        if cd.UNPLUGGED in statuses:
            changes += self.begin(_UNPLUGGED)
        else:
            changes += self.end((_UNPLUGGED,))
        for code in statuses & _ONCE.keys():
            if code == cd.COIN_REMOVAL:
                if not self._removal_alarm:
                    continue
                self._removal_at = now
            changes += self.begin(_ONCE[code])
        if self._removal_at is not None and now > self._removal_at + REMOVAL_QUIET_S:
            self._removal_at = None
            changes += self.end((_ONCE[cd.COIN_REMOVAL],))
        return changes

    def diagnosed(self, data: bytes) -> list[Change]:
        """A DIAGNOSTICS answer, which names all faults that last."""
        found = cd.faults_of(data)
        changes = self.end(self._diagnosed - found.keys())
        for code, detail in found.items():
            changes += self.begin(code, detail)
        self._diagnosed = set(found)
        if cd.says_ok(data):
            changes += self.end(_BY_OK)
        return changes

    def coin_came(self) -> list[Change]:
        return self.end(_BY_COIN) if self._active else []

    def payout_worked(self) -> list[Change]:
        return self.end(_BY_PAYOUT)

    def restarted(self, *, keep: str = "") -> list[Change]:
        """The changer starts anew: what still is wrong, it will say again."""
        self._diagnosed.clear()
        self._removal_at = None
        return self.end(code for code in tuple(self._active) if code != keep)
