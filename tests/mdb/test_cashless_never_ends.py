"""Field note 9 for a selection that came before the card: only a RESET ends that session."""

import asyncio

from card_rig import Card, CardRig, sim

from vendd.core.sale.card_reports import VendApproved


def test_choose_then_tap_and_the_session_never_ends() -> None:
    """Left alone, the next customer's choice would be paid by the first one's card."""

    async def story(rig: CardRig) -> None:
        rig.reader.inject("never_end")
        rig.driver.request("first", 150, 1)
        await asyncio.sleep(2)
        rig.reader.tap(Card(1))
        await rig.answer("first")
        rig.driver.succeeded("first")
        await rig.over()
        await asyncio.sleep(20)
        rig.driver.request("second", 100, 2)
        await asyncio.sleep(5)
        rig.reader.tap(Card(2))
        assert await rig.answer("second") == VendApproved(1, "second", 100)
        assert [charge.card.number for charge in rig.reader.truth.charges] == [1, 2]

    sim(story)
