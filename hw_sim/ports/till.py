"""Everything that takes or gives money at one machine at port depth, as its configuration says."""

import random
from collections.abc import Mapping
from typing import Final

from hw_sim.clock import WorldClock
from hw_sim.ports.changer import PortChanger, PortFault, filled
from hw_sim.ports.reader import PortCardReader
from hw_sim.ports.reader_parts import PortCardFault
from hw_sim.ports.validator import PortBillValidator
from hw_sim.ports.validator_parts import PortBillFault
from hw_sim.till import READERS, Plug
from hw_sim.world import RECYCLED, TUBES
from vendd.config import Config
from vendd.ports import Cashless, Sink
from vendd.services.payment import Devices

CHANGER: Final = tuple(
    fault for fault in PortFault if fault not in (PortFault.COIN_REJECTED, PortFault.PAYOUT_JAM)
)
_FULL_RECYCLER: Final = {500: RECYCLED[500], 1000: 0}


class PortTill:
    """`plugs`: by device, as of `hw_sim.till.Till`."""

    def __init__(self, config: Config, clock: WorldClock, seed: int) -> None:
        self._seed = seed
        changer = PortChanger(clock, self._rng("changer"))
        self.coins = filled(changer, TUBES)
        self._fitted = config.changer_bus() is not None
        self.bills: PortBillValidator | None = None
        if config.validator_bus() is not None:
            self.bills = PortBillValidator(clock, self._rng("bills"), recycled=_FULL_RECYCLER)
        self.readers: dict[int, PortCardReader] = {
            entry.number: PortCardReader(
                clock,
                self._rng(f"reader/{entry.number}"),
                entry.number,
                READERS[entry.number],
                selection_first=entry.number == 1,
            )
            for entry in config.readers()
        }
        self.troubles: Mapping[str, tuple[str, ...]] = {
            "changer": CHANGER,
            "bills": tuple(PortBillFault),
            "cards": tuple(PortCardFault),
        }
        self.plugs = {name: Plug(it.unplug, it.plug) for name, it in self._devices().items()}

    @property
    def busy(self) -> bool:
        """A payment is not settled, or money moves."""
        approved = any(reader.charge is not None for reader in self.readers.values())
        paying = self.coins.paying or (self.bills is not None and self.bills.paying)
        return approved or paying or (self.bills is not None and self.bills.truth.in_path() > 0)

    @property
    def ports(self) -> Devices:
        """As the daemon uses them."""
        readers: dict[int, Cashless] = dict(self.readers.items())
        return Devices(self.coins if self._fitted else None, self.bills, readers)

    # --- lives -------------------------------------------------------------------------------

    def begin(self, sink: Sink, cards: Sink) -> None:
        """`cards`: where readers report to."""
        for device in self._devices().values():
            device.begin(cards if isinstance(device, PortCardReader) else sink)

    def forsake(self) -> None:
        for device in self._devices().values():
            device.forsake()

    def power(self, *, on: bool) -> None:
        """The machine's mains."""
        for plug in self.plugs.values():
            (plug.plug if on else plug.pull)()

    # --- inside ------------------------------------------------------------------------------

    def _rng(self, part: str) -> random.Random:
        return random.Random(f"{self._seed}/{part}")

    def _devices(self) -> dict[str, PortChanger | PortBillValidator | PortCardReader]:
        found: dict[str, PortChanger | PortBillValidator | PortCardReader] = {}
        if self._fitted:
            found["changer"] = self.coins
        if self.bills is not None:
            found["validator"] = self.bills
        for number, reader in self.readers.items():
            found[f"reader {number}"] = reader
        return found
