"""A coin acceptor and its hoppers on one ccTalk bus, seen as one `ports.Changer`.

The acceptor's coin 1..16 is the sale machine's coin type 0..15, a hopper is that type's tube.
Turns news into reports, and one payout into one command per hopper. Is NOT responsible for
the conversations (`vendd.wire.cctalk`), for credit, or for a payout that ended short.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

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
    PayoutEnded,
    Tube,
    TubesRead,
)
from vendd.drivers.cctalk_bus import CcTalkBus
from vendd.drivers.cctalk_hopper import CcTalkHopper, HopperFit
from vendd.ports import Refused, Sink
from vendd.wire.cctalk.coin_acceptor import CoinAcceptorMachine, CoinRules
from vendd.wire.cctalk.contact import Phase
from vendd.wire.cctalk.exchange import Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.news import (
    CoinIn,
    CoinOut,
    CoinsReady,
    EventsLost,
    Evidence,
    FaultBegan,
    FaultGone,
    Lever,
    Lost,
    News,
    PayoutDone,
)

DEVICE: Final = "coin_acceptor"
POWER: Final = ("power_loss", DEVICE)
BELIEVED_AFTER_S: Final = 5.0
"""A hopper whose payout nobody can tell is empty-handed until that payout is settled."""


@dataclass(frozen=True, slots=True)
class CoinsKept:
    """What has to be kept with what comes of the very next report: the acceptor's `counter`,
    and how a hopper stands before its next payout (by coin type)."""

    counter: Callable[[int], None] = lambda _: None
    evidence: Callable[[int, Evidence], None] = lambda *_: None


class CcTalkCoins:
    """A `ports.Changer` and the acceptor's `CcTalkDevice`; attaches itself and its hoppers to
    `bus`, which must not run yet. `counter`: see `CoinAcceptorMachine`; `keep` holds what has
    to survive this life."""

    def __init__(
        self,
        bus: CcTalkBus,
        sink: Sink,
        rules: CoinRules,
        hoppers: tuple[HopperFit, ...] = (),
        *,
        counter: int | None = None,
        keep: CoinsKept | None = None,
    ) -> None:
        self._bus = bus
        self._sink = sink
        self._keep = keep or CoinsKept()
        self._noted = counter
        self._moving = 0  # payouts whose end is not known: no count says anything before that
        self.machine = CoinAcceptorMachine(rules, counter)
        self._ready: CoinsReady | None = None
        self._told_ready = False
        self._told_tubes: tuple[Tube, ...] = ()
        self._power_lost = False
        self._tasks: set[asyncio.Task[None]] = set()
        bus.attach(self)
        self.hoppers = {
            fit.coin_type: CcTalkHopper(
                bus, sink, fit, self._hopper_changed, partial(self._keep.evidence, fit.coin_type)
            )
            for fit in hoppers
        }

    # --- ports.Changer -------------------------------------------------------------

    def accept(self, coin_types: frozenset[int]) -> None:
        """See `ports.Changer`. Cheap when nothing changes."""
        self.machine.accept(frozenset(t + 1 for t in coin_types))
        self._bus.kick()

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        """See `ports.Changer`. All hoppers pay at the same time; refused when none of them
        took its command up, otherwise what a hopper refused is missing from `PayoutEnded`."""
        wanted = [(t, n) for t, n in coins if n > 0]
        if not wanted or any(t not in self.hoppers for t, _ in wanted):
            raise Refused("no hopper for these coins")
        if len({t for t, _ in wanted}) < len(wanted):
            raise Refused("a coin type twice")
        starts = [asyncio.ensure_future(self.hoppers[t].pay_out(payout_id, n)) for t, n in wanted]
        self._moving += 1
        try:
            await asyncio.wait(starts)
        except asyncio.CancelledError:
            for coin_type, _ in wanted:
                self.hoppers[coin_type].withdraw(payout_id)
            self._spawn(self._settle(payout_id, wanted, starts, only_if_taken=True))
            raise
        refusals = [str(start.exception()) for start in starts if start.exception()]
        if len(refusals) == len(starts):
            self._moving -= 1
            raise Refused("; ".join(refusals))
        self._spawn(self._settle(payout_id, wanted, starts))

    async def read_tubes(self) -> None:
        """See `ports.Changer`; the counts are the driver's own, so the report comes at once.
        Refused while a payout has not ended: they know nothing of it."""
        if self.machine.phase is not Phase.RUNNING:
            raise Refused(f"coin acceptor is {self.machine.phase.value}")
        if self._moving:
            raise Refused("a payout has not ended")
        self._tell_tubes()
        doubtful = [h for h in self.hoppers.values() if not h.counted]
        if doubtful:  # whoever asked knows now that these counts prove nothing
            self._spawn(self._believe(doubtful))

    # --- beyond the port: what survives a life ----------------------------------------

    def recover(
        self,
        payout_id: str,
        coins: tuple[tuple[int, int], ...],
        before: Mapping[int, Evidence],
    ) -> None:
        """A payout of an earlier life is settled by asking; one `PayoutEnded` follows, and only
        then `ChangerReady`: a hopper's count says nothing of what it paid. `before`: what
        `CoinsKept.evidence` was given last, by coin type."""
        wanted = [(t, n) for t, n in coins if n > 0 and t in self.hoppers]
        ends = [self.hoppers[t].recover(payout_id, n, before.get(t)) for t, n in wanted]
        self._moving += 1
        self._spawn(self._collect(payout_id, [t for t, _ in wanted], ends))

    async def _believe(self, doubtful: list[CcTalkHopper]) -> None:
        await asyncio.sleep(BELIEVED_AFTER_S)
        for hopper in doubtful:
            hopper.counted = True
        self._tell_tubes()

    # --- payouts ----------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(
        self,
        payout_id: str,
        wanted: list[tuple[int, int]],
        starts: "Sequence[asyncio.Future[asyncio.Future[PayoutDone]]]",
        *,
        only_if_taken: bool = False,
    ) -> None:
        await asyncio.wait(starts)
        taken = [
            (t, start.result())
            for (t, _), start in zip(wanted, starts, strict=True)
            if not start.cancelled() and start.exception() is None
        ]
        if taken or not only_if_taken:
            await self._collect(payout_id, [t for t, _ in taken], [end for _, end in taken])
        else:
            self._moved()

    async def _collect(
        self, payout_id: str, types: list[int], ends: "list[asyncio.Future[PayoutDone]]"
    ) -> None:
        done = [await end for end in ends]
        paid = tuple((t, end.paid) for t, end in zip(types, done, strict=True) if end.paid)
        why = next((end.why for end in done if end.why), "")
        self._sink.put(PayoutEnded(payout_id, paid, all(end.certain for end in done), why))
        self._moved()

    def _moved(self) -> None:
        """A payout is over: what waited for it can be told."""
        self._moving -= 1
        if self._told_ready:
            self._tell_tubes()
        else:
            self._tell_ready()

    # --- CcTalkDevice -------------------------------------------------------------------

    @property
    def address(self) -> int:
        return self.machine.address

    @property
    def checksum(self) -> Checksum:
        return self.machine.checksum

    @property
    def wake_at(self) -> float:
        return self.machine.wake_at

    def next(self, now: float) -> Request | None:
        return self.machine.next(now)

    def answered(self, reply: Reply, now: float) -> None:
        for news in self.machine.answered(reply, now):
            if isinstance(news, CoinIn):
                self._note(news.counter)
            self._told(news)
        self._note(self.machine.log.last)

    def _note(self, counter: int | None) -> None:
        """Never ahead of what was reported: a coin behind it would not be credited again."""
        if counter is not None and counter != self._noted:
            self._noted = counter
            self._keep.counter(counter)

    # --- news ---------------------------------------------------------------------------

    def _told(self, news: News) -> None:
        match news:
            case CoinIn(position, value, path):
                self._coin(position - 1, value, path)
            case CoinOut(why, position):
                self._sink.put(CoinRejected(why, None if position is None else position - 1))
            case Lever():
                self._sink.put(LeverPressed())
            case CoinsReady():
                self._ready = news
                self._told_ready = False
                self._tell_ready()
            case Lost(why):
                self._ready = None
                self._told_ready = False
                self._sink.put(ChangerLost(why))
            case EventsLost(None) if not self._power_lost:
                self._power_lost = True
                self._sink.put(FaultStarted(*POWER, detail="coins not yet reported are unknown"))
            case EventsLost():
                pass  # its fault says so too
            case FaultBegan(code, detail):
                self._sink.put(FaultStarted(code, DEVICE, detail))
            case FaultGone(code):
                self._sink.put(FaultEnded(code, DEVICE))
            case _:
                raise AssertionError(f"no news of a coin acceptor: {news}")

    def _coin(self, coin_type: int, value: int, path: int) -> None:
        hopper = self.hoppers.get(coin_type)
        if hopper is not None and hopper.fit.fed_by == path:
            hopper.fed()
            self._sink.put(CoinAccepted(coin_type, value, CoinPath.TUBE, hopper.count))
        else:
            self._sink.put(CoinAccepted(coin_type, value, CoinPath.BOX, 0))

    def _hopper_changed(self) -> None:
        if not self._told_ready:
            self._tell_ready()
        elif not self._tasks and self._tubes() != self._told_tubes:
            self._tell_tubes()  # while coins move, the end of it brings the counts

    def _tell_tubes(self) -> None:
        self._told_tubes = self._tubes()
        self._sink.put(TubesRead(self._told_tubes))

    def _tell_ready(self) -> None:
        """Once the acceptor is there and each hopper is either there or known to be missing."""
        waits = self._moving or any(h.usable is None for h in self.hoppers.values())
        if self._ready is None or waits:
            return
        self._told_ready = True
        self._told_tubes = self._tubes()
        if self._power_lost:
            self._power_lost = False
            self._sink.put(FaultEnded(*POWER))
        identity = self._ready.identity
        self._sink.put(
            ChangerReady(
                DeviceIdentity(
                    manufacturer=identity.manufacturer,
                    serial=identity.serial,
                    model=identity.product,
                    firmware=identity.software,
                ),
                tuple(
                    Coin(k.position - 1, k.value, self._to_tube(k.position - 1))
                    for k in self._ready.coins
                ),
                self._told_tubes,
            )
        )

    def _to_tube(self, coin_type: int) -> bool:
        hopper = self.hoppers.get(coin_type)
        return hopper is not None and hopper.fit.fed_by is not None

    def _tubes(self) -> tuple[Tube, ...]:
        return tuple(
            Tube(
                t,
                h.fit.value,
                h.count,
                h.count >= h.fit.capacity,
                defective=not h.usable or not h.counted,
            )
            for t, h in sorted(self.hoppers.items())
        )
