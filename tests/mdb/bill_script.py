"""Conversations with a bill validator as tables; see `mdb_script` for what a row is."""

from collections.abc import Sequence
from math import inf

from mdb_script import Row, reply

from vendd.wire.mdb.bill_validator import BillValidatorMachine
from vendd.wire.mdb.bill_validator_news import News
from vendd.wire.mdb.bill_validator_start import BillRules

EUR = BillRules(currency=978, exponent=2)

KINDS = "01 02 04 0A 14 00 00 00 00 00 00 00 00 00 00 00"  # 5, 10, 20, 50, 100 euro
SETUP1 = f"01 1978 01F4 02 0258 0000 FF {KINDS}"  # scale 500, stacker 600, escrow
SETUP2 = f"02 1978 01F4 02 0258 0000 FF {KINDS}"
NO_ESCROW = f"01 1978 01F4 02 0258 0000 00 {KINDS}"
IDENT1 = b"ICT000000000042V7E-EUR-10  ".hex() + "0120"
IDENT2 = b"JCM000000000042VEGA-RC     ".hex() + "0120 00000002"
LEVELS = "0000" + "0005 000A 0003" + "0000" * 13  # 5 fives, 10 tens, 3 twenties
QUALITY = "03" * 16
INIT1: list[Row] = [
    ("30", "ACK"),
    ("33", "06"),
    ("31", SETUP1),
    ("3700", IDENT1),
    ("36", "0007"),
]
RECYCLER: list[Row] = [
    ("30", "ACK"),
    ("33", "06"),
    ("31", SETUP2),
    ("3702", IDENT2),
    ("3701 00000002", "ACK"),
    ("3703", "0007"),
    (f"3704 0000 {QUALITY}", "ACK"),
    ("3705", LEVELS),
    ("36", "0007"),
]


class BillScript:
    """A machine and its time. `play` takes rows; `news` keeps everything it told.

    `fresh`: as it is made; otherwise its very first POLL was met by silence.
    """

    def __init__(self, rules: BillRules = EUR, now: float = 100.0, *, fresh: bool = False) -> None:
        self.machine = BillValidatorMachine(rules)
        self.now = now
        self.news: list[News] = []
        if not fresh:
            self.play([("33", "-")])  # what an earlier life left untold: nothing

    def ask(self) -> str:
        """The next command, whenever it comes."""
        assert self.machine.wake_at != inf, "the last command was not answered"
        if self.machine.wake_at > self.now:
            assert self.machine.next(self.now) is None, "it spoke before its time"
            self.now = self.machine.wake_at
        command = self.machine.next(self.now)
        assert command is not None
        return command.hex().upper()

    def answer(self, text: str) -> list[News]:
        self.now += 0.01
        news = self.machine.answered(reply(text), self.now)
        self.news += news
        return news

    def play(self, rows: Sequence[Row]) -> None:
        for number, (command, text, *news) in enumerate(rows):
            where = f"row {number}: {command} {text}"
            assert self.ask() == str(command).replace(" ", ""), where
            assert self.answer(str(text)) == news, where

    def up(self, init: Sequence[Row] = INIT1, masks: str = "001F001F") -> None:
        """Initialise and begin to poll, with all bills on."""
        self.machine.accept(frozenset(t for t in range(16) if int(masks[:4], 16) >> t & 1))
        self.play(init)
        assert self.ask() == f"34{masks}"
        self.answer("ACK")
        self.news.clear()

    def polls(self, text: str, seconds: float) -> list[News]:
        """POLLs all answered with `text`, other questions by ACK; what they made it tell."""
        until, told = self.now + seconds, len(self.news)
        while self.now < until:
            command = self.ask()
            self.answer(text if command == "33" else "0007" if command == "36" else "ACK")
        return self.news[told:]
