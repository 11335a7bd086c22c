"""Facts that leave the machine: each class is the payload of one event type, defined once.

The field names, enumerations and meanings are those of the event contract;
`vendd.events` adds the envelope and the common context (machine, seq, times,
currency, versions) and derives the JSON Schemas from these classes. Money is
integer minor units. ``None`` means "does not apply" and is left out on the wire.
Closed lists are StrEnums; consumers must read unknown members as ``other``.
"""

from vendd.core.facts.fact import Fact
from vendd.core.facts.machine import (
    DeviceFound,
    Door,
    Fault,
    MachineStarted,
    Security,
    Severity,
    SlotStateChanged,
)
from vendd.core.facts.money import (
    CashMoved,
    ClaimClosed,
    ClaimOpened,
    CoinCount,
    CreditClosed,
    CreditEnd,
    ExactChange,
    RefundDue,
    TubeLevel,
)
from vendd.core.facts.sale import (
    Channel,
    Evidence,
    ItemDispensed,
    Outcome,
    Proof,
    Reason,
    RefundState,
    RefusalReason,
    SaleClosed,
    SaleDoubtful,
    SaleRefused,
    Tender,
    TenderKind,
)
from vendd.core.facts.stock import (
    AlertState,
    LowStockAlert,
    SoldOut,
    StockChanged,
    StockReason,
)

__all__ = [
    "AlertState",
    "CashMoved",
    "Channel",
    "ClaimClosed",
    "ClaimOpened",
    "CoinCount",
    "CreditClosed",
    "CreditEnd",
    "DeviceFound",
    "Door",
    "Evidence",
    "ExactChange",
    "Fact",
    "Fault",
    "ItemDispensed",
    "LowStockAlert",
    "MachineStarted",
    "Outcome",
    "Proof",
    "Reason",
    "RefundDue",
    "RefundState",
    "RefusalReason",
    "SaleClosed",
    "SaleDoubtful",
    "SaleRefused",
    "Security",
    "Severity",
    "SlotStateChanged",
    "SoldOut",
    "StockChanged",
    "StockReason",
    "Tender",
    "TenderKind",
    "TubeLevel",
]
