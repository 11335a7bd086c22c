"""Everything that takes or gives money at one machine, as its configuration says."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hw_sim.devices.bearable import BILLS, CARDS, CHANGER
from hw_sim.devices.bill_validator import BillModel, BillValidator
from hw_sim.devices.card_reader import CardReader, ReaderModel
from hw_sim.devices.card_reader_parts import OPTION_WIDE
from hw_sim.devices.cctalk_acceptor import EURO, CcTalkAcceptor
from hw_sim.devices.cctalk_coins import CcTalkMech, paths
from hw_sim.devices.cctalk_device import CcTalkDevice
from hw_sim.devices.cctalk_hopper import CcTalkHopper
from hw_sim.devices.cctalk_link import CcTalkWire
from hw_sim.devices.cctalk_validator import CcTalkValidator
from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import ByteDevice
from hw_sim.devices.mdb_link import Peripheral
from hw_sim.devices.mechs import BillMech, CoinMech
from hw_sim.devices.qibixx import GENERIC_MASTER, QibixxAdapter
from hw_sim.devices.waferstar import WaferstarAdapter
from vendd.config import Config

MDB, CCTALK = "mdb", "cctalk"

READERS: Final[Mapping[int, ReaderModel]] = {
    1: ReaderModel(),
    2: ReaderModel(serial="000000000012", model="CARDS-2", options=OPTION_WIDE),
}
"""The second one is never asked before a card is there: it opens the session itself."""

RECYCLER: Final = BillModel(level=2, recycled=0x0003)


@dataclass(frozen=True, slots=True)
class Plug:
    """A device that can be pulled and plugged back at any moment."""

    pull: Callable[[], None]
    plug: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Models:
    """Other devices than usual; None: the usual ones."""

    changer: ChangerModel | None = None
    bills: BillModel = RECYCLER
    readers: Mapping[int, ReaderModel] | None = None


class Till:
    """`ports`: what hangs on which serial line, by the bus's name. `plugs`: by device. `troubles`:
    see `hw_sim.front.Purses`."""

    def __init__(
        self, config: Config, loop: asyncio.AbstractEventLoop, seed: int, models: Models
    ) -> None:
        self._loop = loop
        self._seed = seed
        self._on_mdb: list[Peripheral] = []
        self._on_cctalk: list[CcTalkDevice] = []
        self.plugs: dict[str, Plug] = {}
        on_mdb = config.changer_bus() != CCTALK
        self.troubles: Mapping[str, tuple[str, ...]] = {
            "changer": CHANGER if on_mdb else (),
            "bills": BILLS,
            "cards": CARDS,
        }
        self.coins = self._make_coins(config, models.changer)
        self.bills = self._make_bills(config, models.bills)
        self.readers: dict[int, CardReader] = {
            entry.number: self._make_reader(entry.number, models.readers or READERS)
            for entry in config.readers()
        }
        self.ports: dict[str, ByteDevice] = {}
        if config.mdb is not None:
            self.ports[MDB] = self._adapter(config.mdb.adapter)
        if config.cctalk is not None:
            self.ports[CCTALK] = CcTalkWire(loop, self._on_cctalk, rng=self._rng("cctalk"))

    @property
    def busy(self) -> bool:
        """A payment is not settled, or money moves."""
        approved = any(reader.session.charge is not None for reader in self.readers.values())
        paying = self.coins.paying or (self.bills is not None and self.bills.paying)
        inside = self.bills is not None and self.bills.truth.in_path() > 0
        return approved or paying or inside

    def _rng(self, part: str) -> random.Random:
        return random.Random(f"{self._seed}/{part}")

    # --- coins -----------------------------------------------------------------------

    def _make_coins(self, config: Config, model: ChangerModel | None) -> CoinMech:
        if config.changer_bus() == CCTALK:
            return self._make_hoppers(config)
        changer = CoinChanger(self._loop, self._rng("changer"), model)
        if config.changer_bus() == MDB:
            self._on_mdb.append(changer)
            self.plugs["changer"] = Plug(changer.unplug, changer.plug)
        return changer  # that a machine without one has too, hanging on no wire

    def _make_hoppers(self, config: Config) -> CcTalkMech:
        section = config.cctalk
        assert section is not None
        assert section.coins is not None
        fed_by = {entry.coin: entry.fed_by for entry in section.hopper}
        acceptor = CcTalkAcceptor(
            self._loop,
            address=section.coins.address,
            paths=paths(fed_by),
            crc=section.coins.checksum == "crc",
        )
        self._on_cctalk.append(acceptor)
        self.plugs["acceptor"] = Plug(acceptor.power_off, acceptor.power_on)
        hoppers = []
        for entry in section.hopper:
            hopper = CcTalkHopper(
                self._loop,
                address=entry.address,
                value=EURO[entry.coin][1],
                coins=0,
                security=entry.security,
                crc=entry.checksum == "crc",
                serial=4711 + entry.address,
            )
            hoppers.append(hopper)
            self.plugs[f"hopper {hopper.value}"] = Plug(hopper.power_off, hopper.power_on)
        self._on_cctalk += hoppers
        return CcTalkMech(self._loop, acceptor, hoppers)

    # --- bills -----------------------------------------------------------------------

    def _make_bills(self, config: Config, model: BillModel) -> BillMech | None:
        bus = config.validator_bus()
        if bus == CCTALK:
            section = config.cctalk
            assert section is not None
            assert section.bills is not None
            bills: BillMech
            validator = CcTalkValidator(
                self._loop,
                address=section.bills.address,
                crc=section.bills.checksum == "crc",
            )
            self._on_cctalk.append(validator)
            bills = validator
        elif bus == MDB:
            peripheral = BillValidator(self._loop, self._rng("bills"), model)
            self._on_mdb.append(peripheral)
            bills = peripheral
        else:
            return None
        self.plugs["validator"] = Plug(bills.unplug, bills.plug)
        return bills

    # --- cards -----------------------------------------------------------------------

    def _make_reader(self, number: int, models: Mapping[int, ReaderModel]) -> CardReader:
        rng = self._rng(f"reader/{number}")
        reader = CardReader(self._loop, rng, models.get(number), number=number)
        self._on_mdb.append(reader)
        self.plugs[f"reader {number}"] = Plug(reader.lose_power, reader.plug)
        return reader

    # --- the bus ---------------------------------------------------------------------

    def _adapter(self, kind: str) -> ByteDevice:
        """What answers to `auto` is the usual one."""
        if kind == "waferstar":
            return WaferstarAdapter(self._loop, self._on_mdb)
        return QibixxAdapter(self._loop, self._on_mdb, dialect=GENERIC_MASTER)
