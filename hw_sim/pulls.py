"""Plugs that come out at the worst moment, and go in again: everything from a seed."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hw_sim.devices.bill_truth import Place
from hw_sim.devices.card_reader_session import Stage
from hw_sim.devices.mechs import CardMech
from hw_sim.front import Front

LOOK_S: Final = 0.02
PATIENCE_S: Final = 45.0  # a moment that does not come by then does not come
AFTER_S: Final = (0.0, 1.2)  # into the moment
TELLING_S: Final = 0.25  # from the box to the daemon, by a slow adapter
SHORT_S: Final = (0.2, 1.5)
LONG_S: Final = (3.0, 15.0)
HURRIED_S: Final = (1.0, 4.0)  # instead, where nobody wants to wait


@dataclass(frozen=True, slots=True)
class Moment:
    """`device` is a name in `Till.plugs`, `when` tells that it has come."""

    device: str
    name: str
    when: Callable[[], bool]


def moments(front: Front) -> list[Moment]:
    """Every moment of a sale at which a device of this machine may be pulled."""
    till = front.till
    found = [
        Moment(device, name, when)
        for device in till.plugs
        if not _answers_alone(front, device)
        for name, when in _any_time(front).items()
    ]
    found += [
        Moment(device, "paying coins", lambda: till.coins.paying)
        for device in till.plugs
        if device in ("changer", "acceptor") or device.startswith("hopper") or "adapter" in device
        if not _answers_alone(front, device)
    ]
    if till.bills is not None:
        found += [
            Moment("validator", f"bill in {place}", _bill_in(front, place))
            for place in (Place.ENTRY, Place.ESCROW, Place.MOVING)
        ]
        bills = till.bills
        found.append(Moment("validator", "paying bills", lambda: bills.paying))
    for number, reader in till.readers.items():
        for name, when in _of_a_session(reader).items():
            found.append(Moment(f"reader {number}", name, when))
    return found


def _answers_alone(front: Front, device: str) -> bool:
    """An adapter that polls by itself takes coins while nobody is behind it, and forgets them."""
    mdb = front.config.mdb
    return device == "mdb adapter" and mdb is not None and mdb.adapter == "waferstar"


def _any_time(front: Front) -> Mapping[str, Callable[[], bool]]:
    return {
        "at once": lambda: True,
        "vending": lambda: bool(front.cabinet.currents.flowing()),
    }


def _bill_in(front: Front, place: Place) -> Callable[[], bool]:
    bills = front.till.bills
    assert bills is not None
    path = bills.truth.path
    return lambda: bool(path[place])


def _of_a_session(reader: CardMech) -> Mapping[str, Callable[[], bool]]:
    session = reader.session
    return {
        "session": lambda: session.stage is Stage.SESSION,
        "asked": lambda: session.stage is Stage.VEND and session.charge is None,
        "approved": lambda: session.charge is not None,
        "refunding": lambda: session.charge is not None and session.mute,
    }


class Pulls:
    """`plan` one for the customer who comes; `over` when they have left. `done`: (device, from,
    until) of every one so far. A coin in free fall is waited for: one that lands without power
    leaves no trace anywhere, in no machine."""

    def __init__(self, front: Front, chance: random.Random, *, patient: bool) -> None:
        self._front = front
        self._chance = chance
        self._patient = patient
        self._task: asyncio.Task[str] | None = None
        self.done: list[tuple[str, float, float]] = []

    def plan(self) -> str:
        """Its name."""
        moment = self._chance.choice(moments(self._front))
        delay_s = self._chance.uniform(*AFTER_S)
        short = self._chance.random() < 0.3
        long_s = LONG_S if self._patient else HURRIED_S
        off_s = self._chance.uniform(*(SHORT_S if short else long_s))
        self.begin(moment, delay_s, off_s)
        return f"{moment.device} pulled, {moment.name}"

    def begin(self, moment: Moment, delay_s: float, off_s: float) -> None:
        """Wait for the moment and `delay_s` more, pull, and plug in again after `off_s`."""
        assert self._task is None, "one at a time"
        self._task = self._front.loop.create_task(self._pull(moment, delay_s, off_s))

    async def over(self) -> tuple[str, ...]:
        """What was really pulled; a moment that has not come yet does not come any more."""
        task, self._task = self._task, None
        if task is None:
            return ()
        pulled = await task
        return (pulled,) if pulled else ()

    async def _pull(self, moment: Moment, delay_s: float, off_s: float) -> str:
        loop, till = self._front.loop, self._front.till
        end = loop.time() + PATIENCE_S
        while not moment.when():
            if self._task is None or loop.time() > end:
                return ""
            await asyncio.sleep(LOOK_S)
        await asyncio.sleep(delay_s)
        while self._coin_under_way():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(LOOK_S / 4)
        plug = till.plugs[moment.device]
        began = loop.time()
        plug.pull()
        await asyncio.sleep(off_s)
        plug.plug()
        self.done.append((moment.device, began, loop.time()))
        return moment.device

    def _coin_under_way(self) -> bool:
        """One that leaves no trace anywhere if its report is lost: falling, not told, or told a
        moment ago and on its way into the box, which nobody counts."""
        coins, now = self._front.till.coins, self._front.loop.time()
        boxed = coins.truth.boxed
        return coins.untold or bool(boxed and now - boxed[-1][0] < TELLING_S)
