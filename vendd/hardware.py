"""From the config's words to the drivers': which pin is which, and what must be off (L3).

Is NOT responsible for opening anything; everything here is a value.
"""

from vendd.config import Config
from vendd.config.payment import Pulse
from vendd.config.sections import MatrixMotors
from vendd.drivers.buzzer import BuzzerSetup
from vendd.drivers.inputs import DropSensorSetup
from vendd.drivers.keypad import KeypadSetup
from vendd.drivers.motor_layout import DirectLayout, DirectMotor, MatrixLayout, MotorLayout
from vendd.drivers.motors import TurnLimits
from vendd.drivers.pins import OutputLine, Pin


def pin(config: Config, name: str) -> Pin:
    """A line by the name that a section gave it."""
    return Pin(config.pin(name), name)


def motor_layout(config: Config) -> MotorLayout:
    motors = config.motors
    if isinstance(motors, MatrixMotors):
        return MatrixLayout(
            rows={row: pin(config, name) for row, name in motors.rows.items()},
            columns=tuple(pin(config, name) for name in motors.columns),
            home=pin(config, motors.home),
            heartbeat=pin(config, motors.heartbeat),
            active_high=motors.active_high,
            home_active_low=motors.home_active_low,
        )
    return DirectLayout(
        motors={
            name: DirectMotor(pin(config, line.drive), pin(config, line.home))
            for name, line in motors.lines.items()
        },
        heartbeat=pin(config, motors.heartbeat),
        active_high=motors.active_high,
        home_active_low=motors.home_active_low,
    )


def turn_limits(config: Config) -> TurnLimits:
    return TurnLimits(leave_home_ms=config.motors.leave_home_ms, home_ms=config.motors.home_ms)


def keypad_setup(config: Config) -> KeypadSetup:
    keypad = config.keypad
    return KeypadSetup(
        rows=tuple(pin(config, name) for name in keypad.rows),
        columns=tuple(pin(config, name) for name in keypad.columns),
        keys=keypad.keys,
        clear=keypad.clear,
    )


def drop_sensor_setup(config: Config) -> DropSensorSetup | None:
    """None: there is none, or it is switched off."""
    section = config.drop_sensor
    if section is None or not section.enabled:
        return None
    return DropSensorSetup(pin(config, section.pin), active_low=section.active_low)


def buzzer_setup(config: Config) -> BuzzerSetup | None:
    return None if config.buzzer is None else BuzzerSetup(pin(config, config.buzzer.pin))


def enable_line(config: Config, pulse: Pulse) -> OutputLine | None:
    """The line that is active while a pulse acceptor takes coins."""
    if pulse.enable is None:
        return None
    return OutputLine(pin(config, pulse.enable), active_high=not pulse.enable_active_low)


def safe_lines(config: Config) -> tuple[OutputLine, ...]:
    """Every line that moves or switches something, or lets coins in; all of them belong inactive
    while no daemon runs. The heartbeat line comes first: without its edges the motor supply
    drops anyway."""
    buzzer = buzzer_setup(config)
    enables = (enable_line(config, pulse) for pulse in config.pulse)
    return (
        OutputLine(pin(config, config.motors.heartbeat)),
        *motor_layout(config).drive_lines(),
        *(() if buzzer is None else (OutputLine(buzzer.pin, buzzer.active_high),)),
        *(line for line in enables if line is not None),
    )
