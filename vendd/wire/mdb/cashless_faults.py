"""The malfunctions that a cashless device reports (NAMA MDB/ICP 4.2, 7.4: 0A xy).

The high half of the code says what kind it is: 0-3 pass by themselves, 4-7 last but
the device can be used, 8-B make it unusable, C is a refund that failed.
"""

from collections.abc import Iterable
from typing import Final

from vendd.wire.mdb.cashless_news import FaultBegan, FaultGone, Hiccup
from vendd.wire.mdb.cashless_poll import Malfunction

REFUND_ERROR: Final = 0x0C
_TRANSIENT: Final = {0: "media", 1: "invalid_media", 2: "tamper", 3: "maker_transient"}
_LASTING: Final = {4: "communication", 5: "needs_service", 7: "maker_lasting"}
_FATAL: Final = {8: "failure", 9: "link_failure", 0x0A: "media_jam", 0x0B: "maker_failure"}
_BY_VEND: Final = ("reader_communication",)

Change = FaultBegan | FaultGone


class ReaderFaults:
    """Which lasting faults are there now."""

    def __init__(self) -> None:
        self._active: set[str] = set()

    @property
    def active(self) -> frozenset[str]:
        return frozenset(self._active)

    def begin(self, code: str, detail: str = "") -> list[Change]:
        if code in self._active:
            return []
        self._active.add(code)
        return [FaultBegan(code, detail)]

    def end(self, codes: Iterable[str]) -> list[Change]:
        gone = sorted(set(codes) & self._active)
        self._active -= set(gone)
        return [FaultGone(code) for code in gone]

    def reported(self, it: Malfunction) -> list[Change | Hiccup]:
        """News of one report; those that pass by themselves are told each time."""
        detail = f"EAM_0A{it.code:X}{it.detail:X}"
        lasting = _LASTING.get(it.code) or _FATAL.get(it.code)
        if lasting is not None:
            return [*self.begin(f"reader_{lasting}", detail)]
        if it.code == REFUND_ERROR:
            return [Hiccup("reader_refund_error", detail)]
        return [Hiccup(f"reader_{_TRANSIENT.get(it.code, 'unknown')}", detail)]

    def vend_worked(self) -> list[Change]:
        return self.end(_BY_VEND)

    def restarted(self, *, keep: tuple[str, ...]) -> list[Change]:
        """It starts anew: what still is wrong, it will say again."""
        return self.end(code for code in tuple(self._active) if code not in keep)


def fatal(it: Malfunction) -> bool:
    return it.code in _FATAL
