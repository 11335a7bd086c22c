"""The orders of a card reader's driver, read off its recorded commands."""

from collections.abc import Callable
from math import inf

from hw_sim.replay.actors import Order, taken
from hw_sim.replay.exchanges import Exchange
from vendd.core.sale.reports import Report
from vendd.drivers.cashless import MdbCashless
from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_data import Units
from vendd.wire.mdb.cashless_start import OPERATING, State
from vendd.wire.mdb.words import ADDRESS

_KEPT_S = 0.5  # a session that is not ended so soon after a vend was to be kept
_SETTLING = frozenset((State.APPROVED, State.HELD))


class CardActor:
    """See the module, and `hw_sim.replay.actors.Actor`. `units`: how the reader counts."""

    def __init__(self, driver: MdbCashless, exchanges: list[Exchange], units: Units) -> None:
        self._driver = driver
        self._units = units
        self._vends = 0
        self._asked = 0
        self.orders: list[Order] = []
        self._starts: State | None = None  # in which a start is about to say the prices
        commands = [it for it in exchanges if _kind(it) != 2]
        for at, it in enumerate(commands):
            order = self._order(it, commands[at + 1 :])
            if order is not None:
                self.orders.append(order)

    @property
    def free(self) -> bool:
        return self._driver.wake_at != inf

    def heard(self, report: Report) -> None:
        return

    @property
    def _state(self) -> State:
        return self._driver.machine.state

    def _order(self, it: Exchange, after: list[Exchange]) -> Order | None:
        match _kind(it):
            case 1 if it.command[1:2] == b"\x00":
                self._starts = State.CONFIG
                return None
            case 7 if it.command[1:2] == b"\x04":
                self._starts = State.OPTIONS  # amounts may become wide
                return None
            case 0 if self._driver.machine.state is State.HELD:
                return Order(it.at, it, lambda: taken(self._driver.release))
            case 1 if it.command[1:2] == b"\x01":
                return self._prices(it)
            case 3:
                return self._vend(it, after)
            case 4:
                return self._reader(it)
            case 5:
                return self._revalue(it)
            case 7 if it.command[1:4] == b"\xff\x05\x06" and len(it.command) > 4:
                return self._age(it, it.command[4])
            case _:
                return None

    def _prices(self, it: Exchange) -> Order | None:
        starts, self._starts = self._starts, None
        data = it.command[2:]
        size = 4 if len(data) >= 8 else 2
        high, low = (int.from_bytes(data[n * size : (n + 1) * size], "big") for n in (0, 1))
        if high == (1 << 8 * size) - 1:
            return None  # not known: the driver says so by itself

        def give() -> bool:
            self._driver.show_prices(self._units.minor(high), self._units.minor(low))
            return True

        return Order(it.at, it, give, lambda: self._state is starts)

    def _vend(self, it: Exchange, after: list[Exchange]) -> Order | None:
        sub, data = it.command[1], it.command[2:]
        match sub:
            case 0 | 5:
                return Order(it.at, it, self._amount(sub, data))
            case 1:
                return self._when(it, (State.REQUESTED, State.HELD), self._driver.cancel)
            case 2:
                ended = [one for one in after[:1] if one.command[1:2] == b"\x04"]
                keep = not ended or ended[0].at - it.at > _KEPT_S
                return self._when(
                    it,
                    tuple(_SETTLING),
                    lambda vend: self._driver.succeeded(vend, keep_session=keep),
                )
            case 3:
                return self._when(it, tuple(_SETTLING), self._driver.failed)
            case 4:
                return self._when(it, (State.SESSION,), lambda _: self._driver.end_session())
            case _:
                return None

    def _amount(self, sub: int, data: bytes) -> Callable[[], bool]:
        """VEND REQUEST or CASH SALE."""
        size = 4 if len(data) >= 6 else 2
        units, item = int.from_bytes(data[:size], "big"), int.from_bytes(data[size:][:2], "big")

        def give() -> bool:
            price = self._units.minor(units)
            if sub == 5:
                self._driver.cash_sale(price, item)
                return True
            if not taken(lambda: self._driver.request(f"vend-{self._vends + 1}", price, item)):
                return False
            self._vends += 1
            return True

        return give

    def _when(self, it: Exchange, states: tuple[State, ...], act: Callable[[str], None]) -> Order:
        """Only where it means something; elsewhere the driver goes its own way."""

        def give() -> bool:
            return self._state in states and taken(lambda: act(f"vend-{self._vends}"))

        return Order(it.at, it, give)

    def _reader(self, it: Exchange) -> Order | None:
        sub = it.command[1]
        if sub == 2:
            return self._when(it, (State.ENABLED,), lambda _: self._driver.recall())

        def give() -> bool:
            self._driver.enable(sub == 1)
            return self._state in OPERATING

        return Order(it.at, it, give) if sub in (0, 1) else None

    def _revalue(self, it: Exchange) -> Order:
        if it.command[1:2] == b"\x01":
            return Order(it.at, it, lambda: taken(self._driver.ask_revalue_limit))
        units = int.from_bytes(it.command[2:], "big")

        def give() -> bool:
            amount = self._units.minor(units)
            return taken(lambda: self._driver.revalue("revalue", amount))

        return Order(it.at, it, give)

    def _age(self, it: Exchange, years: int) -> Order:
        def give() -> bool:
            if not years:
                self._driver.stop_age_check()
                return True
            self._asked += 1
            return taken(lambda: self._driver.check_age(f"age-{self._asked}", years))

        return Order(it.at, it, give)


def _kind(it: Exchange) -> int:
    return it.command[0] & ~ADDRESS


def held(exchanges: list[Exchange]) -> bool:
    """Did the driver begin with polls, because a vend of an earlier life was to be settled?"""
    return bool(exchanges) and exchanges[0].command[0] & 7 != cd.RESET[0] & 7
