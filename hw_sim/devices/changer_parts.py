"""What a coin changer is made of: its fixed properties, its memory, its activity queue."""

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hw_sim.devices.coin_truth import CoinTruth
from hw_sim.devices.faults import ChangerFault, Faults

TYPES = 16
MAX_ACTIVITY = 16  # bytes in one POLL answer
SLUG = 0x20

# optional features, FEATURE ENABLE (0F 01) byte 4
OPTION_PAYOUT = 0x01  # alternative payout
OPTION_DIAGNOSTICS = 0x02
OPTION_MANUAL = 0x04  # controlled manual fill and payout


@dataclass(frozen=True)
class ChangerModel:
    """The fixed properties of one changer. Defaults: a level 3 changer for EUR coins.

    `credits` are in scaling units per coin type, 0 = unused, 255 = token; a coin's value in
    minor units is credit * scale. `routing` bit n: type n has a tube. Times in seconds.
    """

    level: int = 3
    currency: int = 0x1978  # BCD: leading 1 = ISO 4217 numeric, leading 0 = telephone code
    scale: int = 5
    decimals: int = 2
    routing: int = 0x001F
    credits: tuple[int, ...] = (1, 2, 4, 10, 20, 40)
    capacity: Mapping[int, int] = field(default_factory=dict)  # value -> coins until full
    default_capacity: int = 80
    manufacturer: str = "SIM"
    serial: str = "000000000001"
    model: str = "CHANGER-1"
    software: int = 0x0127
    options: int = OPTION_PAYOUT | OPTION_DIAGNOSTICS | OPTION_MANUAL
    busy_style: Literal["busy", "silent", "mixed"] = "busy"  # what polls get during a payout
    coin_falls_s: tuple[float, float] = (0.25, 0.45)
    coin_pays_s: tuple[float, float] = (0.3, 0.6)
    answer_s: tuple[float, float] = (0.0008, 0.0035)
    reset_s: float = 0.1  # silent after a RESET
    boot_s: float = 0.6  # silent after power on
    tubes_ready_s: float = 0.5  # from any reset until TUBE STATUS is answered

    def value(self, coin_type: int) -> int:
        """Minor units; 0 for an unused type or a token."""
        credit = self.credits[coin_type] if coin_type < len(self.credits) else 0
        return 0 if credit == 0xFF else credit * self.scale

    def type_of(self, value: int) -> int | None:
        """The lowest coin type of that value."""
        for coin_type in range(len(self.credits)):
            if value > 0 and self.value(coin_type) == value:
                return coin_type
        return None

    def routed(self, coin_type: int) -> bool:
        return bool(self.routing >> coin_type & 1)

    def tube_types(self) -> list[int]:
        return [t for t in range(TYPES) if self.routed(t) and self.value(t)]

    def full_at(self, coin_type: int) -> int:
        return self.capacity.get(self.value(coin_type), self.default_capacity)

    def setup(self) -> bytes:
        """The answer to SETUP (09), 23 bytes."""
        head = bytes([self.level]) + self.currency.to_bytes(2, "big")
        head += bytes([self.scale, self.decimals]) + self.routing.to_bytes(2, "big")
        return head + bytes(self.credits).ljust(TYPES, b"\x00")

    def identification(self) -> bytes:
        """The answer to IDENT (0F 00), 33 bytes."""
        text = f"{self.manufacturer:<3.3}{self.serial:<12.12}{self.model:<12.12}"
        return (
            text.encode("ascii")
            + self.software.to_bytes(2, "big")
            + bytes(3)
            + bytes([self.options])
        )


class Activity:
    """What the changer has to tell at the next POLL; kept until the master acknowledged it."""

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._offered = 0  # leading entries that are in an answer not yet acknowledged

    def add(self, entry: bytes) -> None:
        self._queue.append(entry)

    def add_slug(self) -> None:
        """Slugs are counted in one byte, up to 31."""
        last = self._queue[-1][0] if len(self._queue) > self._offered else 0
        if last & 0xE0 == SLUG and last & 0x1F < 31:
            self._queue[-1] = bytes([last + 1])
        else:
            self._queue.append(bytes([SLUG | 1]))

    def offer(self, room: int) -> bytes:
        """As many entries as fit into `room` bytes, oldest first."""
        out = b""
        self._offered = 0
        for entry in self._queue:
            if len(out) + len(entry) > room:
                break
            out += entry
            self._offered += 1
        return out

    def accepted(self) -> None:
        for _ in range(self._offered):
            self._queue.popleft()
        self._offered = 0

    def clear(self) -> None:
        self._queue.clear()
        self._offered = 0

    def __len__(self) -> int:
        return len(self._queue)


@dataclass
class ChangerMemory:
    """What the changer believes and was told. Counts survive a power cut, the rest does not."""

    counted: list[int] = field(default_factory=lambda: [0] * TYPES)
    defective: set[int] = field(default_factory=set)  # coin types whose tube is out of use
    activity: Activity = field(default_factory=Activity)
    enabled: int = 0
    manual: int = 0xFFFF
    options: int = 0
    running: bool = False  # has power, and is past its boot
    power_cuts: int = 0

    def forget(self) -> None:
        """The power-on state: coins off, manual dispense on, nothing to tell."""
        self.activity.clear()
        self.enabled = 0
        self.manual = 0xFFFF
        self.options = 0


@dataclass(frozen=True)
class Works:
    """What all parts of one changer share."""

    loop: asyncio.AbstractEventLoop
    rng: random.Random
    model: ChangerModel
    memory: ChangerMemory
    truth: CoinTruth
    faults: Faults[ChangerFault]
