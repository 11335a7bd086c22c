"""The drivers of one machine, opened together and closed in the right order."""

import asyncio

import structlog

from vendd.config import Config
from vendd.daemon.tenders import Ground, Kept, Tenders
from vendd.drivers.buzzer import Buzzer
from vendd.drivers.inputs import Door, DoorSetup, DropSensor
from vendd.drivers.keypad import Keypad
from vendd.drivers.motors import SpiralMotors
from vendd.drivers.pins import PinFactory, PinTrouble, probe
from vendd.hardware import (
    buzzer_setup,
    drop_sensor_setup,
    keypad_setup,
    motor_layout,
    pin,
    turn_limits,
)
from vendd.ports import Sink
from vendd.services.payment import Devices

PROBE_S = 1.0
_log = structlog.get_logger()


class Hardware:
    """Every device of one machine. Construction drives all motor lines inactive."""

    def __init__(self, config: Config, ground: Ground, kept: Kept) -> None:
        factory, loop, sink = ground.open_pins(), ground.loop, ground.sink
        self._factory = factory
        self._config = config
        self.motors = SpiralMotors(motor_layout(config), turn_limits(config), factory, loop, sink)
        self.keypad = Keypad(keypad_setup(config), factory, loop, sink)
        self.drop_sensor = _drop_sensor(config, factory, loop, sink)
        self.door = _door(config, factory, loop, sink)
        self.buzzer = _buzzer(config, factory, loop)
        self.tenders = Tenders(config, ground, kept, factory)

    @property
    def devices(self) -> Devices:
        """Those that take and give money."""
        return self.tenders.devices

    def start(self) -> None:
        """From here on reports come in."""
        for device in (self.drop_sensor, self.door, self.keypad, self.tenders):
            if device is not None:
                device.start()

    async def watch_pins(self) -> None:
        """Raises `PinTrouble` once no edge can ever come again (a pigpio daemon that died)."""
        while True:
            await asyncio.sleep(PROBE_S)
            probe(self._factory)

    def close(self) -> None:
        """Motors first; what fails on the way does not stop the rest."""
        devices = (
            self.motors,
            self.tenders,
            self.keypad,
            self.drop_sensor,
            self.door,
            self.buzzer,
            self._factory,
        )
        for device in devices:
            if device is None:
                continue
            try:
                device.close()
            except PinTrouble as trouble:
                _log.error("device_not_closed", device=type(device).__name__, why=str(trouble))


def _drop_sensor(
    config: Config, factory: PinFactory, loop: asyncio.AbstractEventLoop, sink: Sink
) -> DropSensor | None:
    setup = drop_sensor_setup(config)
    return None if setup is None else DropSensor(setup, factory, loop, sink)


def _door(
    config: Config, factory: PinFactory, loop: asyncio.AbstractEventLoop, sink: Sink
) -> Door | None:
    if config.door is None:
        return None
    setup = DoorSetup(pin(config, config.door.pin), config.door.active_low)
    return Door(setup, factory, loop, sink)


def _buzzer(config: Config, factory: PinFactory, loop: asyncio.AbstractEventLoop) -> Buzzer | None:
    setup = buzzer_setup(config)
    return None if setup is None else Buzzer(setup, factory, loop)
