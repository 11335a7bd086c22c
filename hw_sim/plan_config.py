"""From a machine's configuration to the cabinet that it describes."""

from hw_sim.plan import CabinetPlan, DisplayPlan, InputPlan, KeypadPlan, MotorPlan, SlotPlan
from vendd.config import Config
from vendd.config.sections import Door, DropSensor, MatrixMotors


def plan_from_config(config: Config) -> CabinetPlan:
    """Wire everything as the config says; slots are filled with their first level."""
    motors = config.motors
    keypad = config.keypad
    return CabinetPlan(
        motors=_motors(config),
        slots=tuple(
            SlotPlan(slot.selection, tuple(slot.motors), slot.product, slot.level)
            for slot in config.slot
        ),
        keypad=KeypadPlan(
            tuple(map(config.pin, keypad.rows)), tuple(map(config.pin, keypad.columns)), keypad.keys
        ),
        heartbeat=config.pin(motors.heartbeat),
        drop=_input(config, config.drop_sensor),
        door=_input(config, config.door),
        buzzer=config.pin(config.buzzer.pin) if config.buzzer else None,
        lines_active_high=motors.active_high,
        home_active_low=motors.home_active_low,
        display=DisplayPlan(config.display.columns, config.display.rows, config.display.address),
    )


def _motors(config: Config) -> tuple[MotorPlan, ...]:
    motors = config.motors
    if isinstance(motors, MatrixMotors):
        return tuple(
            MotorPlan(
                f"{row}{number}",
                (config.pin(row_pin), config.pin(column_pin)),
                config.pin(motors.home),
            )
            for row, row_pin in motors.rows.items()
            for number, column_pin in enumerate(motors.columns, 1)
        )
    return tuple(
        MotorPlan(name, (config.pin(line.drive),), config.pin(line.home))
        for name, line in motors.lines.items()
    )


def _input(config: Config, section: DropSensor | Door | None) -> InputPlan | None:
    return InputPlan(config.pin(section.pin), section.active_low) if section else None
