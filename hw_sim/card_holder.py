"""A customer with a card: taps first or selects first, and everything that comes in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from hw_sim.devices.card_reader_parts import Card
from hw_sim.habits import CARD_WEIGHTS, Habit, exact
from hw_sim.person import FALLS_S, SERVED_S, Person
from hw_sim.signs import LETS_GO, Sign, sign

CARD_HABITS: Final = frozenset(CARD_WEIGHTS)
ASKED_S: Final = 3.0  # until the display says that the card is asked
LEAVES_S: Final = 100.0  # longer than a session without a selection may stand open
TRIES: Final = 3
BALANCE: Final = 5_000
_OTHER_CARD: Final = 500_000  # added to a customer's number for the second card
_SELECTS_FIRST: Final = (Habit.TAP_LATER, Habit.COIN_FOR_CARD)
_EITHER_WAY: Final = (Habit.CARD_DECLINED, Habit.CARD_REMOVED, Habit.CARD_LEVER)


class CardHolder:
    """`another(not_this, at_most)`: another wish. `with_coins`: pay what is missing, and buy."""

    def __init__(
        self,
        me: Person,
        chance: random.Random,
        another: Callable[[str, int], str | None],
        with_coins: Callable[[], Awaitable[str]],
    ) -> None:
        self._me = me
        self._chance = chance
        self._another = another
        self._with_coins = with_coins
        visit = me.visit
        self._habit = visit.habit
        self._card = Card(visit.number, BALANCE, declined=self._habit is Habit.CARD_DECLINED)
        self._reader = chance.choice(sorted(me.till.readers))

    async def go(self) -> str | None:
        """The last words of the display; None: cards are not taken, and nothing has happened."""
        selects = self._habit in _SELECTS_FIRST
        if self._habit in _EITHER_WAY:
            selects = self._chance.random() < 0.5
        if self._habit is Habit.MIXED:
            return await self._mixed()
        return await (self._select_first() if selects else self._tap_first())

    # --- the two ways ------------------------------------------------------------------

    async def _tap_first(self) -> str | None:
        me = self._me
        if not await me.tap(self._reader, self._card):
            return None
        said = await me.until(lambda t: sign(t) is Sign.CARD, ASKED_S)
        if sign(said) is not Sign.CARD:
            me.remove_card()
            return None if sign(said) in LETS_GO else await me.let_go()
        match self._habit:
            case Habit.CARD_CANCELS:
                me.till.readers[self._reader].press_cancel()
                return await me.let_go()
            case Habit.CARD_LEVER:
                me.press_lever()
                return await me.let_go()
            case Habit.CARD_WALKS_AWAY:
                return await me.let_go(LEAVES_S)
            case Habit.TWO_CARDS:
                await self._second_card()
        return await self._choose(me.visit.wants)

    async def _select_first(self) -> str | None:
        me = self._me
        said = await me.key(me.visit.wants)
        if sign(said) is Sign.PRICE:
            return None
        if sign(said) is not Sign.TAP:
            return await self._came_of(said, me.visit.wants)
        if self._habit is Habit.COIN_FOR_CARD:
            return await self._with_coins()
        if self._habit is Habit.CARD_LEVER:
            me.press_lever()
            return await me.until(lambda t: sign(t) is not Sign.TAP, SERVED_S)
        for number in (self._reader, *me.till.readers):
            if await me.tap(number, self._card):
                break
        else:
            me.press_lever()
            return await me.let_go()
        await self._meanwhile()
        said = await me.until(lambda t: sign(t) not in (Sign.BUSY, Sign.TAP), SERVED_S)
        return await self._came_of(said, me.visit.wants)

    async def _mixed(self) -> str:
        """Part of the price in coins, then the card. Where that can't be done: coins."""
        me = self._me
        part = exact(me.visit.price // 2, me.till.coins.values, self._chance)
        for value in part:
            if not await me.insert(value):
                return await self._with_coins()
        if me.credit and await me.tap(self._reader, self._card):
            said = await me.until(lambda t: sign(t) is Sign.CARD, ASKED_S)
            if sign(said) is Sign.CARD:
                return await self._choose(me.visit.wants)
            me.remove_card()
        return await self._with_coins()

    # --- steps ---------------------------------------------------------------------------

    async def _choose(self, selection: str) -> str:
        """Select in an open session."""
        await self._me.type(selection)
        await self._meanwhile()
        return await self._came_of(await self._me.done(), selection)

    async def _came_of(self, said: str, selection: str) -> str:
        """Another wish after a refusal, as long as the card is there; then away with it."""
        me = self._me
        for _ in range(TRIES):
            if sign(said) not in (Sign.REFUSED, Sign.CARD):
                break
            said = await me.until(lambda t: sign(t) is not Sign.REFUSED, SERVED_S)
            wish = self._another(selection, BALANCE) if sign(said) is Sign.CARD else None
            if wish is None:
                break
            selection = wish
            said = await me.key(selection)
        me.remove_card()
        if sign(said) is Sign.DECLINED:
            said = await me.until(lambda t: sign(t) is not Sign.DECLINED, SERVED_S)
            if self._chance.random() < 0.5:
                return await self._with_coins()
        if sign(said) is Sign.CREDIT or me.credit:
            me.press_lever()
        return await me.let_go()

    async def _meanwhile(self) -> None:
        """While the card is asked."""
        me = self._me
        if self._habit not in (Habit.CARD_REMOVED, Habit.CARD_LATE_LEVER):
            return
        await me.until(lambda t: t.startswith(("AUTHORISING", "VENDING")), ASKED_S)
        await asyncio.sleep(self._chance.uniform(0.0, 2.0))
        if self._habit is Habit.CARD_REMOVED:
            me.remove_card()
        else:
            me.press_lever()

    async def _second_card(self) -> None:
        """Somebody else is quick at the other reader."""
        me = self._me
        others = [number for number in me.till.readers if number != self._reader]
        if others:
            await me.tap(others[0], Card(me.visit.number + _OTHER_CARD, BALANCE))
            await asyncio.sleep(FALLS_S)
