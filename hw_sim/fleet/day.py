"""What happens to a machine of a fleet, hour by hour: customers, drivers, its own telemetry.

Per machine and day about 45 customers, most of them around breaks; a heartbeat and a temperature
every 15 minutes, cash levels every hour in which they changed, a snapshot of all slots at night;
a driver when several slots run low; now and then a jam, a power cut, a claim.
"""

import heapq
import random
from collections.abc import Callable, Sequence
from typing import Final, Literal

from hw_sim.fleet.machine import CAPACITY, PRICE, StreamMachine
from vendd.core import facts
from vendd.core.facts import AlertState, Fact, TenderKind
from vendd.ports import Message

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
HEARTBEAT_MS: Final = 15 * MINUTE_MS
CUSTOMERS: Final = (0, 0, 0, 0, 0, 0, 1, 3, 3, 4, 5, 3, 6, 4, 3, 4, 3, 2, 2, 1, 1, 0, 0, 0)
"""How many come in each hour of the day, on average (UTC: a fleet has one rush hour)."""
SLOTS: Final = tuple(f"{row}{column}" for row in "ABCD" for column in range(1, 7))
_BUSIEST: Final = max(CUSTOMERS)
_LOW_SLOTS: Final = 5  # so many at their threshold, and a driver comes
_FAULT_DAYS: Final = 20.0
_POWER_CUT_DAYS: Final = 30.0


class FleetMachine(StreamMachine):
    """`act` lets the next thing happen to it, which is due at `next_ms`."""

    def __init__(
        self,
        name: str,
        born_ms: int,
        publish: Callable[[Message], None],
        chance: random.Random,
        slots: Sequence[str] = SLOTS,
    ) -> None:
        super().__init__(name, slots, born_ms, publish, chance)
        self._agenda: list[tuple[int, str]] = []
        self._visits = 0
        self._faults = 0
        self._jammed: tuple[str, ...] = ()
        self._visit_planned = False
        self._cash_told = 0
        self._in_boxes = 0
        # Devices that were switched on together don't tick together.
        for what, every_ms in (("heartbeat", HEARTBEAT_MS), ("temperature", HEARTBEAT_MS)):
            self._plan(what, chance.randrange(every_ms))
        self._plan("cash", HOUR_MS)
        self._plan("night", self._until(3) + chance.randrange(HOUR_MS))
        self._plan("customer", self._until_customer())
        self._plan("jam", self._days(_FAULT_DAYS))
        self._plan("power_cut", self._days(_POWER_CUT_DAYS))
        self.start()

    @property
    def next_ms(self) -> int:
        return self._agenda[0][0]

    def act(self) -> None:
        due_ms, what = heapq.heappop(self._agenda)
        self.ms = max(self.ms, due_ms)  # a driver's visit takes its time
        _ACTS[what](self)

    # --- who comes ------------------------------------------------------------------------

    def customer(self) -> None:
        self._plan("customer", self._until_customer())
        slot = self.chance.choice(list(self.books.stock))
        cash = self.chance.random() < 0.4
        tender = TenderKind.COIN if cash else TenderKind.CARD
        lot = self.chance.random()
        if self.books.stock[slot] == 0:
            refused = facts.RefusalReason.SOLD_OUT
            self.commit(facts.SaleRefused(slot, self.product(slot), PRICE, 0, refused))
        elif lot < 0.002:
            self.claim(close=False)
        elif lot < 0.01:
            self.sell(slot, tender, drops=False)
        elif lot < 0.03:
            session = f"{self.name}-v{self.ms}"
            end = facts.CreditEnd.LEVER
            self.commit(facts.CreditClosed(session, PRICE, PRICE, 0, 0, end))
        else:
            self.sell(slot, tender)
            self._in_boxes += PRICE if cash else 0
        low = sum(1 for level in self.books.stock.values() if level <= 2)
        if low >= _LOW_SLOTS and not self._visit_planned:
            self._visit_planned = True
            self._plan("driver", self._until(6) + self.chance.randrange(8 * HOUR_MS))

    def driver(self) -> None:
        """Fills every slot up, takes the money, mends what is jammed, pays what is claimed."""
        self._visit_planned = False
        self._visits += 1
        visit = f"{self.name}-visit-{self._visits}"
        self.commit(facts.Door("opened", 0, sale_in_flight=False, operator="driver"))
        self.commit(self._visit(visit, "entered", ()))
        filled = [slot for slot, level in self.books.stock.items() if level < CAPACITY]
        tasks = [
            facts.VisitTask("refill", slot, CAPACITY - self.books.stock[slot]) for slot in filled
        ]
        for slot in filled:
            self.refill(slot, visit)
        self._collect()
        self.ms += 15 * MINUTE_MS
        self.commit(self._visit(visit, "left", tuple(tasks)))
        self.commit(self._snapshot("visit"))
        self.commit(facts.Door("closed", 0, sale_in_flight=False, duration_s=15 * 60))

    # --- what it says by itself -----------------------------------------------------------

    def heartbeat(self) -> None:
        self._plan("heartbeat", HEARTBEAT_MS)
        books = self.books
        sold_out = tuple(slot for slot, level in books.stock.items() if level == 0)
        self.commit(
            facts.Heartbeat(
                in_service=True,
                reasons=(),
                tenders=(
                    facts.TenderUsable(TenderKind.COIN, usable=True),
                    facts.TenderUsable(TenderKind.CARD, usable=True),
                ),
                exact_change_only=False,
                faults_open=self._jammed,
                slots_off=sold_out,
                sold_out_slots=sold_out,
                door="closed",
                totals=facts.MachineTotals(
                    books.sales_count, books.sales_value, books.cash_in, 0, books.card_value
                ),
                outbox=facts.OutboxLoad(0, 0, 0),
                uptime_s=self.uptime_ms // 1000,
                next_heartbeat_s=HEARTBEAT_MS // 1000,
                signal=-70,
            )
        )

    def temperature(self) -> None:
        self._plan("temperature", HEARTBEAT_MS)
        mean = round(self.chance.uniform(3.0, 5.0), 1)
        low, high = round(mean - 0.8, 1), round(mean + 0.9, 1)
        self.commit(
            facts.Temperature("cabinet", low, mean, high, 4.0, "normal", 0, (), door_grace=False)
        )

    def cash(self) -> None:
        self._plan("cash", HOUR_MS)
        if self._in_boxes != self._cash_told:
            self._cash_told = self._in_boxes
            tubes = tuple(
                facts.TubeLevel(coin, 30, full=False, defective=False, dispensable=25)
                for coin in (10, 20, 50, 100)
            )
            box = facts.Box(self._in_boxes, (facts.PieceCount(50, self._in_boxes // 50),))
            self.commit(facts.CashLevel(tubes, False, 4_500, 0, "hourly", coin_box=box))

    def night(self) -> None:
        self._plan("night", DAY_MS)
        self.commit(self._snapshot("nightly"))

    # --- what goes wrong ------------------------------------------------------------------

    def jam(self) -> None:
        self._faults += 1
        self._jammed = (f"{self.name}-f{self._faults}",)
        self.fault("started", *self._jammed)
        self._plan("mended", self.chance.randrange(10 * MINUTE_MS, 12 * HOUR_MS))

    def mended(self) -> None:
        self.fault("ended", *self._jammed)
        self._jammed = ()
        self._plan("jam", self._days(_FAULT_DAYS))

    def power_cut(self) -> None:
        self._plan("power_cut", self._days(_POWER_CUT_DAYS))
        self.start()

    def alerts(self, slot: str, before: int) -> list[Fact]:
        level = self.books.stock[slot]
        if (before == 0) == (level == 0):
            return super().alerts(slot, before)
        state = AlertState.CLEARED if level else AlertState.RAISED
        empty = sum(1 for each in self.books.stock.values() if each == 0)
        share = round(empty / len(self.books.stock), 3)
        sold_out = facts.SoldOut(state, slot, self.product(slot), "counted", 0, share)
        return [*super().alerts(slot, before), sold_out]

    # --- the rest -------------------------------------------------------------------------

    def _collect(self) -> None:
        expected = (facts.PieceCount(50, self._in_boxes // 50),)
        period = facts.CollectionPeriod(1, self.books.seq, self.time, self.time)
        self.commit(
            facts.CashCollected(
                self._visits, "coin_box", (f"bag-{self._visits}",), expected, self._in_boxes,
                period, (), "driver",
            )
        )  # fmt: skip
        self._in_boxes = self._cash_told = 0

    def _visit(self, visit: str, state: str, tasks: tuple[facts.VisitTask, ...]) -> Fact:
        sellable = sum(1 for level in self.books.stock.values() if level)
        if state == "entered":
            return facts.Visit(visit, "entered", "driver", "driver", 0, (), (), sellable)
        return facts.Visit(
            visit, "left", "driver", "driver", 900, tasks, (), sellable, (), sellable
        )

    def _snapshot(self, reason: Literal["nightly", "visit"]) -> Fact:
        price = (facts.ListPrice("cash", PRICE),)
        return facts.StockSnapshot(
            reason,
            tuple(
                facts.SlotSnapshot(
                    slot,
                    self.product(slot),
                    level,
                    CAPACITY,
                    8,
                    price,
                    facts.SlotCondition.ON_SALE if level else facts.SlotCondition.SOLD_OUT,
                    0,
                )
                for slot, level in self.books.stock.items()
            ),
        )

    def _plan(self, what: str, after_ms: int) -> None:
        heapq.heappush(self._agenda, (self.ms + after_ms, what))

    def _until_customer(self) -> int:
        """Poisson, with the hour's share of the busiest hour."""
        after_ms = 0.0
        while True:
            after_ms += self.chance.expovariate(_BUSIEST / HOUR_MS)
            hour = int((self.ms + after_ms) // HOUR_MS) % 24
            if self.chance.random() * _BUSIEST < CUSTOMERS[hour]:
                return int(after_ms)

    def _until(self, hour: int) -> int:
        """ms until it is that hour of the day again."""
        return (hour * HOUR_MS - self.ms) % DAY_MS

    def _days(self, mean: float) -> int:
        return int(self.chance.expovariate(1 / (mean * DAY_MS))) + 1


_ACTS: Final[dict[str, Callable[[FleetMachine], None]]] = {
    name: getattr(FleetMachine, name)
    for name in (
        "customer",
        "driver",
        "heartbeat",
        "temperature",
        "cash",
        "night",
        "jam",
        "mended",
        "power_cut",
    )
}
