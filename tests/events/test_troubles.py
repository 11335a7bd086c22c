"""What keeps the machine from its broker: told apart, told once, and asked about in peace."""

import asyncio
import random

import pytest
from forwarder_rig import FakeOutbox, Shop, event, play, settle

from hw_sim.loop import run_virtual
from hw_sim.model_broker import ModelBroker
from vendd.links.forwarder import Forwarder
from vendd.links.troubles import BY_HAND, OVERDUE_S
from vendd.ports import DeliveryFailed, Message, Trouble

REFUSED = DeliveryFailed("wrong password", trouble=Trouble.AUTH_REFUSED)


class Told:
    """What a forwarder said of its troubles."""

    def __init__(self, shop: Shop) -> None:
        self.said: list[tuple[Trouble, bool]] = []
        self.details: list[str] = []
        shop.forwarder = Forwarder(shop.outbox, shop.cluster.connect, random.Random(3), told=self)

    def __call__(self, trouble: Trouble, detail: str | None) -> None:
        self.said.append((trouble, detail is not None))
        if detail is not None:
            self.details.append(detail)


def play_told(scenario) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        shop = Shop()
        told = Told(shop)
        task = asyncio.create_task(shop.forwarder.run())
        await scenario(shop, told)
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())


def test_a_wrong_password_is_told_once_and_asked_about_ever_more_rarely() -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        await settle(1)
        shop.cluster.shut_out(REFUSED)
        shop.commit(5)
        await settle(3_600)
        assert told.said == [(Trouble.AUTH_REFUSED, True)]
        assert "wrong password" in told.details[0]
        assert shop.forwarder.standing().trouble is Trouble.AUTH_REFUSED
        first_hour = shop.cluster.connections
        await settle(23 * 3_600)
        assert shop.cluster.connections - first_hour < 23 * 3_600 / 450 + 2
        assert first_hour < 15
        shop.cluster.let_in()
        await settle(1_800)
        shop.assert_all_delivered()
        assert told.said[1:] == [(Trouble.AUTH_REFUSED, False)]

    play_told(scenario)


@pytest.mark.parametrize("trouble", sorted(BY_HAND))
def test_what_a_person_has_to_mend_closes_the_connection(trouble: Trouble) -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        await settle(1)
        shop.commit(3)
        await settle(1)
        shop.cluster.shut_out(DeliveryFailed("no", trouble=trouble))
        await settle(10)
        assert shop.forwarder.standing().state == "waiting"
        assert told.said == [(trouble, True)]

    play_told(scenario)


def test_no_network_is_news_after_five_minutes_and_keeps_the_connection() -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        await settle(1)
        shop.cluster.outage()
        await settle(OVERDUE_S * 3)
        assert told.said == []  # nothing to deliver: nobody misses it
        shop.commit()
        await settle(OVERDUE_S - 5)
        assert told.said == []
        await settle(10)
        assert told.said == [(Trouble.UNREACHABLE, True)]
        await settle(86_400)
        shop.cluster.restore()
        await settle()
        shop.assert_all_delivered()
        assert told.said == [(Trouble.UNREACHABLE, True), (Trouble.UNREACHABLE, False)]
        assert shop.cluster.connections == 1

    play_told(scenario)


def test_an_outage_that_is_over_soon_is_no_news() -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        for _ in range(20):
            shop.cluster.outage()
            shop.commit()
            await settle(OVERDUE_S / 2)
            shop.cluster.restore()
            await settle(5)
        assert told.said == []

    play_told(scenario)


def test_a_permission_that_is_missing_is_its_own_trouble_and_buries_nothing() -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        def refuses(_: Message) -> DeliveryFailed | None:
            return DeliveryFailed("no write", trouble=Trouble.NOT_ALLOWED)

        shop.cluster.refuses = refuses
        shop.commit(4)
        await settle(3_600)
        assert told.said == [(Trouble.NOT_ALLOWED, True)]
        assert shop.outbox.buried == []
        shop.cluster.refuses = lambda _: None
        await settle(1_800)
        shop.assert_all_delivered()
        assert told.said[-1] == (Trouble.NOT_ALLOWED, False)

    play_told(scenario)


def test_one_trouble_after_another_is_told_as_two() -> None:
    async def scenario(shop: Shop, told: Told) -> None:
        shop.cluster.shut_out(DeliveryFailed("expired", trouble=Trouble.TLS_REFUSED))
        shop.commit()
        await settle(300)
        shop.cluster.shut_out(REFUSED)
        await settle(3_600)
        shop.cluster.let_in()
        await settle(1_800)
        assert told.said == [
            (Trouble.TLS_REFUSED, True),
            (Trouble.TLS_REFUSED, False),
            (Trouble.AUTH_REFUSED, True),
            (Trouble.AUTH_REFUSED, False),
        ]
        shop.assert_all_delivered()

    play_told(scenario)


def test_a_secret_that_is_put_right_is_used_with_the_next_connection() -> None:
    async def main() -> None:
        shop = Shop()
        missing = True
        tries = 0

        def connect() -> ModelBroker:
            nonlocal tries
            tries += 1
            if missing:
                raise DeliveryFailed("no password", trouble=Trouble.SECRET_MISSING)
            return shop.cluster.connect()

        outbox = FakeOutbox([event(seq) for seq in range(1, 4)])
        forwarder = Forwarder(outbox, connect, random.Random(1))
        task = asyncio.create_task(forwarder.run())
        await settle(3_600)
        assert forwarder.standing().trouble is Trouble.SECRET_MISSING
        assert tries < 15
        missing = False
        await settle(1_000)
        assert outbox.mark == 3
        assert forwarder.standing().trouble is None
        task.cancel()

    run_virtual(main())


def test_a_dead_letter_that_waits_for_its_report_does_not_hide_that_nobody_gets_in() -> None:
    async def scenario(shop: Shop) -> None:
        def refuses(message: Message) -> DeliveryFailed | None:
            shop.cluster.outage()  # after this refusal nobody answers any more
            return DeliveryFailed("too large", permanent=True) if message.value else None

        await settle(1)
        shop.cluster.refuses = refuses
        shop.commit(1)
        await settle(1)
        shop.cluster.restore()  # sent alone, refused; its letter is under way
        await settle(1)
        shop.cluster.shut_out(REFUSED)
        await settle(1)
        assert shop.forwarder.standing().state == "waiting"
        shop.cluster.let_in()
        shop.cluster.refuses = lambda _: None
        shop.cluster.restore()
        await settle(1_000)
        shop.assert_all_delivered()

    play(scenario)
