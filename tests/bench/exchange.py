"""Figures of one POLL exchange: what codec and device machine cost, for either adapter.

The machine starts up against the simulator's device, as bytes; then it polls, and only its own
side is timed: command, codec out, codec in, news. The baseline does what can't be done without:
the two checksums, and the hex.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final, Protocol

from hw_sim.devices.bill_validator import BillValidator
from hw_sim.devices.card_reader import CardReader
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.mdb_link import Peripheral, checksum
from hw_sim.loop import run_virtual
from tests.bench.table import Goal, Row
from vendd.wire.mdb.bill_validator import BillValidatorMachine
from vendd.wire.mdb.bill_validator_start import BillRules
from vendd.wire.mdb.cashless import CashlessMachine, CashlessRules
from vendd.wire.mdb.changer import ChangerMachine
from vendd.wire.mdb.changer_start import ChangerRules
from vendd.wire.mdb.exchange import ACKED, SILENT, Answer, Reply
from vendd.wire.qibixx import QibixxCodec
from vendd.wire.waferstar import WaferstarCodec

TOOK_S: Final = 0.008  # a POLL and its answer on the bus
STARTS_S: Final = 20.0
LIMIT: Final = 30.0  # times the baseline
SECOND: Final = ("vendd/wire/waferstar.py", "vendd/drivers/waferstar.py")
FIRST: Final = ("vendd/wire/qibixx.py",)
_COST: Final = (
    "Command, codec out, codec in, the device machine's news; not the line, not the bus. Baseline:"
    " both checksums in a loop and the hex. Best of alternating batches: noise only adds."
)
_TOLD: Final = " That adapter polls by itself and tells: a POLL is mostly answered out of memory."


@dataclass(frozen=True, slots=True)
class Scale:
    """`rounds` of `batch` exchanges each, and as many of the baseline."""

    batch: int
    rounds: int


class Machine(Protocol):
    """What the three have in common, and `MdbBus` asks of them."""

    wake_at: float

    def next(self, now: float) -> bytes | None: ...

    def answered(self, reply: Reply, now: float) -> object: ...


@dataclass(frozen=True, slots=True)
class Case:
    """One device that is polled. `told`: what its polls are answered with, in turn; b"" is ACK."""

    name: str
    poll: bytes
    made: Callable[[asyncio.AbstractEventLoop], tuple[Machine, Peripheral]]
    told: tuple[bytes, ...] = (b"",)


def _changer(loop: asyncio.AbstractEventLoop) -> tuple[Machine, Peripheral]:
    machine = ChangerMachine(ChangerRules(currency=978, exponent=2))
    machine.accept(frozenset(range(6)))
    return machine, CoinChanger(loop, Random(1))


def _validator(loop: asyncio.AbstractEventLoop) -> tuple[Machine, Peripheral]:
    machine = BillValidatorMachine(BillRules(currency=978, exponent=2))
    machine.accept(frozenset(range(4)))
    return machine, BillValidator(loop, Random(1))


def _reader(loop: asyncio.AbstractEventLoop) -> tuple[Machine, Peripheral]:
    machine = CashlessMachine(CashlessRules(currency=978, exponent=2))
    machine.enable(True)
    return machine, CardReader(loop, Random(1))


# A tube's count goes up with each coin: the same count again would be the same report again.
_COINS: Final = tuple(bytes((0x53, count)) for count in range(20, 60))
CASES: Final = (
    Case("changer, a coin in each", b"\x0b", _changer, _COINS),
    Case("bill validator, idle", b"\x33", _validator),
    Case("card reader, idle", b"\x12", _reader),
)


class ByQibixx:
    """One machine behind the first adapter. `turn` is one exchange, whenever it is due."""

    def __init__(self, case: Case, machine: Machine, model: Peripheral) -> None:
        self._machine = machine
        self._codec = QibixxCodec()
        self._poll = case.poll
        self._told = cycle([self._line(data) for data in case.told])
        self._asked: dict[bytes, bytes] = {}
        self._model = model

    def turn(self) -> None:
        machine, codec = self._machine, self._codec
        now = machine.wake_at
        command = machine.next(now)
        assert command is not None
        codec.request(command)
        (reply,) = codec.feed(next(self._told) if command == self._poll else self._ask(command))
        assert isinstance(reply, Reply)
        machine.answered(reply, now + TOOK_S)

    def _ask(self, command: bytes) -> bytes:
        """Now and then a machine asks something else; the answer doesn't change."""
        if command not in self._asked:
            self._asked[command] = self._line(ask(self._model, command).data)
        return self._asked[command]

    @staticmethod
    def _line(data: bytes) -> bytes:
        return b"p," + (data.hex().upper().encode() or b"ACK") + b"\n"


class ByWaferstar:
    """One machine behind the second adapter, which polls by itself: what it tells comes first,
    and a POLL is answered out of that."""

    def __init__(self, case: Case, machine: Machine, model: Peripheral) -> None:
        self._machine = machine
        self._codec = WaferstarCodec()
        told = [self._line(bytes((model.address,)) + data) for data in case.told if data]
        self._told = cycle(told) if told else None
        self._asked: dict[bytes, bytes] = {}
        self._model = model

    def turn(self) -> None:
        machine, codec = self._machine, self._codec
        now = machine.wake_at
        if self._told is not None:
            codec.feed(next(self._told))
        command = machine.next(now)
        assert command is not None
        sent = codec.request(command)
        (reply,) = codec.feed(self._ask(sent) if sent else b"")
        assert isinstance(reply, Reply)
        machine.answered(reply, now + TOOK_S)

    def _ask(self, sent: bytes) -> bytes:
        if sent not in self._asked:
            data = ask(self._model, sent).data
            self._asked[sent] = self._line(data + bytes((checksum(data),)) if data else b"\x00")
        return self._asked[sent]

    @staticmethod
    def _line(raw: bytes) -> bytes:
        return raw.hex(" ").upper().encode() + b" \r\n"


ADAPTERS: Final[dict[str, type[ByQibixx] | type[ByWaferstar]]] = {
    "Qibixx": ByQibixx,
    "Waferstar": ByWaferstar,
}


def ask(model: Peripheral, command: bytes) -> Reply:
    """One exchange with the simulator's device, without a line."""
    answer = model.receive(bytes((*command, checksum(command))))
    if answer is None:
        return SILENT
    if len(answer.wire) == 1:
        return ACKED
    model.acknowledged()
    return Reply(Answer.DATA, answer.wire[:-1])


async def polling(case: Case) -> tuple[Machine, Peripheral]:
    """A machine and its device, started up: from now on it polls."""
    loop = asyncio.get_running_loop()
    machine, model = case.made(loop)
    end, command = loop.time() + STARTS_S, None
    while loop.time() < end:
        await asyncio.sleep(max(0.0, machine.wake_at - loop.time()))
        command = machine.next(loop.time())
        assert command is not None
        reply = ask(model, command)
        await asyncio.sleep(TOOK_S)
        machine.answered(reply, loop.time())
    assert command == case.poll, f"{case.name} does not poll but sends {command!r}"
    return machine, model


def bare(command: bytes, text: str) -> bool:
    """What no master can do without: CHK and hex out, hex and CHK in."""
    total = 0
    for byte in command:
        total += byte
    (command + bytes((total & 0xFF,))).hex()
    raw = bytes.fromhex(text)
    total = 0
    for byte in raw[:-1]:
        total += byte
    return total & 0xFF == raw[-1]


def costs(case: Case, adapter: str, scale: Scale) -> tuple[float, float]:
    """Microseconds per exchange and per bare one: the best batch of each, for noise only adds."""
    machine, model = run_virtual(polling(case))
    turn = ADAPTERS[adapter](case, machine, model).turn
    texts = [bytes((*data, checksum(data))).hex() for data in case.told]
    ours, plain = [], []
    for _ in range(scale.rounds):
        ours.append(_timed(turn, scale.batch))
        answers = cycle(texts)
        plain.append(_timed(lambda: bare(case.poll, next(answers)), scale.batch))  # noqa: B023
    return min(ours), min(plain)


def _timed(what: Callable[[], object], times: int) -> float:
    """Microseconds for one."""
    began = time.perf_counter()
    for _ in range(times):
        what()
    return (time.perf_counter() - began) / times * 1e6


def figures(scale: Scale) -> list[Row]:
    """Six costs, and how much of the source the second adapter is."""
    rows = []
    for adapter in ADAPTERS:
        for case in CASES:
            ours, plain = costs(case, adapter, scale)
            note = _COST + (_TOLD if adapter == "Waferstar" else "")
            name = f"one POLL exchange, {adapter}: {case.name}"
            goal = Goal("<=", LIMIT, "ratio")
            rows.append(Row(name, ours, "us", plain, "checksums and hex", goal, note))
    return [*rows, sizes()]


def sizes(root: Path = Path()) -> Row:
    """The second adapter beside the first, in lines of their own files."""
    first, second = (sum(lines(root / name) for name in names) for names in (FIRST, SECOND))
    note = f"The second: {' and '.join(SECOND)}. The first: {', '.join(FIRST)}."
    return Row("the second adapter (Waferstar) in lines", second, "", first, "the first", note=note)


def lines(path: Path) -> int:
    """All of them, documentation too."""
    return len(path.read_text().splitlines())
