"""The way of a coin from the slot past the gate into tube, box or return cup."""

from dataclasses import dataclass
from enum import StrEnum

from hw_sim.devices.changer_parts import Works
from hw_sim.devices.faults import ChangerFault

GATE_AT = 0.4  # share of the fall after which the coin is validated and the gate has decided
TOO_CLOSE_S = 0.06  # two coins nearer than this at the gate can't be told apart

NO_CREDIT = b"\x03"
DOUBLE_ARRIVAL = b"\x05"
ROUTING_ERROR = b"\x09"
COIN_JAM = b"\x0c"
DEPOSITED = 0x40
TO_BOX, TO_TUBE, REJECTED = 0x00, 0x10, 0x30


class Way(StrEnum):
    CUP = "cup"
    BOX = "box"
    TUBE = "tube"
    STUCK = "stuck"


@dataclass
class _Coin:
    """A coin on its way. `says` is what the changer will tell of it when it has landed."""

    value: int
    type: int | None
    lands_at: float
    way: Way = Way.CUP
    tube: int = 0  # the value of the tube it really falls into
    says: bytes = b""  # complete activity bytes that need no count
    power_cuts: int = 0


class CoinAcceptor:
    """Lets coins fall: decides at the gate, books and reports when they land.

    A coin that passed the gate is credited even if coins were disabled meanwhile; one
    that lands without power is money in the machine that nobody was told of.
    """

    def __init__(
        self,
        works: Works,
    ) -> None:
        self._loop = works.loop
        self._rng = works.rng
        self._model = works.model
        self._memory = works.memory
        self._truth = works.truth
        self._faults = works.faults
        self._previous: _Coin | None = None
        self._previous_at = -1.0
        self.unplugged = False

    def drop(self, value: int, *, slug: bool = False) -> None:
        """A coin (or something like it) enters the slot now."""
        self._truth.insert(value)
        fall = self._rng.uniform(*self._model.coin_falls_s)
        coin_type = None if slug else self._model.type_of(value)
        coin = _Coin(value, coin_type, self._loop.time() + fall)
        self._loop.call_later(fall * GATE_AT, self._at_gate, coin)

    def _at_gate(self, coin: _Coin) -> None:
        memory = self._memory
        coin.power_cuts = memory.power_cuts
        if memory.running and not self.unplugged:
            self._judge(coin)
        self._loop.call_at(coin.lands_at, self._landed, coin)

    def _judge(self, coin: _Coin) -> None:
        now = self._loop.time()
        previous, gap = self._previous, now - self._previous_at
        self._previous, self._previous_at = coin, now
        if previous is not None and gap < TOO_CLOSE_S:
            previous.way, previous.says = Way.CUP, b""
            self._memory.activity.add(DOUBLE_ARRIVAL)
        elif coin.type is None:
            self._memory.activity.add_slug()
        elif self._memory.enabled >> coin.type & 1:
            self._accept(coin, coin.type)

    def _accept(self, coin: _Coin, coin_type: int) -> None:
        due = self._faults.due
        if due(ChangerFault.COIN_REJECTED):
            count = self._count(coin_type)
            coin.says = bytes([DEPOSITED | REJECTED | coin_type, count])
        elif due(ChangerFault.DOUBLE_ARRIVAL):
            coin.says = DOUBLE_ARRIVAL
        elif due(ChangerFault.COIN_LOST):
            coin.way, coin.says = Way.STUCK, NO_CREDIT
        elif due(ChangerFault.COIN_JAM):
            coin.way, coin.says = Way.STUCK, COIN_JAM
        else:
            self._route(coin, coin_type)

    def _route(self, coin: _Coin, coin_type: int) -> None:
        coin.way, coin.tube = Way.BOX, coin.value
        if self._has_room(coin_type):
            coin.way = Way.TUBE
            others = [value for value in self._truth.tubes if value != coin.value]
            if others and self._faults.due(ChangerFault.WRONG_TUBE):
                coin.tube = self._rng.choice(others)

    def _has_room(self, coin_type: int) -> bool:
        """Routed to a tube that works and whose full sensor is not covered."""
        if not self._model.routed(coin_type) or coin_type in self._memory.defective:
            return False
        column = self._truth.tubes[self._model.value(coin_type)]
        return len(column) < self._model.full_at(coin_type)

    def _landed(self, coin: _Coin) -> None:
        if coin.way is Way.TUBE:
            self._truth.land_in_tube(coin.value, coin.tube)
        elif coin.way is Way.BOX:
            self._truth.land_in_box(coin.value, self._loop.time())
        elif coin.way is Way.STUCK:
            self._truth.get_stuck(coin.value)
        else:
            self._truth.land_in_cup(coin.value, self._loop.time())
        if self._memory.running and coin.power_cuts == self._memory.power_cuts:
            self._report(coin)

    def _report(self, coin: _Coin) -> None:
        activity = self._memory.activity
        if coin.says:
            activity.add(coin.says)
        elif coin.type is not None and coin.way in (Way.TUBE, Way.BOX):
            if coin.way is Way.TUBE:
                self._memory.counted[coin.type] += 1
                if coin.tube != coin.value:
                    activity.add(ROUTING_ERROR)
            path = TO_TUBE if coin.way is Way.TUBE else TO_BOX
            activity.add(bytes([DEPOSITED | path | coin.type, self._count(coin.type)]))

    def _count(self, coin_type: int) -> int:
        return min(self._memory.counted[coin_type], 255)
