"""Sending again on request: marked, behind everything new, and never in its way."""

from forwarder_rig import Shop, event, play, seq_of, settle

from vendd.ports import DeliveryFailed, Message, Replay


def replays(shop: Shop) -> list[int]:
    return [
        seq_of(message)
        for log in shop.cluster.topics.values()
        for message in log
        if ("replay", b"true") in message.headers
    ]


def live(shop: Shop) -> list[int]:
    return [
        seq_of(message)
        for log in shop.cluster.topics.values()
        for message in log
        if ("replay", b"true") not in message.headers
    ]


def test_a_request_sends_them_again_with_a_header_and_moves_nothing_else() -> None:
    async def scenario(shop: Shop) -> None:
        shop.commit(200)
        await settle()
        answer = await shop.forwarder.replay(31, 160)
        assert answer == Replay(1, 31, 160, 130)
        await settle()
        assert sorted(replays(shop)) == list(range(31, 161))
        assert shop.outbox.mark == 200
        assert shop.outbox.asked is None
        assert sorted(live(shop)) == list(range(1, 201))

    play(scenario)


def test_new_events_go_first() -> None:
    async def scenario(shop: Shop) -> None:
        shop.commit(1_000)
        await settle()
        shop.cluster.latency_s = (0.5, 0.5)
        await shop.forwarder.replay(1, 1_000)
        await settle(1.2)
        begun = len(replays(shop))
        assert 0 < begun < 1_000
        shop.commit(3)
        await settle(1.6)
        assert set(live(shop)) >= {1_001, 1_002, 1_003}
        assert len(replays(shop)) <= begun + 100
        await settle(120)
        assert len(replays(shop)) == 1_000

    play(scenario)


def test_a_broker_that_breaks_in_the_middle_gets_the_same_piece_again() -> None:
    async def scenario(shop: Shop) -> None:
        shop.commit(300)
        await settle()
        shop.cluster.latency_s = (0.5, 0.5)
        await shop.forwarder.replay(1, 300)
        await settle(0.7)
        shop.cluster.outage()
        await settle(5)
        shop.cluster.break_producers()
        shop.commit(2)
        shop.cluster.restore()
        await settle(300)
        assert set(replays(shop)) == set(range(1, 301))
        assert shop.outbox.mark == 302

    play(scenario)


def test_what_is_refused_again_is_left_out_and_the_rest_goes_on() -> None:
    async def scenario(shop: Shop) -> None:
        shop.commit(10)
        await settle()

        def refuses(message: Message) -> DeliveryFailed | None:
            too_large = seq_of(message) == 4
            return DeliveryFailed("too large", permanent=True) if too_large else None

        shop.cluster.refuses = refuses
        await shop.forwarder.replay(1, 10)
        await settle()
        assert 4 in shop.outbox.refused
        assert shop.outbox.asked is None

    play(scenario)


def test_a_request_of_an_earlier_life_is_done_after_the_start() -> None:
    async def scenario(shop: Shop) -> None:
        shop.outbox.rows = [event(seq) for seq in range(1, 11)]
        shop.outbox.mark = 10
        shop.outbox.asked = Replay(1, 3, 7)
        await settle()
        assert sorted(replays(shop)) == [3, 4, 5, 6, 7]

    play(scenario)
