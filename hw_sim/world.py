"""One machine as it stands there: cabinet, coin changer and bus adapter, without a controller.

It outlives every daemon: a killed one leaves its motors turning and its coins
where they are. Make it outside any life of a virtual loop.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Final

from hw_sim.cabinet import Cabinet
from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.qibixx import GENERIC_MASTER, QibixxAdapter
from hw_sim.plan_config import plan_from_config
from vendd.config import Config

TUBES: Final[Mapping[int, int]] = {5: 20, 10: 20, 20: 20, 50: 20, 100: 20}
"""Coins in the tubes at first: value in minor units -> count."""


class World:
    """The physics of one machine, from a seed."""

    def __init__(
        self,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        seed: int,
        *,
        tubes: Mapping[int, int] = TUBES,
        oneshot: bool = True,
        model: ChangerModel | None = None,
    ) -> None:
        self.config = config
        self.loop = loop
        self.cabinet = Cabinet(plan_from_config(config), loop, seed, oneshot=oneshot)
        self.changer = CoinChanger(loop, random.Random(f"{seed}/changer"), model)
        self.adapter = QibixxAdapter(loop, [self.changer], dialect=GENERIC_MASTER)
        for value, count in tubes.items():
            self.changer.fill_tube(value, count)
