"""The payment devices of one machine, as configured: each on its bus, with what it has to know.

Is NOT responsible for what they are told to do (`services.payment`).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from vendd.config import Config
from vendd.config.payment import CardReader
from vendd.core.sale.pieces import Payout
from vendd.core.sale.reports import Tube
from vendd.core.sale.tenders import BILLS, CARD, COINS
from vendd.daemon import device_rules as rules
from vendd.daemon.media import MediaSink
from vendd.drivers.changer import MdbChanger
from vendd.drivers.coin_desk import CoinDesk
from vendd.drivers.mdb_bus import MdbBus
from vendd.drivers.pins import PinFactory
from vendd.ports import BillValidator, Cashless, Changer, Sink, WallClock, WireOpener
from vendd.services.payment import Devices
from vendd.wire.qibixx import BAUD

if TYPE_CHECKING:
    from vendd.drivers.cctalk_bus import CcTalkBus
    from vendd.drivers.cctalk_coins import CcTalkCoins
    from vendd.drivers.qibixx_cashless import QibixxCashless
    from vendd.wire.cctalk.news import Evidence

COINS_AT: Final = "cctalk_coins"
BILLS_AT: Final = "cctalk_bills"
HOPPER_AT: Final = "cctalk_hopper_"


class Bus(Protocol):
    """What is started with the daemon and closed with it."""

    def start(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What earlier lives left: settings and tube counts of the books. `note`: see `Inbox.note`.
    `payout`: coins that were on their way out when the last life ended."""

    settings: Mapping[str, str]
    tubes: tuple[Tube, ...]
    note: Callable[[str, str], None]
    payout: Payout | None = None

    def number(self, name: str) -> int | None:
        text = self.settings.get(name)
        return None if text is None else int(json.loads(text))

    def evidence(self) -> "dict[int, Evidence]":
        """How hoppers stood before their last payout, by coin type."""
        from vendd.wire.cctalk.news import Evidence

        return {
            int(name.removeprefix(HOPPER_AT)): Evidence(**json.loads(text))
            for name, text in self.settings.items()
            if name.startswith(HOPPER_AT)
        }


@dataclass(frozen=True, slots=True)
class Ground:
    """What the devices stand on. `media_key`: see `daemon.media`."""

    loop: asyncio.AbstractEventLoop
    open_pins: Callable[[], PinFactory]
    open_wire: WireOpener
    sink: Sink
    alive: Callable[[str], None]  # a bus of that name moved on
    wall: WallClock
    media_key: bytes


class Tenders:
    """`devices` for the payment service; `start` and `close` for whoever owns the hardware."""

    def __init__(self, config: Config, ground: Ground, kept: Kept, pins: PinFactory) -> None:
        self._config = config
        self._ground = ground
        self._pins = pins
        self._kept = kept
        self._buses: list[Bus] = []
        self.mdb = self._open_mdb()
        self.cctalk = self._open_cctalk()
        validator = self._validator()
        changer = self._coins()
        self.devices = Devices(changer, validator, self._readers())

    def start(self) -> None:
        """From here on the buses are polled."""
        for bus in self._buses:
            bus.start()

    def close(self) -> None:
        """Pulse acceptors refuse coins from now on, the lines are free. Raises `PinTrouble`."""
        for bus in reversed(self._buses):
            bus.close()

    # --- the buses -------------------------------------------------------------------

    def _open_mdb(self) -> MdbBus | None:
        section, ground = self._config.mdb, self._ground
        if section is None:
            return None
        opener, port, sink = ground.open_wire, section.port, ground.sink
        alive = partial(ground.alive, "mdb")
        bus: MdbBus
        if section.adapter == "auto":
            from vendd.drivers.adapter_search import AutoBus

            bus = AutoBus(opener, port, sink, alive=alive)
        elif section.adapter == "waferstar":
            from vendd.drivers.waferstar import waferstar_bus

            bus = waferstar_bus(opener, port, sink, alive=alive)
        else:
            bus = MdbBus(opener, port, section.baud or BAUD, sink, alive=alive)
        self._buses.append(bus)
        return bus

    def _open_cctalk(self) -> "CcTalkBus | None":
        section, ground = self._config.cctalk, self._ground
        if section is None:
            return None
        from vendd.drivers.cctalk_bus import CcTalkBus

        alive = partial(ground.alive, "cctalk")
        bus = CcTalkBus(ground.open_wire, section.port, ground.sink, baud=section.baud, alive=alive)
        self._buses.append(bus)
        return bus

    # --- the devices -----------------------------------------------------------------

    def _coins(self) -> Changer | None:
        """The changer, if there is one, and all pulse acceptors behind it."""
        config = self._config
        desk = CoinDesk(self._ground.sink)
        match config.changer_bus():
            case "mdb":
                assert self.mdb is not None
                desk.add(MdbChanger(self.mdb, desk.place(), rules.changer_rules(config)))
            case "cctalk":
                desk.add(self._cctalk_coins(desk.place()))
        if config.pulse:
            self._pulses(desk)
        return desk.whole()

    def _pulses(self, desk: CoinDesk) -> None:
        from vendd.daemon.pulse_rules import pulse_setup
        from vendd.drivers.pulse import PulseAcceptor

        ground = self._ground
        for number, pulse in enumerate(self._config.pulse, 1):
            setup = pulse_setup(self._config, pulse, number)
            acceptor = PulseAcceptor(setup, self._pins, ground.loop, desk.place())
            self._buses.append(acceptor)
            desk.add(acceptor)

    def _cctalk_coins(self, sink: Sink) -> "CcTalkCoins":
        from vendd.daemon.cctalk_rules import coin_rules, hopper_fits
        from vendd.drivers.cctalk_coins import CcTalkCoins, CoinsKept

        config, kept = self._config, self._kept
        assert self.cctalk is not None
        coins = CcTalkCoins(
            self.cctalk,
            sink,
            coin_rules(config),
            hopper_fits(config, kept.tubes),
            counter=kept.number(COINS_AT),
            keep=CoinsKept(partial(self._note_number, COINS_AT), self._note_evidence),
        )
        payout = kept.payout
        if payout is not None and payout.asked and payout.out == "coins":
            coins.recover(payout.id, payout.coins, kept.evidence())
        return coins

    def _validator(self) -> BillValidator | None:
        config, sink = self._config, self._ground.sink
        match config.validator_bus():
            case "mdb":
                from vendd.drivers.bill_validator import MdbBillValidator

                assert self.mdb is not None
                return MdbBillValidator(self.mdb, sink, rules.bill_rules(config))
            case "cctalk":
                from vendd.daemon.cctalk_rules import cctalk_bill_rules
                from vendd.drivers.cctalk_bills import CcTalkBills

                assert self.cctalk is not None
                return CcTalkBills(
                    self.cctalk,
                    sink,
                    cctalk_bill_rules(config),
                    counter=self._kept.number(BILLS_AT),
                    note=partial(self._note_number, BILLS_AT),
                )
            case _:
                return None

    def _readers(self) -> dict[int, Cashless]:
        """Held: none is reset before the machine has settled what an earlier life left open."""
        config, ground = self._config, self._ground
        sink = MediaSink(ground.sink, ground.media_key)
        readers: dict[int, Cashless] = {}
        for reader in config.readers():
            if reader.port is not None:
                readers[reader.number] = self._reader_alone(reader, reader.port, sink)
                continue
            from vendd.drivers.cashless import MdbCashless

            assert self.mdb is not None
            rules_ = rules.cashless_rules(config, reader)
            readers[reader.number] = MdbCashless(
                self.mdb, sink, rules_, held=True, clock=ground.wall
            )
        return readers

    def _reader_alone(self, reader: CardReader, port: str, sink: Sink) -> "QibixxCashless":
        from vendd.drivers.qibixx_cashless import QibixxCashless
        from vendd.wire.qibixx_cashless import NativeReader

        exponent = self._config.currency().exponent
        machine = NativeReader(exponent, always_idle=reader.always_idle, held=True)
        driver = QibixxCashless(self._ground.open_wire, port, sink, reader.number, machine)
        self._buses.append(driver)
        return driver

    # --- what has to survive -----------------------------------------------------------

    def _note_number(self, name: str, number: int) -> None:
        self._kept.note(name, str(number))

    def _note_evidence(self, coin_type: int, evidence: "Evidence") -> None:
        self._kept.note(f"{HOPPER_AT}{coin_type}", json.dumps(asdict(evidence)))


def on_bus(config: Config) -> dict[str, tuple[str, ...]]:
    """The tenders whose devices hang on each bus: what is gone when it is."""
    coins, bills = config.changer_bus(), config.validator_bus()
    on_mdb = any(reader.port is None for reader in config.readers())
    return {
        bus: (
            *((COINS,) if coins == bus else ()),
            *((BILLS,) if bills == bus else ()),
            *((CARD,) if bus == "mdb" and on_mdb else ()),
        )
        for bus in ("mdb", "cctalk")
    }
