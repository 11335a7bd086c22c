"""Several coin mechs as one changer: types set apart, one of them pays, none is confused."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from hw_sim.loop import run_virtual
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    LeverPressed,
    PayoutEnded,
    Report,
    Tube,
    TubesRead,
)
from vendd.drivers.coin_desk import CoinDesk
from vendd.ports import Refused

TUBES = (Tube(0, 50, 20),)
MAIN = ChangerReady(DeviceIdentity(model="main"), (Coin(0, 50, True), Coin(1, 200, False)), TUBES)
BESIDE = ChangerReady(DeviceIdentity(model="pulse"), (Coin(0, 100, False),), ())
MOVED = Coin(16, 100, to_tube=False)


@dataclass
class Mech:
    accepted: list[frozenset[int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: bool = False

    def accept(self, coin_types: frozenset[int]) -> None:
        self.accepted.append(coin_types)

    async def pay_out(self, payout_id: str, coins: tuple[tuple[int, int], ...]) -> None:
        self.asked.append(payout_id)

    async def read_tubes(self) -> None:
        if self.refuses:
            raise Refused("starting")
        self.asked.append("tubes")


class Told:
    def __init__(self) -> None:
        self.reports: list[Report] = []

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return False

    def take(self) -> list[Report]:
        reports, self.reports = self.reports, []
        return reports


class Rig:
    def __init__(self) -> None:
        self.told = Told()
        self.desk = CoinDesk(self.told)
        self.main, self.beside = Mech(), Mech()
        self.from_main = self.desk.place()
        self.desk.add(self.main)
        self.from_beside = self.desk.place()
        self.desk.add(self.beside)


def on_desk(test: Callable[[Rig], Awaitable[None]]) -> None:
    async def run() -> None:
        await test(Rig())

    run_virtual(run())


def test_one_mech_stands_for_itself_and_none_for_nothing() -> None:
    told = Told()
    desk = CoinDesk(told)
    assert desk.whole() is None
    place, mech = desk.place(), Mech()
    desk.add(mech)
    assert desk.whole() is mech
    for report in (MAIN, TubesRead(TUBES), ChangerLost("gone")):
        place.put(report)
    assert told.take() == [MAIN, TubesRead(TUBES), ChangerLost("gone")]


def test_coins_of_both_are_one_list_and_none_is_taken_for_another() -> None:
    async def test(rig: Rig) -> None:
        rig.from_beside.put(BESIDE)
        assert rig.told.take() == [], "without its main mech the desk is not there"
        rig.from_main.put(MAIN)
        assert rig.told.take() == [ChangerReady(MAIN.identity, (*MAIN.coins, MOVED), TUBES)]
        rig.from_beside.put(CoinAccepted(0, 100, CoinPath.BOX, 0))
        rig.from_main.put(CoinAccepted(0, 50, CoinPath.TUBE, 21))
        rig.from_beside.put(CoinRejected("rejected", 0))
        rig.from_beside.put(CoinRejected("lost"))
        assert rig.told.take() == [
            CoinAccepted(16, 100, CoinPath.BOX, 0),
            CoinAccepted(0, 50, CoinPath.TUBE, 21),
            CoinRejected("rejected", 16),
            CoinRejected("lost"),
        ]
        desk = rig.desk.whole()
        assert desk is rig.desk
        rig.desk.accept(frozenset({1, 16}))
        assert (rig.main.accepted, rig.beside.accepted) == ([{1}], [{0}])

    on_desk(test)


def test_the_main_mech_pays_and_is_asked_for_its_tubes() -> None:
    async def test(rig: Rig) -> None:
        await rig.desk.pay_out("p1", ((0, 1),))
        await rig.desk.read_tubes()
        assert (rig.main.asked, rig.beside.asked) == (["p1", "tubes"], [])
        through: list[Report] = [TubesRead(TUBES), PayoutEnded("p1", (), True), LeverPressed()]
        for report in through:
            rig.from_main.put(report)
        rig.from_beside.put(TubesRead(()))
        assert rig.told.take() == through

    on_desk(test)


def test_the_desk_is_there_as_long_as_its_main_mech_is() -> None:
    async def test(rig: Rig) -> None:
        rig.from_beside.put(BESIDE)
        rig.from_main.put(MAIN)
        rig.told.take()
        rig.from_main.put(ChangerLost("gone"))
        rig.from_beside.put(ChangerLost("stuck"))
        assert rig.told.take() == [ChangerLost("gone")]
        rig.from_main.put(MAIN)
        assert rig.told.take() == [MAIN]

    on_desk(test)


@pytest.mark.parametrize("refuses", [False, True])
def test_a_mech_beside_that_comes_is_told_with_tubes_that_were_read_for_it(refuses: bool) -> None:
    """Never with old counts: a payout may be under way, and counts decide about payouts."""

    async def test(rig: Rig) -> None:
        rig.main.refuses = refuses
        rig.from_main.put(MAIN)
        rig.told.take()
        rig.from_beside.put(BESIDE)
        await asyncio.sleep(1)
        assert rig.told.take() == []
        assert rig.main.asked == ([] if refuses else ["tubes"])
        now = (Tube(0, 50, 7),)
        rig.from_main.put(TubesRead(now))
        assert rig.told.take() == [ChangerReady(MAIN.identity, (*MAIN.coins, MOVED), now)]
        rig.from_main.put(TubesRead(now))
        assert rig.told.take() == [TubesRead(now)]

    on_desk(test)
