"""A test bench: one bill validator in virtual time, asked directly as an adapter would."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.loop import VirtualLoop

TIMEOUT, NAKED = "TIMEOUT", "NAK"
RECYCLER = BillModel(level=2)
QUICK = BillModel(reads_s=(1.0, 1.0), stacks_s=(1.0, 1.0), returns_s=(0.5, 0.5))


class BillBench:
    """Talks MDB to a validator; `ask` is one exchange, acknowledged as a good master does."""

    def __init__(self, loop: VirtualLoop, model: BillModel | None) -> None:
        self.loop = loop
        self.bills = BillValidator(loop, random.Random(1), model)

    def ask(self, command: str, *, ack: bool = True) -> str:
        data = bytes.fromhex(command)
        answer = self.bills.receive(bytes([*data, sum(data) % 256]))
        if answer is None or answer.delay_s > 0.005:
            return TIMEOUT
        if len(answer.wire) == 1:
            return {0: "ACK", 255: NAKED}[answer.wire[0]]
        if sum(answer.wire[:-1]) % 256 != answer.wire[-1]:
            return "CHK"
        if ack:
            self.bills.acknowledged()
        return answer.wire[:-1].hex()

    def wait(self, seconds: float) -> None:
        self.loop.run_for(seconds)

    def ready(self, masks: str = "001f001f") -> None:
        """Through the initialisation."""
        self.wait(0.1)
        assert "06" in self.ask("33")
        if self.bills.model.level == 2:
            assert self.ask("370100000002") == "ACK"
        assert self.ask(f"34{masks}") == "ACK"

    def poll_for(self, seconds: float, every: float = 0.1) -> list[str]:
        """All poll answers that say something more than busy or disabled."""
        said = []
        for _ in range(round(seconds / every)):
            self.wait(every)
            said.append(self.ask("33"))
        return [answer for answer in said if answer not in ("ACK", "03", "09", "0309")]


@contextmanager
def bench_of(model: BillModel | None = None) -> Iterator[BillBench]:
    loop = VirtualLoop()
    try:
        yield BillBench(loop, model)
    finally:
        loop.close()
