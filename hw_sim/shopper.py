"""One customer: a habit, a purse, two eyes on the display, hands at keys, cup and tray.

Knows what a customer can know. Is NOT responsible for judging what the machine does.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.devices.changer_parts import TYPES
from hw_sim.front import Front
from hw_sim.habits import Habit, coins_for, exact, some_habit
from hw_sim.signs import Sign, credit, missing, reference, sign
from hw_sim.visit import Visit

COIN_S: Final = 2.0  # until a coin that fell is credited, or is back in the cup
FALLS_S: Final = 0.5  # a rejected coin needs no longer to the cup
KEY_HOLD_MS: Final = 120
KEY_GAP_S: Final = 0.25  # from one key press to the next, the first one's hold included
ECHO_S: Final = 1.0
SERVED_S: Final = 150.0  # a vend with extra turns, then a long payout
TAKE_S: Final = 0.4  # from the last words on the display to the hand in the tray
CHOICES: Final = 4  # selections a customer tries before the money comes back
FREE: Final = (Sign.IDLE, Sign.THANKS, Sign.CLAIM, Sign.PRICE, Sign.OUT)


@dataclass(slots=True)
class Tray:
    """Where the hands of all customers meet: what was taken from the tray so far."""

    taken: int = 0

    def take(self, front: Front) -> list[str]:
        """The selections of what lies there."""
        fallen = [product.selection for product in front.cabinet.tray[self.taken :]]
        self.taken += len(fallen)
        return fallen


class Shopper:
    """Customer number `number` of a day with this `seed`; make it when they arrive."""

    def __init__(self, front: Front, tray: Tray, seed: int, number: int) -> None:
        self._front, self._tray = front, tray
        self._chance = random.Random(f"{seed}/customer/{number}")
        self._prices = {
            selection: slot.price("cash")
            for selection, slot in front.config.slots().items()
            if not slot.free
        }
        self._coins = sorted({v for v in map(front.changer.model.value, range(TYPES)) if v})
        self._credit = 0
        habit = some_habit(self._chance)
        wants = self._choose(habit)
        self.visit = Visit(number, habit, wants, self._prices.get(wants, 0))

    async def go(self) -> Visit:
        """From arriving to leaving."""
        visit, loop = self.visit, self._front.loop
        visit.began = loop.time()
        visit.said = await self._until(lambda t: sign(t) in FREE, SERVED_S)
        if sign(visit.said) not in FREE:
            visit.gave_up = visit.said
        elif sign(visit.said) is not Sign.OUT:
            visit.said = await self._behave()
        if visit.said and sign(visit.said) not in FREE:
            visit.gave_up = visit.said
        await asyncio.sleep(TAKE_S)
        self._take()
        visit.ended = loop.time()
        return visit

    # --- what customers do -------------------------------------------------------------

    async def _behave(self) -> str:
        """One habit; gives the last words of the display."""
        visit, habit = self.visit, self.visit.habit
        if habit in (Habit.PRICE_FIRST, Habit.LOOKS, Habit.INVALID):
            said = await self._key(visit.wants)
            if habit is not Habit.PRICE_FIRST or sign(said) is not Sign.PRICE:
                return await self._until(lambda t: sign(t) in FREE, SERVED_S)
        coins = coins_for(visit.price, habit, self._coins, self._chance)
        if not await self._pay(coins):
            return await self._give_up()
        if habit is Habit.WALKS_AWAY:
            idle_s = self._front.config.policy().idle_credit_ms / 1000
            return await self._end(await self._until(lambda t: sign(t) in FREE, idle_s + SERVED_S))
        if habit in (Habit.LEVER, Habit.CLEAR_KEY):
            return await self._give_up()
        if habit is Habit.SLOW:
            await self._hesitate(visit.wants)
        return await self._buy(visit.wants)

    async def _buy(self, selection: str) -> str:
        """Select, and see what comes of it, until the product or the money is there."""
        said = ""
        for _ in range(CHOICES):
            said = await self._key(selection)
            match sign(said):
                case Sign.ADD:
                    if not await self._pay(self._rest(missing(said) or 0)):
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
        if self._credit == 0 and sign(self._text()) in FREE:
            return self._text()
        clear = self._front.config.keypad.clear
        if self.visit.habit is Habit.CLEAR_KEY and clear:
            self._front.cabinet.press(clear, KEY_HOLD_MS)
        else:
            self._front.changer.press_lever()
        shown = (Sign.CREDIT, Sign.BUSY, Sign.FAILED, Sign.REFUSED, Sign.ADD, Sign.NO_CHANGE)
        said = await self._until(lambda t: sign(t) not in shown, SERVED_S)
        return await self._end(said)

    async def _end(self, said: str) -> str:
        """Whatever the machine still owes: try once more, then note the reference."""
        if sign(said) is Sign.OWED:
            self.visit.claim = reference(said)
            await asyncio.sleep(1.0)
            self._front.changer.press_lever()
            await asyncio.sleep(1.0)
            said = await self._until(lambda t: sign(t) is not Sign.BUSY, SERVED_S)
            if sign(said) is Sign.OWED:
                idle_s = self._front.config.policy().idle_credit_ms / 1000
                said = await self._until(lambda t: sign(t) in FREE, idle_s + SERVED_S)
        self.visit.claim = reference(said) if sign(said) is Sign.CLAIM else None
        return said

    async def _hesitate(self, selection: str) -> None:
        """The first key, and then nothing until the machine forgets it."""
        self._front.cabinet.press(selection[0], KEY_HOLD_MS)
        await self._until(lambda t: t.startswith("SELECTION"), ECHO_S)
        entry_s = self._front.config.policy().entry_ms / 1000
        await self._until(lambda t: not t.startswith("SELECTION"), entry_s + ECHO_S)

    # --- eyes -----------------------------------------------------------------------------

    def _text(self) -> str:
        return "|".join(self._front.lines()[:2])

    async def _until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        text = await self._front.until(
            lambda t: sign(t) is not Sign.OTHER and wanted(t), seconds
        )  # what can't be read is half a text: look again
        shown = credit(text)
        if shown is not None:
            self._credit = shown
        return text

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

    def _another(self, not_this: str) -> str | None:
        """Something else that the money is enough for; None: no wish any more."""
        choices = [
            selection
            for selection, price in self._prices.items()
            if price <= self._credit
            and selection != not_this
            and self._front.cabinet.slot(selection).left
        ]
        if not choices or self._chance.random() < 0.3:
            return None
        return self._chance.choice(choices)

    # --- hands ----------------------------------------------------------------------------

    async def _key(self, selection: str) -> str:
        """Type a selection; gives what the display says when the machine is done with it."""
        self.visit.keyed.append(selection)
        for key in selection[:-1]:
            self._front.cabinet.press(key, KEY_HOLD_MS)
            await self._until(lambda t: t.startswith("SELECTION"), ECHO_S)
            await asyncio.sleep(KEY_GAP_S)
        before = self._text()
        self._front.cabinet.press(selection[-1], KEY_HOLD_MS)
        await self._until(lambda t: t != before, ECHO_S)
        await asyncio.sleep(KEY_GAP_S)
        if self.visit.habit is Habit.LEVER_LATE and self._text().startswith("VENDING"):
            self._front.changer.press_lever()
        return await self._until(lambda t: sign(t) is not Sign.BUSY, SERVED_S)

    async def _pay(self, coins: list[int]) -> bool:
        """Put these coins in, one after the other; False when one is not taken twice running."""
        for value in coins:
            if not (await self._insert(value) or await self._insert(value)):
                return await self._pay_smaller(value)
        return True

    async def _pay_smaller(self, value: int) -> bool:
        """The machine doesn't like this kind of coin: try the same money in smaller ones."""
        smaller = [coin for coin in self._coins if coin < value]
        if not smaller:
            return False
        for coin in exact(value, smaller, self._chance):
            if not await self._insert(coin):
                return False
        return True

    async def _insert(self, value: int) -> bool:
        """One coin; False when it is not credited. What comes back is taken from the cup."""
        wanted = self._credit + value
        self.visit.inserted.append(value)
        self._front.changer.insert_coin(value)
        cup = self._front.changer.truth.cup
        text = await self._until(lambda t: credit(t) == wanted or bool(cup), COIN_S)
        if credit(text) == wanted:
            return True
        await asyncio.sleep(FALLS_S)
        self.visit.rejected += self._take()
        return False

    def _rest(self, amount: int) -> list[int]:
        return exact(amount, self._coins, self._chance) if amount else []

    def _take(self) -> list[int]:
        """Everything from the cup and the tray; gives the coins."""
        coins = [value for _, value in self._front.changer.truth.take_cup()]
        self.visit.returned += coins
        self.visit.products += self._tray.take(self._front)
        return coins
