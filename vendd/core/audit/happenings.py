"""Events of the audit, from our own facts (EVA-DTS 6.1.1, appendix C).

An event begins and ends (EA2 active, then EA1 with its duration), or it only happens. Codes that
concern one product carry it: ``ELB_A3``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vendd.core.facts import (
    AlertState,
    Door,
    ExactChange,
    Fact,
    Fault,
    LowStockAlert,
    MachineStarted,
    PlanogramChanged,
    Proof,
    Reason,
    SaleClosed,
    Security,
    SoldOut,
)

OUTAGE: Final = "OCF"
"""Power supply interrupted; counted in EA7, too."""

_REPORTED: Final = re.compile(r"E[A-Z][0-9A-Z]?[A-Z]_[0-9A-F]{2,4}")

_CODES: Final = {
    "acceptor_unplugged": "EAR",
    "bill_jam": "ENA",
    "bill_motor": "END",
    "cash_box_out": "ENF",
    "coin_jam": "EAA",
    "coin_routing": "EAE",
    "recycler_jam": "END",
    "stacker_full": "ENE",
    "tube_jam": "EAF",
    "tube_sensor": "EAB",
}
_DEVICES: Final = (  # first match; what says nothing better than its device
    ("changer", "EAR"),
    ("coin", "EAR"),
    ("pulse", "EAR"),
    ("hopper", "EAB"),
    ("bill", "ENK"),
    ("card_reader_2", "EK2M"),
    ("card_reader", "EKM"),
    ("motors", "EJB"),
    ("drop_sensor", "EJL"),
    ("door", "ECI"),
    ("temperature", "EC1C"),
    ("compressor", "EJJ"),
    ("kafka", "EIE"),
    ("disk", "ECO"),
    ("storage", "ECO"),
    ("outbox", "ECO"),
    ("", "ECD"),
)
_NOT_DELIVERED: Final = frozenset(
    {Reason.NO_DROP, Reason.NO_HOME, Reason.NEVER_LEFT_HOME, Reason.MOTOR_MISSING}
)
_CHEATING: Final = frozenset({"coin_slug", "bill_pulled_back", "repeated_refunds"})


@dataclass(frozen=True, slots=True)
class Happening:
    """`source` tells apart what has the same code. `active` None: it only happened. `count` is
    added, 0 for an end."""

    code: str
    source: str
    count: int = 1
    active: bool | None = None


def eva_code(device: str, code: str, detail: str = "") -> str:
    """The code of a fault of ours; what the device itself reported comes first (``EAU_1500``)."""
    if _REPORTED.fullmatch(detail):
        return detail
    return _CODES.get(code) or next(eva for name, eva in _DEVICES if device.startswith(name))


def of_fact(fact: Fact) -> Iterator[Happening]:
    """What this fact means for the audit's events."""
    match fact:
        case Fault():
            begun = fact.state == "started"
            count = 1 + (fact.suppressed or 0) if begun else 0
            code = fact.eva_code or eva_code(fact.device, fact.code, fact.detail)
            yield Happening(code, fact.fault_id, count, begun)
        case Door(state) if state != "left_open":
            yield _lasting("EGS", "door", state == "opened")
        case ExactChange(state):
            yield _lasting("OBK", "change", state)
        case SoldOut(state, slot):
            yield _lasting(f"ELB_{slot}", f"ELB:{slot}", state is AlertState.RAISED)
        case LowStockAlert(state, slot):
            yield _lasting(f"ELE_{slot}", f"ELE:{slot}", state is AlertState.RAISED)
        case MachineStarted(cause) if cause == "power_loss":
            yield Happening(OUTAGE, "power")
        case PlanogramChanged(slot, "price"):
            yield Happening(f"OAL_{slot}", slot)
        case Security(kind):
            yield from _security(kind, fact.count)
        case SaleClosed() if fact.proof is Proof.NONE and fact.reason in _NOT_DELIVERED:
            yield Happening(f"ELA_{fact.slot}", fact.slot)
        case _:
            return


def _lasting(code: str, source: str, begins: bool) -> Happening:
    return Happening(code, source, int(begins), begins)


def _security(kind: str, count: int) -> Iterator[Happening]:
    if kind in _CHEATING:
        yield Happening("OCI", kind, count)
    elif kind == "drop_without_sale":
        yield Happening("OCA", kind, count)
