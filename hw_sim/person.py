"""Eyes and hands of one customer: reads the display, presses, puts in, takes out.

Is NOT responsible for what somebody wants. What the display says is compared with what
can be seen beside it (behaviour.md R6), and every lie is noted.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.devices.card_reader_parts import Card, Charge, Outcome
from hw_sim.front import Front
from hw_sim.habits import Habit
from hw_sim.signs import LETS_GO, Sign, credit, reference, sign
from hw_sim.visit import Visit

COIN_S: Final = 2.0  # until a coin that fell is credited, or is back in the cup
BILL_S: Final = 20.0  # the same for a bill
STUCK_S: Final = 120.0  # a bill that was drawn in is waited for: it is a lot of money
FALLS_S: Final = 0.5  # a rejected coin needs no longer to the cup
KEY_HOLD_MS: Final = 120
KEY_GAP_S: Final = 0.25  # from one key press to the next, the first one's hold included
ECHO_S: Final = 1.0
TAP_S: Final = 5.0  # until the display answers a card
READ_S: Final = 6.0  # a stranger's reference on the display
SERVED_S: Final = 150.0  # a vend with extra turns, then a long payout
_CHANGE: Final = re.compile(r"THANK YOU\|CHANGE ([0-9.]+)")


@dataclass(slots=True)
class Tray:
    """Where the hands of all customers meet: what was taken from the tray so far."""

    taken: int = 0

    def take(self, front: Front) -> list[str]:
        """The selections of what lies there."""
        fallen = [product.selection for product in front.cabinet.tray[self.taken :]]
        self.taken += len(fallen)
        return fallen


class Person:
    """`credit`: what the display last said of this person's money."""

    def __init__(self, front: Front, tray: Tray, visit: Visit) -> None:
        self.front, self.visit = front, visit
        self.till = front.till
        self.credit = 0
        self._tray = tray
        self._read = self.text()  # the newest text that was looked at: the first is not for them
        self._fallen = len(front.cabinet.tray)
        self._given = self._money_out()
        self._not_mine = reference(self.text())  # of whoever was here before

    async def my_turn(self) -> None:
        """Whoever finds somebody's reference on the display gives them time to read it."""
        if self._not_mine is not None:
            await self.until(lambda t: reference(t) is None, READ_S)

    def owed_to_me(self, said: str) -> str | None:
        """The reference of a claim, unless it stood there before."""
        ref = reference(said) if sign(said) is Sign.CLAIM else None
        return ref if ref != self._not_mine else None

    # --- eyes -----------------------------------------------------------------------------

    def text(self) -> str:
        return "|".join(self.front.lines()[:2])

    async def until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        """Wait until the display is as wanted; gives it, or the last text in vain."""

        def look(text: str) -> bool:
            if sign(text) is Sign.OTHER:
                return False  # what can't be read is half a text: look again
            if text != self._read:
                self._read = text
                self._believe(text)
            return wanted(text)

        text = await self.front.until(look, seconds)
        shown = credit(text)
        if shown is not None:
            self.credit = shown
        return text

    async def let_go(self, seconds: float = SERVED_S) -> str:
        """Wait until nothing is pending."""
        return await self.until(lambda t: sign(t) in LETS_GO, seconds)

    async def done(self, seconds: float = SERVED_S) -> str:
        """Wait until the machine is done with what it does."""
        return await self.until(lambda t: sign(t) is not Sign.BUSY, seconds)

    def _money_out(self) -> int:
        """All cash that ever came out of the machine."""
        out = self.till.coins.truth.returned
        if self.till.bills is not None:
            out += self.till.bills.truth.returned + self.till.bills.truth.paid
        return out

    def _believe(self, text: str) -> None:
        """R6: nothing is said before it is known."""
        meaning = sign(text)
        config = self.front.config
        if meaning is Sign.THANKS:
            proven = config.drop_sensor is not None and config.drop_sensor.enabled
            if proven and len(self.front.cabinet.tray) <= self._fallen:
                self._lie(text, "nothing had fallen")
            change = _CHANGE.match(text)
            if change and int(change[1].replace(".", "")) > self._money_out() - self._given:
                self._lie(text, "less had come out")
        elif meaning in (Sign.CLAIM, Sign.DUE):
            ref = reference(text)
            if ref not in (None, self._not_mine, *self.visit.references):
                self.visit.references.append(str(ref))
        elif text.startswith("BILL RETURNED"):
            if self.bill_inside:
                self._lie(text, "the bill was still inside")
        elif meaning is Sign.REFUNDED:
            charges = [c for c in self.charges() if c.outcome in (Outcome.HELD, Outcome.PAID)]
            if charges:
                self._lie(text, "the card was still charged")

    @property
    def bill_inside(self) -> bool:
        """A bill is on its way in the validator, or sticks there."""
        return self.till.bills is not None and self.till.bills.truth.in_path() > 0

    @property
    def stuck(self) -> bool:
        """It will not come out by itself."""
        return self.bill_inside and self.till.bills is not None and self.till.bills.jammed

    async def follow_bill(self) -> None:
        """Wait until a bill is out of the path, or sticks."""
        end = self.front.loop.time() + STUCK_S
        while (  # noqa: ASYNC110  # a bill makes no noise
            self.bill_inside and not self.stuck and self.front.loop.time() < end
        ):
            await asyncio.sleep(FALLS_S)

    def _lie(self, text: str, truth: str) -> None:
        self.visit.lies.append(f"{text!r}, but {truth}")

    def charges(self) -> list[Charge]:
        """What readers charged this person's cards, in the order of readers."""
        return [
            charge
            for reader in self.till.readers.values()
            for charge in reader.truth.charges
            if any(charge.card is card for card in self.visit.cards)
        ]

    # --- hands at keys ------------------------------------------------------------------

    async def key(self, selection: str) -> str:
        """Type a selection; gives what the display says when the machine is done with it."""
        await self.type(selection)
        if self.visit.habit is Habit.LEVER_LATE and self.text().startswith("VENDING"):
            self.press_lever()
        return await self.done()

    async def type(self, selection: str) -> None:
        """Only the keys."""
        self.visit.keyed.append(selection)
        for key in selection[:-1]:
            self.front.cabinet.press(key, KEY_HOLD_MS)
            await self.until(lambda t: t.startswith("SELECTION"), ECHO_S)
            await asyncio.sleep(KEY_GAP_S)
        before = self.text()
        self.front.cabinet.press(selection[-1], KEY_HOLD_MS)
        await self.until(lambda t: t != before, ECHO_S)
        await asyncio.sleep(KEY_GAP_S)

    def press_lever(self) -> None:
        self.till.coins.press_lever()

    def press_clear(self) -> None:
        self.front.cabinet.press(self.front.config.keypad.clear, KEY_HOLD_MS)

    # --- hands with money ------------------------------------------------------------------

    async def insert(self, value: int) -> bool:
        """One coin or bill; False when it is not credited. What comes back is taken."""
        bills = self.till.bills
        if value not in self.till.coins.values and bills is not None and value in bills.values:
            return await self._insert_bill(value)
        wanted = self.credit + value
        self.visit.inserted.append(value)
        self.till.coins.insert_coin(value)
        cup = self.till.coins.truth.cup
        text = await self.until(lambda t: _reaches(t, wanted) or bool(cup), COIN_S)
        if not _reaches(text, wanted) and not cup and self.till.coins.untold:
            text = await self.until(lambda t: _reaches(t, wanted) or bool(cup), STUCK_S)
        if _reaches(text, wanted):
            return True
        await asyncio.sleep(FALLS_S)
        self.visit.rejected += self.take()
        return False

    async def _insert_bill(self, value: int) -> bool:
        bills = self.till.bills
        assert bills is not None
        wanted = self.credit + value
        if not bills.insert_bill(value):
            return False
        self.visit.inserted.append(value)
        self.visit.bills.append(value)
        if self.visit.habit is Habit.BILL_PULLED:
            await asyncio.sleep(FALLS_S)
            bills.pull_back()
        text = await self._follow_bill(wanted, BILL_S)
        if not _reaches(text, wanted) and bills.truth.in_path():
            text = await self._follow_bill(wanted, STUCK_S)
        if _reaches(text, wanted) and not bills.truth.hand:
            return True
        self.visit.rejected += self.take()
        return False

    async def _follow_bill(self, wanted: int, seconds: float) -> str:
        """Until a bill that was drawn in is credited, in the hand again, or sticks."""
        bills = self.till.bills
        assert bills is not None
        truth = bills.truth
        end = self.front.loop.time() + seconds
        text = self.text()
        while self.front.loop.time() < end:
            text = await self.until(lambda t: _reaches(t, wanted), FALLS_S)
            if _reaches(text, wanted) or truth.hand or bills.jammed or not truth.in_path():
                break
        if not _reaches(text, wanted) and not truth.hand and not truth.in_path():
            text = await self.until(lambda t: _reaches(t, wanted), COIN_S)
        return text

    def take(self) -> list[int]:
        """Everything from cup, mouth and tray; gives the money."""
        coins = [value for _, value in self.till.coins.truth.take_cup()]
        bills = []
        if self.till.bills is not None:
            bills = [value for _, value in self.till.bills.truth.take_hand()]
        self.visit.returned += coins + bills
        self.visit.bills_back += bills
        self.visit.products += self._tray.take(self.front)
        return coins + bills

    # --- hands with cards -------------------------------------------------------------------

    async def tap(self, number: int, card: Card) -> bool:
        """Hold a card to reader `number`; False when nobody takes notice."""
        if not any(card is known for known in self.visit.cards):
            self.visit.cards.append(card)
        before = self.text()
        if not self.till.readers[number].tap(card):
            return False
        await self.until(lambda t: t != before, TAP_S)
        return True

    def remove_card(self) -> None:
        """Whichever reader holds it."""
        for reader in self.till.readers.values():
            if any(reader.session.card is card for card in self.visit.cards):
                reader.remove()


def _reaches(text: str, wanted: int) -> bool:
    """The display shows that much credit."""
    shown = credit(text)
    return shown is not None and shown >= wanted > 0
