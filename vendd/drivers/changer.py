"""The coin changer on the multi-drop bus: `ports.Changer` over `ChangerMachine`.

Turns the machine's news into reports and nothing else. Is NOT responsible for
the conversation (`vendd.wire.mdb.changer`), for the wire (`MdbBus`), for credit
or for what to do about a payout that ended short.
"""

import asyncio
from typing import Final

from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    FaultEnded,
    FaultStarted,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    Report,
    Tube,
    TubesRead,
)
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Refused, Sink
from vendd.wire.mdb.changer import ChangerMachine, Declined
from vendd.wire.mdb.changer_news import (
    ByHand,
    CoinIn,
    CoinOut,
    Description,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
    News,
    PayoutDone,
    PayoutRefused,
    PayoutTaken,
    Ready,
    TubeLevel,
    TubesSeen,
)
from vendd.wire.mdb.changer_start import ChangerRules, PayoutWay
from vendd.wire.mdb.exchange import Reply

__all__ = ["ChangerRules", "MdbChanger", "PayoutWay"]

DEVICE: Final = "changer"


class MdbChanger:
    """A `ports.Changer` and a `BusDevice`; attaches itself to `bus`, which must not run yet."""

    def __init__(self, bus: MdbBus, sink: Sink, rules: ChangerRules) -> None:
        self._bus = bus
        self._sink = sink
        self.machine = ChangerMachine(rules)
        self._accepted: frozenset[int] = frozenset()
        self._taking_up: tuple[str, asyncio.Future[None]] | None = None
        bus.attach(self)

    # --- ports.Changer ----------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        """See `ports.Changer`. Cheap when nothing changes."""
        if coin_types != self._accepted:
            self._accepted = coin_types
            self.machine.accept(coin_types)
            self._bus.kick()

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        """See `ports.Changer`. A lost answer is cleared up before this returns or raises.

        When the caller gives up waiting (cancellation) and nothing was sent yet, the payout
        is withdrawn; otherwise one `PayoutEnded` follows all the same.
        """
        try:
            self.machine.pay_out(payout_id, coins)
        except Declined as error:
            raise Refused(str(error)) from error
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taking_up = (payout_id, taken)
        self._bus.kick()
        try:
            await taken
        except asyncio.CancelledError:
            if self.machine.withdraw(payout_id):
                self._taking_up = None
            raise

    async def read_tubes(self) -> None:
        """See `ports.Changer`; raises `Refused` while the changer is not initialised."""
        try:
            self.machine.read_tubes()
        except Declined as error:
            raise Refused(str(error)) from error
        self._bus.kick()

    # --- BusDevice --------------------------------------------------------------------

    @property
    def wake_at(self) -> float:
        return self.machine.wake_at

    def next(self, now: float) -> bytes | None:
        return self.machine.next(now)

    def answered(self, reply: Reply, now: float) -> None:
        for news in self.machine.answered(reply, now):
            if isinstance(news, PayoutTaken | PayoutRefused):
                self._taken_up(news)
            else:
                self._sink.put(_report(news))

    def _taken_up(self, news: PayoutTaken | PayoutRefused) -> None:
        waiting, self._taking_up = self._taking_up, None
        if waiting is not None and not waiting[1].done():
            if isinstance(news, PayoutRefused):
                waiting[1].set_exception(Refused(news.why))
            else:
                waiting[1].set_result(None)
        elif isinstance(news, PayoutRefused):
            # Nobody waits for the refusal any more, so it has to be a report.
            self._sink.put(PayoutEnded(news.id, (), certain=True, why=news.why))


def _report(news: News) -> Report:
    """One piece of news in the words of the sale machine."""
    match news:
        case CoinIn(type_, value, in_tube, count):
            return CoinAccepted(type_, value, CoinPath.TUBE if in_tube else CoinPath.BOX, count)
        case CoinOut(why, type_, count):
            return CoinRejected(why, type_, count)
        case Lever():
            return LeverPressed()
        case ByHand(type_, count, tube_count):
            return ManuallyDispensed(type_, count, tube_count)
        case TubesSeen(tubes):
            return TubesRead(_tubes(tubes))
        case PayoutDone(id_, paid, certain, why):
            return PayoutEnded(id_, paid, certain, why)
        case FaultBegan(code, detail):
            return FaultStarted(code, DEVICE, detail)
        case FaultGone(code):
            return FaultEnded(code, DEVICE)
        case Lost(why):
            return ChangerLost(why)
        case Ready(description, kinds, tubes):
            coins = tuple(Coin(k.type, k.value, k.to_tube) for k in kinds)
            return ChangerReady(_identity(description), coins, _tubes(tubes))
        case PayoutTaken() | PayoutRefused():
            raise AssertionError("not a report")


def _tubes(tubes: tuple[TubeLevel, ...]) -> tuple[Tube, ...]:
    return tuple(Tube(t.type, t.value, t.count, t.full, t.defective) for t in tubes)


def _identity(it: Description) -> DeviceIdentity:
    return DeviceIdentity(
        manufacturer=it.identity.manufacturer,
        serial=it.identity.serial,
        model=it.identity.model,
        firmware=it.identity.software,
        level=it.level,
        options=it.identity.options,
        currency=it.currency,
        scale=it.scale,
        decimals=it.decimals,
    )
