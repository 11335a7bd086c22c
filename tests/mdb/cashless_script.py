"""Conversations with a card reader as tables: the rows of `mdb_script`, another machine.

A row is (command hex, reply, news...). Rows that are never reached or differ fail. `DO` rows
give an order instead: ("DO", method name, arguments...).
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from mdb_script import Row, reply

from vendd.wire.mdb.cashless import CashlessMachine
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    ReaderDescription,
    ReaderReady,
    Session,
    SessionOver,
    VendTaken,
)
from vendd.wire.mdb.cashless_start import CashlessRules
from vendd.wire.mdb.changer_data import Identity

EUR = CashlessRules(currency=978, exponent=2)
PLAIN = CashlessRules(currency=978, exponent=2, level=1)
MONEY_ON_CARD = CashlessRules(currency=978, exponent=2, revalue=True)

VMC = EUR.vmc.hex().upper()
WHO = b"ABC000000000007READER-ONE  ".hex().upper() + "0102"
IDENTITY = Identity("ABC", "000000000007", "READER-ONE", "0102", 0)
CONFIG1 = "01 01 1978 01 02 05 01"  # level 1, euro, cents, 5 s, refunds
CONFIG2 = "01 02 1978 01 02 05 03"  # and multi-vend
CONFIG3 = "01 03 1978 01 02 05 0B"  # and wants cash sales

INIT1: list[Row] = [
    ("10", "ACK"),
    ("12", "00"),
    ("1100 01 000001", CONFIG1),
    ("1101 FFFF 0000", "ACK"),
    ("1700" + VMC, "09" + WHO),
]
READY1 = ReaderReady(
    ReaderDescription(IDENTITY, 1, "1978", 1, 2, 5, True, False, False, False, False)
)
INIT3: list[Row] = [
    ("10", "ACK"),
    ("12", "00"),
    ("1100 03 000001", CONFIG3),
    ("1101 FFFF 0000", "ACK"),
    ("1700" + VMC, "09" + WHO + "00000022"),
    ("1704 00000022", "ACK"),
]
WIDE: Row = ("1101 FFFFFFFF 00000000 1978", "ACK")
READY3 = ReaderReady(
    ReaderDescription(
        replace(IDENTITY, options=0x22), 3, "1978", 1, 2, 5, True, True, True, True, True
    )
)


class CardScript:
    """A machine and its time. `play` takes rows; `news` keeps everything it told."""

    def __init__(
        self, rules: CashlessRules = EUR, *, held: bool = False, now: float = 100.0
    ) -> None:
        self.machine = CashlessMachine(rules, held=held)
        self.now = now
        self.news: list[CashlessNews] = []

    def ask(self) -> str:
        """The next command, whenever it comes."""
        assert self.machine.wake_at != inf, "the last command was not answered"
        if self.machine.wake_at > self.now:
            assert self.machine.next(self.now) is None, "it spoke before its time"
            self.now = self.machine.wake_at
        command = self.machine.next(self.now)
        assert command is not None
        return command.hex().upper()

    def answer(self, text: str) -> list[CashlessNews]:
        self.now += 0.01
        news = self.machine.answered(reply(text), self.now)
        self.news += news
        return news

    def play(self, rows: Sequence[Row]) -> None:
        for number, (command, *rest) in enumerate(rows):
            where = f"row {number}: {command} {rest}"
            if command == "DO":
                name, *arguments = rest
                getattr(self.machine, str(name))(*arguments)
                continue
            text, *news = rest
            assert self.ask() == str(command).replace(" ", ""), where
            assert self.answer(str(text)) == news, where

    def until(self, command: str, answer: str = "ACK", within_s: float = 400.0) -> None:
        """Give the same answer until `command` is asked; leaves it unanswered."""
        end = self.now + within_s
        while self.ask() != command.replace(" ", ""):
            self.answer(answer)
            assert self.now < end, f"{command} never came: {self.news}"

    def up(self, init: Sequence[Row] = INIT1) -> "CardScript":
        """Initialise and enable."""
        for command, text in (row[:2] for row in init):
            assert self.ask() == str(command).replace(" ", "")
            self.answer(str(text))
        self.machine.enable(True)
        while self.ask() != "1401":
            self.answer("ACK")
        self.answer("ACK")
        self.news.clear()
        return self


def card(*, init: Sequence[Row] = INIT1, rules: CashlessRules = EUR) -> CardScript:
    """An enabled reader; level 1 unless told otherwise."""
    if init is INIT1:
        rules = replace(rules, level=1)
    return CardScript(rules).up(init)


INIT2 = [*INIT1[:2], ("1100 02 000001", CONFIG2), *INIT1[3:]]
LEVEL2 = replace(EUR, level=2)
TEN = Session(1000)  # 03 03E8: ten euros
BEGIN: Row = ("12", "03 03E8", TEN)
REQUEST: Row = ("DO", "request", "v", 150, 6)
ASK: Row = ("1300 0096 0006", "ACK")
APPROVED: Row = ("12", "05 0096", VendTaken("v", 150))
DONE: Row = ("12", "07", SessionOver("completed"))
FULL3 = [*INIT3, WIDE]


def with_card() -> CardScript:
    script = card()
    script.play([BEGIN])
    return script


def paid() -> CardScript:
    script = with_card()
    script.play([REQUEST, ASK, APPROVED])
    return script
