"""The machine in a terminal: its display live, keys and coins typed."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Final, Protocol

from hw_sim.cabinet import Cabinet
from hw_sim.devices.card_reader_parts import Card
from hw_sim.front import Front
from hw_sim.shopper import KEY_GAP_S, KEY_HOLD_MS, Tray
from hw_sim.signs import Sign, sign
from vendd.core.money import format_amount, parse_amount

COIN_KEYS: Final = "qwertyui"
BILL_KEYS: Final = "fghjk"
CARD_KEYS: Final = {"v": 1, "V": 2}
CARD_AWAY: Final = "m"
QUIT: Final = "x\x03\x04"
COIN_GAP_S: Final = 0.7  # as fast as a hand puts coins in
LOOK_S: Final = 0.05
ENDS_S: Final = 20.0  # after the end of typed input: until what was begun is done


class Machine(Front, Protocol):
    """A front that also knows where its Kafka is."""

    bootstrap: str

    @property
    def cabinet(self) -> Cabinet: ...


@contextlib.contextmanager
def single_keys(fd: int) -> Iterator[None]:
    """A terminal that gives each key at once; anything else is left as it is."""
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


class Glass:
    """The display's text in a frame at the bottom of the screen, messages above it."""

    def __init__(self, columns: int, *, live: bool) -> None:
        self._columns, self._live = columns, live
        self._drawn: tuple[str, ...] | None = None
        self._height = 0

    def show(self, lines: tuple[str, ...]) -> None:
        if lines != self._drawn:
            self._erase()
            self._draw(lines)

    def say(self, text: str) -> None:
        """A message; the display stays below it."""
        self._erase()
        print(text, flush=True)
        if self._drawn is not None and self._live:
            self._draw(self._drawn)

    def _draw(self, lines: tuple[str, ...]) -> None:
        edge = "+" + "-" * (self._columns + 2) + "+"
        rows = [edge, *(f"| {line:<{self._columns}} |" for line in lines), edge]
        print("\n".join(rows), flush=True)
        self._drawn, self._height = lines, len(rows)

    def _erase(self) -> None:
        if self._live and self._height:
            print(f"\x1b[{self._height}A\x1b[J", end="")
        self._height = 0


class Hands:
    """What typed characters do at the machine."""

    def __init__(self, machine: Machine, glass: Glass) -> None:
        self._machine, self._glass = machine, glass
        self._money = machine.config.currency()
        self._till = machine.till
        self._coins = self._till.coins.values
        self._bills = self._till.bills.values if self._till.bills is not None else ()
        self._card = Card()
        self._legends = set(machine.cabinet.keypad.legends) - {machine.config.keypad.clear}
        self._amount: str | None = None  # being typed after "+"

    def help(self) -> str:
        coins = "  ".join(
            f"{key} {self._text(coin)}" for key, coin in zip(COIN_KEYS, self._coins, strict=False)
        )
        bills = "  ".join(
            f"{key} {self._text(bill)}" for key, bill in zip(BILL_KEYS, self._bills, strict=False)
        )
        readers = "  ".join(
            f"{key} reader {number}"
            for key, number in CARD_KEYS.items()
            if number in self._till.readers
        )
        kcat = f"kcat -b {self._machine.bootstrap} -t transaction-events -C -e -J"
        return (
            f"keys    type them: {' '.join(sorted(self._legends))}  (small letters will do)"
            "   * clear\n"
            f"coins   {coins}   or +1.00 Enter\n"
            + (f"bills   {bills}\n" if bills else "")
            + (f"card    {readers}   {CARD_AWAY} takes it away\n" if readers else "")
            + "others  L return lever   o door   s status   ? this   x quit\n"
            f"Kafka   {self._machine.bootstrap}    {kcat}"
        )

    async def type(self, key: str) -> None:
        """One character."""
        if self._amount is not None:
            await self._type_amount(key)
        elif not await self._pay(key):
            await self._operate(key)

    async def _pay(self, key: str) -> bool:
        """Coins, bills and the card; False for any other key."""
        if key == "+":
            self._amount = ""
        elif key in COIN_KEYS[: len(self._coins)]:
            await self._insert(self._coins[COIN_KEYS.index(key)])
        elif key in BILL_KEYS[: len(self._bills)]:
            self._offer(self._bills[BILL_KEYS.index(key)])
        elif key == CARD_AWAY or CARD_KEYS.get(key) in self._till.readers:
            self._hold_card(CARD_KEYS.get(key))
        else:
            return False
        return True

    async def _operate(self, key: str) -> None:
        """Everything else that can be done at a machine."""
        if key == "*" and self._machine.config.keypad.clear:
            await self._press(self._machine.config.keypad.clear)
        elif key.upper() in self._legends:
            await self._press(key.upper())
        elif key in "lL":
            self._till.coins.press_lever()
            await asyncio.sleep(KEY_GAP_S)
        elif key == "o":
            self._door()
        elif key == "s":
            await self._status()
        elif key == "?":
            self._glass.say(self.help())
        elif not key.isspace():
            self._glass.say(f"{key!r} does nothing here; ? tells what does")

    async def _type_amount(self, key: str) -> None:
        assert self._amount is not None
        if key not in "\r\n ":
            self._amount += key
            return
        text, self._amount = self._amount, None
        try:
            value = parse_amount(text, self._money)
        except ValueError as error:
            self._glass.say(str(error))
            return
        await self._insert(value)

    async def _insert(self, value: int) -> None:
        if value not in self._coins:
            self._glass.say(f"no such coin, this falls through: {self._text(value)}")
        self._till.coins.insert_coin(value)
        await asyncio.sleep(COIN_GAP_S)

    def _offer(self, value: int) -> None:
        assert self._till.bills is not None
        if not self._till.bills.insert_bill(value):
            self._glass.say(f"the validator doesn't draw it in: {self._text(value)}")

    def _hold_card(self, number: int | None) -> None:
        """To that reader, or away from all."""
        if number is None:
            for reader in self._till.readers.values():
                reader.remove()
        elif not self._till.readers[number].tap(self._card):
            self._glass.say(f"reader {number} takes no notice of the card")

    async def _press(self, key: str) -> None:
        self._machine.cabinet.press(key, KEY_HOLD_MS)
        await asyncio.sleep(KEY_GAP_S)

    def _door(self) -> None:
        cabinet = self._machine.cabinet
        cabinet.set_door(is_open=not cabinet.door_open)
        self._glass.say(f"the door is {'open' if cabinet.door_open else 'closed'}")

    async def _status(self) -> None:
        machine, truth = self._machine, self._till.coins.truth
        bills = self._till.bills
        tubes = "  ".join(f"{self._text(v)} x{n}" for v, n in truth.counts().items())
        stock = "  ".join(f"{slot.selection} {slot.left}" for slot in machine.cabinet.slots)
        self._glass.say(
            f"tubes   {tubes}   box {self._text(truth.box_total())}\n"
            + (f"stacker {self._text(bills.truth.stacker_total())}\n" if bills else "")
            + (f"card    {self._text(self._card.balance)}\n" if self._till.readers else "")
            + f"slots   {stock}\n"
            f"Kafka   {len(await machine.events())} events at {machine.bootstrap}"
        )

    def _text(self, amount: int) -> str:
        return format_amount(amount, self._money)


async def by_hand(machine: Machine) -> None:
    """Until x, the end of the input, or cancellation. Raises RuntimeError if the daemon ends."""
    loop = asyncio.get_running_loop()
    fd = sys.stdin.fileno()
    glass = Glass(machine.config.display.columns, live=sys.stdout.isatty())
    hands = Hands(machine, glass)
    print(hands.help(), flush=True)
    typed: asyncio.Queue[str] = asyncio.Queue()
    with single_keys(fd):
        await machine.start()
        watching = loop.create_task(_watch(machine, glass))
        _listen(loop, fd, typed)
        typing = loop.create_task(_type(typed, hands, machine))
        try:
            await asyncio.wait({watching, typing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(fd)
            watching.cancel()
            typing.cancel()
            for ended in await asyncio.gather(watching, typing, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
    await machine.stop()
    print("stopped in order.", flush=True)


def _listen(loop: asyncio.AbstractEventLoop, fd: int, typed: asyncio.Queue[str]) -> None:
    """Everything typed into the queue, "" at its end."""

    def read() -> None:
        data = os.read(fd, 1024)
        for key in data.decode(errors="replace"):
            typed.put_nowait(key)
        if not data:
            loop.remove_reader(fd)
            typed.put_nowait("")

    try:
        loop.add_reader(fd, read)
    except PermissionError:  # a plain file: it is all there already
        with os.fdopen(os.dup(fd)) as file:
            for key in file.read():
                typed.put_nowait(key)
        typed.put_nowait("")


async def _type(typed: asyncio.Queue[str], hands: Hands, machine: Machine) -> None:
    await machine.until(lambda t: sign(t) is Sign.IDLE, ENDS_S)
    while (key := await typed.get()) and key not in QUIT:
        await hands.type(key)
    if not key:
        await machine.until(lambda t: sign(t) is not Sign.BUSY, ENDS_S)
        await asyncio.sleep(LOOK_S * 2)


async def _watch(machine: Machine, glass: Glass) -> None:
    """Display, tray and cup, whenever something changes there."""
    tray = Tray()
    names = {s: slot.product.name for s, slot in machine.config.slots().items()}
    before: tuple[str, ...] = ()
    while True:
        await machine.until(lambda _: False, LOOK_S)  # says when the daemon has ended
        lines = machine.lines()
        if lines == before:  # half a redraw is no text
            glass.show(lines)
        before = lines
        for selection in tray.take(machine):
            glass.say(f"*klonk*  {names[selection]} lies in the tray")
        for _, value in machine.till.coins.truth.take_cup():
            glass.say(f"*kling*  {format_amount(value, machine.config.currency())} in the cup")
        for _, value in machine.till.bills.truth.take_hand() if machine.till.bills else ():
            glass.say(f"*whirr*  {format_amount(value, machine.config.currency())} comes out")
