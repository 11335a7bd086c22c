"""A ccTalk coin acceptor at byte level, with every coin that came near it."""

import asyncio
from collections.abc import Callable, Mapping

from hw_sim.devices.cctalk_device import Polled
from hw_sim.devices.cctalk_link import Said

FALLS_S = 0.25
EURO = {
    1: ("EU200A", 200),
    2: ("EU100A", 100),
    3: ("EU050A", 50),
    4: ("EU020A", 20),
    5: ("EU010A", 10),
    6: ("EU005A", 5),
    7: ("Token ", 0),
}
REJECTED, INHIBITED, SWALLOWED, SLUG, COIN_RETURN = 1, 2, 36, 25, 254


class CcTalkAcceptor(Polled):
    """`coins`: position -> (id, value). `paths`: position -> sorter exit, 0 without one; an
    accepted coin is handed to `deliver(position, value)` (a hopper, the cash box), one that
    comes back to `give_back(value)`, one that went inside untold to `swallow(value)`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        address: int = 2,
        coins: Mapping[int, tuple[str, int]] | None = None,
        paths: Mapping[int, int] | None = None,
        crc: bool = False,
        deliver: Callable[[int, int], None] = lambda position, value: None,
    ) -> None:
        super().__init__(loop, address, "Coin Acceptor", poll_header=229, crc=crc)
        self._coins = dict(EURO if coins is None else coins)
        self.paths = dict(paths or {})
        self.deliver = deliver
        self.give_back: Callable[[int], None] = lambda value: None
        self.swallow: Callable[[int], None] = lambda value: None
        self.inserted = 0
        self.accepted = 0  # value that went inside and was told as an event
        self.swallowed = 0  # value that went inside and was not told as credit
        self.returned = 0
        self.fault = 0  # what the self-check says
        self.swallow_next = False
        self.commands |= {
            184: self._coin_id,
            232: lambda _: Said(data=bytes([self.fault]), delay_s=0.05),
        }

    @property
    def values(self) -> tuple[int, ...]:
        """Coins it knows, minor units, smallest first."""
        return tuple(sorted({value for _, value in self._coins.values() if value}))

    def insert(self, value: int) -> None:
        """A customer's coin."""
        self.inserted += value
        self.loop.call_later(FALLS_S, self._at_gate, value)

    def insert_slug(self) -> None:
        self.loop.call_later(FALLS_S, self._event, 0, SLUG)

    def press_lever(self) -> None:
        self._event(0, COIN_RETURN)

    def burst(self, value: int, count: int) -> None:
        """Coins so fast that polls in between don't happen."""
        for _ in range(count):
            self.inserted += value
            self._at_gate(value)

    def _at_gate(self, value: int) -> None:
        position = next((p for p, (_, v) in self._coins.items() if v == value), None)
        if position is None or not self.taking(position):
            self.returned += value
            self.give_back(value)
            self._event(0, REJECTED if position is None else INHIBITED)
            return
        if self.swallow_next:
            self.swallow_next = False
            self.swallowed += value
            self.swallow(value)
            self._event(0, SWALLOWED)
            return
        self.accepted += value
        self.deliver(position, value)
        self._event(position, self.paths.get(position, 0))

    def _event(self, first: int, second: int) -> None:
        if self.powered:
            self.events.add(first, second)

    def _coin_id(self, data: bytes) -> Said | None:
        if len(data) != 1:
            return None
        name, _ = self._coins.get(data[0], ("......", 0))
        return Said(data=name.encode("ascii"))
