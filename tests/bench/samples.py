"""Facts and their context, as measured runs commit them."""

from typing import Final

from vendd.core import facts
from vendd.core.facts import Fact
from vendd.events import Context

CONTEXT: Final = Context(
    machine="bench-0001",
    boot_id="7b0c",
    boot_count=1,
    uptime_ms=1_234,
    time="2026-01-31T12:00:00.000Z",
    clocksync=True,
    currency="EUR",
    exponent=2,
    software="0.1.0",
    config_hash="c0ffee",
    planogram_ver=1,
    price_ver=1,
)
FACTS: Final[tuple[Fact, ...]] = (
    facts.ItemDispensed("s1", "a1", "A1", "cola", 1, facts.Proof.DROP, 1, 3, 2, facts.Channel.FREE),
    facts.StockChanged("A1", "cola", 3, -1, 2, 10, 10, 2, facts.StockReason.SOLD, "s1"),
    facts.CashMoved("tube", "operator", (facts.CoinCount(50, 2),), 100, "collection", True),
)
TELEMETRY: Final[Fact] = facts.DeviceFound(
    "bench", "BCH", "meter", "1", "1.0", 3, 0, "EUR", 5, 2
)  # not money: of the kind that is thinned first
