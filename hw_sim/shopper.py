"""One customer: arrives with a habit, a purse and perhaps a card, and leaves.

Knows what a customer can know. Is NOT responsible for judging what the machine does.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from hw_sim.card_holder import CARD_HABITS, CardHolder
from hw_sim.front import Front
from hw_sim.habits import Habit, bill_for, coins_for, exact, some_habit
from hw_sim.person import ECHO_S, KEY_GAP_S, KEY_HOLD_MS, SERVED_S, Person, Tray
from hw_sim.signs import LETS_GO, Sign, missing, owed, reference, sign
from hw_sim.visit import Visit

__all__ = ["KEY_GAP_S", "KEY_HOLD_MS", "Shopper", "Tray"]

TAKE_S: Final = 0.4  # from the last words on the display to the hand in the tray
CHOICES: Final = 4  # selections a customer tries before the money comes back
PRESSES: Final = 15  # of a lever that does nothing
PRESS_S: Final = 10.0
MISSES_S: Final = 40.0  # a bill is claimed half a minute after its validator came up
_UNDECIDED: Final = (Sign.CREDIT, Sign.FAILED, Sign.REFUSED, Sign.ADD, Sign.NO_CHANGE)
_BILLS: Final = (Habit.BILL, Habit.BILL_LEVER, Habit.BILL_PULLED, Habit.LARGE_BILL)


class Shopper:
    """Customer number `number` of a day with this `seed`; make it when they arrive.

    `rescue`: fetches somebody who opens the machine, where there is anybody.
    """

    def __init__(
        self,
        front: Front,
        tray: Tray,
        seed: int,
        number: int,
        rescue: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._front = front
        self._rescue = rescue
        self._chance = random.Random(f"{seed}/customer/{number}")
        slots = front.config.slots()
        self._prices = {s: slot.price("cash") for s, slot in slots.items() if not slot.free}
        self._coins = front.till.coins.values
        self._bills = front.till.bills.values if front.till.bills is not None else ()
        habit = some_habit(self._chance, bills=bool(self._bills), cards=bool(front.till.readers))
        wants = self._choose(habit)
        self.visit = Visit(number, habit, wants, self._prices.get(wants, 0))
        self._me = Person(front, tray, self.visit)

    async def go(self) -> Visit:
        """From arriving to leaving."""
        visit, loop = self.visit, self._front.loop
        visit.began = loop.time()
        visit.said = await self._me.let_go()
        await self._me.my_turn()
        if sign(visit.said) in LETS_GO and sign(visit.said) is not Sign.OUT:
            visit.said = await self._behave()
        visit.said = await self._leave(visit.said)
        if sign(visit.said) not in LETS_GO:
            visit.gave_up = visit.said
        await asyncio.sleep(TAKE_S)
        self._me.take()
        visit.ended = loop.time()
        return visit

    async def watch(self, wanted: Callable[[str], bool], seconds: float) -> str:
        """Stay, and read the display until it is as wanted."""
        return await self._me.until(wanted, seconds)

    def collect(self) -> None:
        """Take whatever lies there."""
        self._me.take()

    async def take_money(self) -> None:
        """What was lost from sight is on the display again: back with it."""
        await self._give_up()

    def misses_money(self) -> bool:
        """More cash went in than came back and than the products cost."""
        return self.visit.balance > self._spent()

    async def _leave(self, said: str) -> str:
        """Nobody goes while a bill of theirs is inside, or a card of theirs is in the reader."""
        me = self._me
        me.remove_card()
        if me.bill_inside:
            await me.follow_bill()
            said = await me.let_go()
        if me.stuck and self._rescue is not None:
            await self._rescue()
            said = await me.let_go()
        if sign(said) is Sign.CLAIM and self.visit.balance > self._spent() + (owed(said) or 0):
            me.press_lever()  # the reference is for a part of it
            come = await me.until(lambda t: sign(t) not in (Sign.CLAIM, Sign.BUSY), SERVED_S)
            said = await self._end(come)
        if sign(said) is Sign.IDLE and self.visit.bills:
            said = await self._look_for_bill(said)
        return said

    async def _look_for_bill(self, said: str) -> str:
        """It may be neither here nor there: a reference comes, late."""
        await asyncio.sleep(TAKE_S)
        self._me.take()
        if self.misses_money():
            said = await self._me.until(lambda t: sign(t) is Sign.CLAIM, MISSES_S)
            self.visit.claim = self._me.owed_to_me(said)
        return said

    def _spent(self) -> int:
        return sum(self._prices.get(selection, 0) for selection in self.visit.products)

    # --- what customers do -------------------------------------------------------------

    async def _behave(self) -> str:
        """One habit; gives the last words of the display."""
        visit, habit, me = self.visit, self.visit.habit, self._me
        if habit in CARD_HABITS:
            holder = CardHolder(me, self._chance, self._another, self._buy_with_coins)
            said = await holder.go()
            if said is not None:
                return await self._end(said)
        if habit in (Habit.PRICE_FIRST, Habit.LOOKS, Habit.INVALID):
            said = await me.key(visit.wants)
            if sign(said) is Sign.TAP:
                me.press_lever()  # the reader need not wait
                said = await me.until(lambda t: sign(t) is not Sign.TAP, SERVED_S)
            elif habit is Habit.PRICE_FIRST and sign(said) is not Sign.PRICE:
                return await me.let_go()
            if habit is not Habit.PRICE_FIRST:
                return await me.let_go()
        if not await self._pay(self._purse()):
            return await self._give_up()
        if habit is Habit.WALKS_AWAY:
            idle_s = self._front.config.policy().idle_credit_ms / 1000
            return await self._end(await me.let_go(idle_s + SERVED_S))
        if habit in (Habit.LEVER, Habit.CLEAR_KEY, Habit.BILL_LEVER):
            return await self._give_up()
        if habit is Habit.SLOW:
            await self._hesitate(visit.wants)
        return await self._buy(visit.wants)

    def _purse(self) -> list[int]:
        """What this customer puts in."""
        visit, habit = self.visit, self.visit.habit
        if habit in _BILLS and self._bills:
            if habit is Habit.LARGE_BILL:
                return [self._chance.choice(self._bills[-3:])]
            return [bill_for(visit.price, self._bills)]
        if habit is Habit.BILL_AND_COINS and self._bills:
            some = coins_for(visit.price, Habit.ADDS, self._coins, self._chance)
            return [*some, bill_for(visit.price, self._bills)]
        return coins_for(visit.price, habit, self._coins, self._chance)

    async def _buy_with_coins(self) -> str:
        """A card won't do: coins, then."""
        if not await self._pay(self._missing_for(self.visit.wants)):
            return await self._give_up()
        return await self._buy(self.visit.wants)

    async def _buy(self, selection: str) -> str:
        """Select, and see what comes of it, until the product or the money is there."""
        said = ""
        for _ in range(CHOICES):
            said = await self._me.key(selection)
            match sign(said):
                case Sign.ADD:
                    if not await self._pay(self._rest(missing(said) or 0)):
                        break
                case Sign.TAP | Sign.DECLINED:  # for the rest; but this is somebody with coins
                    await self._me.until(lambda t: sign(t) is not Sign.DECLINED, SERVED_S)
                    if not await self._pay(self._missing_for(selection)):
                        break
                case Sign.FAILED | Sign.REFUSED | Sign.NO_CHANGE | Sign.CREDIT | Sign.OWED:
                    another = self._another(selection)
                    if another is None:
                        break
                    selection = another
                case Sign.KEEPS:
                    break
                case _:
                    return await self._end(said)
        return await self._give_up()

    async def _give_up(self) -> str:
        """Lever or clear key, and wait for the money."""
        me = self._me
        if me.credit == 0 and sign(me.text()) in LETS_GO:
            return me.text()
        if sign(me.text()) is Sign.TAP:  # first the reader, then the money
            me.press_lever()
            said = await me.until(lambda t: sign(t) is not Sign.TAP, SERVED_S)
            if sign(said) is not Sign.CREDIT:  # it gives the money back, too
                return await self._end(await me.done())
        said = me.text()
        for _ in range(PRESSES):  # a lever may hang on a device that does not work just now
            if self.visit.habit is Habit.CLEAR_KEY and self._front.config.keypad.clear:
                me.press_clear()
            else:
                me.press_lever()
            said = await me.until(lambda t: sign(t) not in _UNDECIDED, PRESS_S)
            if sign(said) is Sign.BUSY:
                said = await me.until(lambda t: sign(t) not in (*_UNDECIDED, Sign.BUSY), SERVED_S)
            if sign(said) not in (*_UNDECIDED, Sign.BUSY):
                break
        return await self._end(said)

    async def _end(self, said: str) -> str:
        """Whatever the machine still owes: try once more, then note the reference."""
        me = self._me
        if sign(said) is Sign.OWED:
            self.visit.claim = reference(said)
            await asyncio.sleep(1.0)
            me.press_lever()
            await asyncio.sleep(1.0)
            said = await me.done()
            if sign(said) is Sign.OWED:
                idle_s = self._front.config.policy().idle_credit_ms / 1000
                said = await me.until(
                    lambda t: sign(t) in (*LETS_GO, Sign.CREDIT), idle_s + SERVED_S
                )
            if sign(said) is Sign.CREDIT:  # what was dead is back
                return await self._give_up()
        self.visit.claim = me.owed_to_me(said)
        return said

    async def _hesitate(self, selection: str) -> None:
        """The first key, and then nothing until the machine forgets it."""
        self._front.cabinet.press(selection[0], KEY_HOLD_MS)
        await self._me.until(lambda t: t.startswith("SELECTION"), ECHO_S)
        entry_s = self._front.config.policy().entry_ms / 1000
        await self._me.until(lambda t: not t.startswith("SELECTION"), entry_s + ECHO_S)

    # --- wishes -----------------------------------------------------------------------------

    def _choose(self, habit: Habit) -> str:
        """A selection: mostly one with something behind the glass."""
        full = [s for s in self._prices if self._front.cabinet.slot(s).left]
        empty = [s for s in self._prices if s not in full]
        if habit is Habit.INVALID:
            return self._chance.choice(self._nonsense())
        if habit is Habit.SOLD_OUT and empty:
            return self._chance.choice(empty)
        return self._chance.choice(full or empty)

    def _nonsense(self) -> list[str]:
        config = self._front.config
        legends = [k for row in config.keypad.keys for k in row if k.isalnum()]
        legends = [k for k in legends if k != config.keypad.clear]
        length = config.policy().selection_length
        known = set(config.slots())
        pairs = [k for k in legends if k not in known] if length == 1 else []
        pairs += [a + b for a in legends for b in legends if length == 2 and a + b not in known]
        return pairs or list(known)

    def _another(self, not_this: str, at_most: int | None = None) -> str | None:
        """Something else that the money is enough for; None: no wish any more."""
        most = self._me.credit if at_most is None else at_most
        choices = [
            selection
            for selection, price in self._prices.items()
            if price <= most and selection != not_this and self._front.cabinet.slot(selection).left
        ]
        if not choices or self._chance.random() < 0.3:
            return None
        return self._chance.choice(choices)

    # --- money ------------------------------------------------------------------------------

    async def _pay(self, money: list[int]) -> bool:
        """Put this in, one after the other; False when one is not taken twice running."""
        for value in money:
            if not (await self._me.insert(value) or await self._again(value)):
                return await self._pay_smaller(value)
        return True

    async def _again(self, value: int) -> bool:
        """Nobody tries a bill twice that sticks."""
        return not self._me.stuck and await self._me.insert(value)

    async def _pay_smaller(self, value: int) -> bool:
        """The machine doesn't like this piece: try the same money in smaller ones."""
        if self._me.stuck:
            return False
        if value not in self._coins:  # a bill: for coins nobody has more than the price
            value = max(0, self.visit.price - self._me.credit)
            smaller = list(self._coins)
        else:
            smaller = [coin for coin in self._coins if coin < value]
        if not smaller:
            return False
        for coin in exact(value, smaller, self._chance):
            if not await self._me.insert(coin):
                return False
        return True

    def _missing_for(self, selection: str) -> list[int]:
        return self._rest(max(0, self._prices.get(selection, 0) - self._me.credit))

    def _rest(self, amount: int) -> list[int]:
        return exact(amount, self._coins, self._chance) if amount else []
