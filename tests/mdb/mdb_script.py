"""Conversations as tables: what the master must say, what comes back, what it makes of it.

A row is (command hex, reply, news...). Replies: hex data, or ACK, NAK, ``-`` silence,
``?`` bad checksum, ``lost`` (lost behind the adapter). Rows are taken in order; a command
that differs from its row fails, and so does a row that is never reached.
"""

from collections.abc import Sequence
from math import inf

from vendd.wire.mdb.changer import ChangerMachine
from vendd.wire.mdb.changer_news import News
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply

Row = tuple[object, ...]

WORDS = {"ACK": ACKED, "NAK": NAKED, "-": SILENT, "?": GARBLED, "lost": LOST}
EUR = ChangerRules(currency=978, exponent=2)
BY_COINS = ChangerRules(currency=978, exponent=2, payout=PayoutWay.COINS)

SETUP3 = "03 1978 05 02 001F 01 02 04 0A 14 28 00 00 00 00 00 00 00 00 00 00"
SETUP2 = "02 1978 05 02 001F 01 02 04 0A 14 28 00 00 00 00 00 00 00 00 00 00"
IDENT = b"MEI000000000042CF7900MDB   ".hex() + "0127 00000007"
TUBES = "0000 0A 0A 0A 0A 0A 00000000000000000000 00"
INIT3: list[Row] = [
    ("08", "ACK"),
    ("0B", "0B"),
    ("09", SETUP3),
    ("0F00", IDENT),
    ("0F01 00000007", "ACK"),
    ("0F05", "0300"),
    ("0A", TUBES),
]
INIT2: list[Row] = [("08", "ACK"), ("0B", "0B"), ("09", SETUP2), ("0A", TUBES)]


def reply(text: str) -> Reply:
    return WORDS[text] if text in WORDS else Reply(Answer.DATA, bytes.fromhex(text))


class Script:
    """A machine and its time. `play` takes rows; `news` keeps everything it told.

    `fresh`: as it is made; otherwise its very first POLL was met by silence.
    """

    def __init__(
        self, rules: ChangerRules = EUR, now: float = 100.0, *, fresh: bool = False
    ) -> None:
        self.machine = ChangerMachine(rules)
        self.now = now
        self.news: list[News] = []
        if not fresh:
            self.play([("0B", "-")])  # what an earlier life left untold: nothing

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

    def up(self, rules_init: Sequence[Row] = INIT3, accept: str = "003F") -> None:
        """Initialise and begin to poll."""
        self.machine.accept(frozenset(t for t in range(16) if int(accept, 16) >> t & 1))
        self.play(rules_init)
        assert self.ask() == f"0C{accept}FFFF"
        self.answer("ACK")
        self.news.clear()
