"""One machine as it stands there: cabinet, payment devices and their buses, without a controller.

It outlives every daemon: a killed one leaves its motors turning and its coins
where they are. Make it outside any life of a virtual loop.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from hw_sim.cabinet import Cabinet
from hw_sim.devices.bill_validator import BillValidator
from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.plan_config import plan_from_config
from hw_sim.till import Models, Till
from vendd.config import Config

TUBES: Final[Mapping[int, int]] = {5: 20, 10: 20, 20: 20, 50: 20, 100: 20}
"""Coins in a changer's tubes at first: value in minor units -> count."""

RECYCLED: Final[Mapping[int, int]] = {500: 5}
"""Bills in a recycler at first."""


class World:
    """The physics of one machine, from a seed."""

    def __init__(
        self,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        seed: int,
        *,
        tubes: Mapping[int, int] = TUBES,
        recycled: Mapping[int, int] = RECYCLED,
        oneshot: bool = True,
        model: ChangerModel | None = None,
        models: Models | None = None,
    ) -> None:
        self.config = config
        self.loop = loop
        self.cabinet = Cabinet(plan_from_config(config), loop, seed, oneshot=oneshot)
        self.till = Till(config, loop, seed, models or Models(changer=model))
        if isinstance(self.till.coins, CoinChanger):
            for value, count in tubes.items():
                self.till.coins.fill_tube(value, count)
        bills = self.till.bills
        if isinstance(bills, BillValidator):
            for bill_type in bills.model.recycled_types():
                value = bills.model.value(bill_type)
                bills.fill(value, recycled.get(value, 0))

    @property
    def changer(self) -> CoinChanger:
        """The coin changer of a machine that has one."""
        assert isinstance(self.till.coins, CoinChanger)
        return self.till.coins
