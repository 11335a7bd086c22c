"""A test bench: one changer in virtual time, asked directly as an adapter would."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import MemoryLine
from hw_sim.devices.qibixx import DETAILED, Dialect, QibixxAdapter
from hw_sim.loop import VirtualLoop
from vendd.ports import Wire

TIMEOUT, NAKED = "TIMEOUT", "NAK"


class Bench:
    """Talks MDB to a changer; `ask` is one exchange, acknowledged as a good master does."""

    def __init__(self, loop: VirtualLoop, seed: int, model: ChangerModel | None) -> None:
        self.loop = loop
        self.rng = random.Random(seed)
        self.changer = CoinChanger(loop, self.rng, model)

    def ask(self, command: str, *, ack: bool = True) -> str:
        data = bytes.fromhex(command)
        answer = self.changer.receive(bytes([*data, sum(data) % 256]))
        if answer is None or answer.delay_s > 0.005:
            return TIMEOUT
        if len(answer.wire) == 1:
            return {0: "ACK", 255: NAKED}[answer.wire[0]]
        if sum(answer.wire[:-1]) % 256 != answer.wire[-1]:
            return "CHK"
        if ack:
            self.changer.acknowledged()
        return answer.wire[:-1].hex()

    def wait(self, seconds: float) -> None:
        self.loop.run_for(seconds)

    def ready(self, *, enable: int = 0xFFFF) -> None:
        """Through the whole initialisation."""
        self.wait(0.7)
        assert self.ask("0b") == "0b"
        assert self.ask("0f0100000007") == "ACK"
        assert self.ask(f"0c{enable:04x}ffff") == "ACK"

    def poll_for(self, seconds: float, every: float = 0.1) -> list[str]:
        """All poll answers that say something."""
        said = []
        for _ in range(round(seconds / every)):
            self.wait(every)
            said.append(self.ask("0b"))
        return [answer for answer in said if answer != "ACK"]


class Host:
    """The computer's end of an adapter on a memory line."""

    def __init__(self, bench: Bench, dialect: Dialect = DETAILED, torn: float = 0.0) -> None:
        self.bench = bench
        self.adapter = QibixxAdapter(bench.loop, [bench.changer], dialect=dialect)
        self.line = MemoryLine(bench.loop, self.adapter, rng=random.Random(5), torn=torn)
        self.heard = bytearray()
        self.chunks: list[tuple[float, bytes]] = []
        self.lost: list[Exception] = []
        self.wire: Wire = self.open()

    def open(self) -> Wire:
        self.wire = self.line.open("sim", 115200, self._received, self.lost.append)
        return self.wire

    def _received(self, data: bytes) -> None:
        self.heard += data
        self.chunks.append((self.bench.loop.time(), data))

    def say(self, text: str, seconds: float = 0.1) -> list[str]:
        """Send, wait, and give the lines that came."""
        self.heard.clear()
        self.wire.write(text.encode("latin-1"))
        self.bench.wait(seconds)
        return self.heard.decode("ascii").splitlines()


@contextmanager
def bench_of(seed: int = 1, model: ChangerModel | None = None) -> Iterator[Bench]:
    loop = VirtualLoop()
    try:
        yield Bench(loop, seed, model)
    finally:
        loop.close()
