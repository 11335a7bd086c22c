"""A link with a daily budget: money flows, telemetry waits or is dropped by name (E1, E3)."""

import asyncio
import random
from dataclasses import replace

from forwarder_rig import Shop, event, settle

from hw_sim.loop import run_virtual
from vendd.links import forwarder as module
from vendd.links.budget import Budget
from vendd.links.forwarder import Forwarder

MIB = 1 << 20


class Metered(Shop):
    """A shop on a SIM card with one mebibyte per day; `day` is a number."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 1
        self.budget = Budget(1, lambda: str(self.day))
        self.forwarder = Forwarder(
            self.outbox, self.cluster.connect, random.Random(3), budget=self.budget
        )

    def put(self, kind: str, topic: str = "transaction-events", size: int = 2) -> int:
        """Commit one event of money or telemetry; its seq."""
        made = replace(event(self.outbox.last + 1, size), topic=topic, money=kind == "money")
        self.outbox.rows.append(made)
        self.forwarder.committed([made])
        return made.seq

    async def use_up(self) -> None:
        self.put("money", size=MIB + 1_000)
        await settle(5)
        assert not self.budget.left


def play_metered(scenario) -> Metered:  # type: ignore[no-untyped-def]
    async def main() -> Metered:
        shop = Metered()
        shop.cluster.max_bytes = 2 * MIB
        task = asyncio.create_task(shop.forwarder.run())
        await settle(1)
        await scenario(shop)
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return shop

    return run_virtual(main())


def test_money_flows_and_telemetry_of_other_topics_waits_for_the_next_day() -> None:
    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        beats = [shop.put("telemetry", "machine-events") for _ in range(3)]
        sale = shop.put("money")
        await settle(3_600)
        assert sale in shop.seqs()
        assert not set(beats) & set(shop.seqs())
        standing = shop.forwarder.standing()
        assert (standing.state, standing.held) == ("saving", 3)
        assert shop.outbox.mark < beats[0]
        shop.day = 2
        await settle(120)
        assert shop.seqs("machine-events") == beats
        assert shop.outbox.thinned == []
        assert shop.outbox.mark == shop.outbox.last
        assert shop.duplicates() == 0
        assert shop.forwarder.standing().state == "caught_up"

    play_metered(scenario)


def test_telemetry_in_front_of_money_of_its_topic_is_dropped_by_name_and_order_stays() -> None:
    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        refused = [shop.put("telemetry") for _ in range(2)]
        beat = shop.put("telemetry", "machine-events")
        sale = shop.put("money")
        await settle(60)
        assert shop.outbox.thinned == refused
        assert sale in shop.seqs()
        assert beat not in shop.seqs()  # nothing of money came behind it in its topic
        assert len(shop.seqs()) == len(set(shop.seqs()))
        assert shop.seqs("transaction-events") == sorted(shop.seqs("transaction-events"))

    play_metered(scenario)


def test_what_waits_is_sent_before_anything_newer_of_its_topic() -> None:
    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        held = [shop.put("telemetry", "machine-events") for _ in range(3)]
        await settle(60)
        shop.day = 2
        new = [shop.put("telemetry", "machine-events"), shop.put("money", "machine-events")]
        await settle(300)
        assert shop.seqs("machine-events") == [*held, *new]
        assert shop.outbox.thinned == []

    play_metered(scenario)


def test_more_than_a_day_of_noise_stays_bounded(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "MOST", 50)

    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        for _ in range(400):
            shop.put("telemetry", "machine-events")
            await settle(1)
        assert shop.forwarder.standing().held <= 51
        assert len(shop.outbox.thinned) >= 300
        shop.day = 2
        await settle(300)
        assert shop.outbox.mark == shop.outbox.last

    play_metered(scenario)


def test_a_broker_that_goes_away_meanwhile_costs_copies_and_no_event() -> None:
    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        shop.put("telemetry", "machine-events")
        for _ in range(5):
            shop.put("money")
        await settle(10)
        shop.cluster.break_producers()
        shop.put("money")
        await settle(120)
        shop.day = 2
        await settle(300)
        assert set(shop.seqs()) == {row.seq for row in shop.outbox.rows}
        assert shop.outbox.mark == shop.outbox.last

    play_metered(scenario)


def test_the_store_failing_to_drop_is_asked_again() -> None:
    async def scenario(shop: Metered) -> None:
        await shop.use_up()
        shop.put("telemetry")
        await settle(10)
        shop.outbox.failing = 3
        sale = shop.put("money")
        await settle(300)
        assert sale in shop.seqs()
        assert len(shop.outbox.thinned) == 1

    play_metered(scenario)


# --- the budget itself ------------------------------------------------------------------------


def test_a_budget_believes_the_client_and_learns_what_sizes_cost() -> None:
    day = "1"
    budget = Budget(1, lambda: day)
    budget.sent(1_000_000)
    assert budget.spent == 400_000  # nothing measured yet
    assert budget.carried(200_000) == ("1", 200_000)
    budget.sent(1_000_000)
    assert budget.spent == 400_000
    budget.sent(10 * MIB)
    assert not budget.left
    day = "2"
    assert budget.left
    assert budget.spent == 0


def test_a_budget_survives_a_restart_of_the_same_day_only() -> None:
    budget = Budget(1, lambda: "2026-01-31")
    budget.resume("2026-01-31", MIB)
    assert not budget.left
    other = Budget(1, lambda: "2026-02-01")
    other.resume("2026-01-31", MIB)
    assert other.left


def test_without_a_limit_bytes_are_only_counted() -> None:
    budget = Budget(None, lambda: "1")
    budget.sent(10_000 * MIB)
    assert budget.left
    assert budget.carried(5) == ("1", 5)


def test_what_was_carried_is_remembered_in_the_outbox() -> None:
    async def scenario(shop: Metered) -> None:
        shop.put("money", size=1_000)
        await settle(5)
        day, count = shop.outbox.link
        assert day == "1"
        assert count >= 1_000
        assert shop.forwarder.standing().bytes_today == count

    play_metered(scenario)
