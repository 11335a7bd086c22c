"""Which fact becomes which event: type, topic, and whether it may ever be thinned.

A new fact needs exactly one line here (and a regenerated schema); a fact without
one cannot be committed.
"""

from dataclasses import dataclass
from typing import Final

from vendd.core import facts
from vendd.core.facts import Fact

TRANSACTIONS: Final = "transaction-events"
INVENTORY: Final = "inventory-updates"
ALERTS: Final = "inventory-alerts"
MACHINE: Final = "machine-events"
TOPICS: Final = (TRANSACTIONS, INVENTORY, ALERTS, MACHINE)


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of event.

    `money`: belongs to the proof that money and goods balance, so it is never
    thinned. `amounts`: its data holds money, so it names currency and exponent.
    `versions`: its data names the planogram, price list, config and software. `periodic`: a
    later one says the same better, so it is the first to be thinned. `version` grows when a
    consumer of the old one could no longer read it.
    """

    fact: type[Fact]
    name: str
    topic: str
    money: bool
    amounts: bool
    periodic: bool = False
    version: int = 1

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"vend.{self.name}.v{self.version}"

    @property
    def dataschema(self) -> str:
        """The `$id` of its JSON Schema."""
        return f"urn:vendd:schema:{self.type}"

    @property
    def versions(self) -> bool:
        return self.topic != MACHINE or self.fact is facts.Heartbeat


_KINDS: Final = (
    Kind(facts.SaleClosed, "sale-closed", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.ItemDispensed, "item-dispensed", TRANSACTIONS, money=True, amounts=False),
    Kind(facts.SaleRefused, "sale-refused", TRANSACTIONS, money=False, amounts=True),
    Kind(facts.SaleDoubtful, "sale-doubtful", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.RefundDue, "refund-due", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.ClaimOpened, "claim-opened", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.ClaimClosed, "claim-closed", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.CreditClosed, "credit-closed", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.SaleResolved, "sale-resolved", TRANSACTIONS, money=True, amounts=True),
    Kind(facts.StockChanged, "stock-changed", INVENTORY, money=True, amounts=False),
    Kind(
        facts.StockSnapshot, "stock-snapshot", INVENTORY, money=False, amounts=True, periodic=True
    ),
    Kind(facts.PlanogramChanged, "planogram-changed", INVENTORY, money=True, amounts=True),
    Kind(facts.LowStockAlert, "low-stock-alert", ALERTS, money=False, amounts=False),
    Kind(facts.SoldOut, "sold-out", ALERTS, money=False, amounts=False),
    Kind(facts.ExpiryAlert, "expiry-alert", ALERTS, money=False, amounts=False),
    Kind(facts.ExactChange, "exact-change", MACHINE, money=False, amounts=True),
    Kind(facts.CashMoved, "cash-moved", MACHINE, money=True, amounts=True),
    Kind(facts.CashLevel, "cash-level", MACHINE, money=False, amounts=True, periodic=True),
    Kind(facts.CashCollected, "cash-collected", MACHINE, money=True, amounts=True),
    Kind(facts.CashCounted, "cash-counted", MACHINE, money=True, amounts=True),
    Kind(facts.AuditSnapshot, "audit-snapshot", MACHINE, money=True, amounts=True),
    Kind(facts.Fault, "fault", MACHINE, money=False, amounts=False),
    Kind(facts.SlotStateChanged, "slot-state", MACHINE, money=False, amounts=False),
    Kind(facts.Door, "door", MACHINE, money=False, amounts=True),
    Kind(facts.Security, "security", MACHINE, money=True, amounts=True),
    Kind(facts.DeviceFound, "device-found", MACHINE, money=False, amounts=False),
    Kind(facts.MachineStarted, "machine-started", MACHINE, money=False, amounts=True),
    Kind(facts.Heartbeat, "heartbeat", MACHINE, money=False, amounts=True, periodic=True),
    Kind(facts.ClockSet, "clock-set", MACHINE, money=True, amounts=False),
    Kind(facts.Temperature, "temperature", MACHINE, money=False, amounts=False, periodic=True),
    Kind(facts.Visit, "visit", MACHINE, money=False, amounts=False),
    Kind(facts.Command, "command", MACHINE, money=True, amounts=False),
    Kind(facts.ConfigChanged, "config-changed", MACHINE, money=True, amounts=False),
    Kind(facts.SoftwareChanged, "software-changed", MACHINE, money=True, amounts=False),
    Kind(facts.OutboxThinned, "outbox-thinned", MACHINE, money=True, amounts=False),
)

BY_FACT: Final = {kind.fact: kind for kind in _KINDS}
BY_TYPE: Final = {kind.type: kind for kind in _KINDS}

WIRE_NAMES: Final[dict[type, dict[str, str]]] = {
    facts.CashMoved: {"src": "from", "dst": "to"},
    facts.CollectionPeriod: {"begun": "from", "ended": "to"},
    facts.SoftwareChanged: {"old": "from", "new": "to"},
}
"""Field names that Python can't spell, by class: field -> name on the wire."""


def kind_of(fact: Fact | type[Fact]) -> Kind:
    """Raises `KeyError` for a fact that is not registered: a mistake of ours."""
    return BY_FACT[fact if isinstance(fact, type) else type(fact)]


def topic_of(fact: Fact | type[Fact]) -> str:
    """The topic without prefix; the store counts `topicseq` by it."""
    return kind_of(fact).topic
