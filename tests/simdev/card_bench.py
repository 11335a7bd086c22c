"""A test bench: one card reader in virtual time, asked directly as an adapter would."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from hw_sim.devices.card_reader import CardReader, ReaderModel
from hw_sim.loop import VirtualLoop

TIMEOUT, NAKED = "TIMEOUT", "NAK"
VMC = "1700" + "56" * 29


class CardBench:
    """Talks MDB to a reader; `ask` is one exchange, acknowledged as a good master does."""

    def __init__(self, loop: VirtualLoop, model: ReaderModel | None, number: int) -> None:
        self.loop = loop
        self.reader = CardReader(loop, random.Random(1), model, number=number)

    def ask(self, command: str, *, ack: bool = True) -> str:
        data = bytes.fromhex(command)
        answer = self.reader.receive(bytes([*data, sum(data) % 256]))
        if answer is None or answer.delay_s > 0.005:
            return TIMEOUT
        if len(answer.wire) == 1:
            return {0: "ACK", 255: NAKED}[answer.wire[0]]
        if sum(answer.wire[:-1]) % 256 != answer.wire[-1]:
            return "CHK"
        if ack:
            self.reader.acknowledged()
        return answer.wire[:-1].hex()

    def wait(self, seconds: float) -> None:
        self.loop.run_for(seconds)

    def talk(self, rows: list[tuple[str, str]]) -> None:
        """(command, answer) in order."""
        for number, (command, answer) in enumerate(rows):
            said = self.ask(command)
            assert said == answer.replace(" ", "").replace("ack", "ACK"), f"row {number}: {command}"

    def ready(self, level: str = "03", options: str = "00000022") -> None:
        """Through the whole initialisation, enabled."""
        self.wait(1)
        self.ask("12")
        self.ask(f"1100{level}000001")
        self.ask("1101ffff0000")
        self.ask(VMC)
        if level == "03":
            assert self.ask("1704" + options) == "ACK"
        assert self.ask("1401") == "ACK"

    def until(self, seconds: float, every: float = 0.1) -> str:
        """The next poll answer that says something."""
        for _ in range(round(seconds / every)):
            self.wait(every)
            said = self.ask("12")
            if said not in ("ACK", TIMEOUT):
                return said
        return "nothing"


@contextmanager
def card_bench(model: ReaderModel | None = None, number: int = 1) -> Iterator[CardBench]:
    loop = VirtualLoop()
    try:
        yield CardBench(loop, model, number)
    finally:
        loop.close()
