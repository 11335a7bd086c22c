"""From ``[[pulse]]`` to the driver's words; loaded only by a machine that has one."""

from vendd.config import Config
from vendd.config.payment import Pulse
from vendd.drivers.pulse import PulseSetup
from vendd.hardware import enable_line, pin
from vendd.wire.pulse import PulseRules


def pulse_setup(config: Config, pulse: Pulse, number: int) -> PulseSetup:
    """The `number`-th ``[[pulse]]``, from 1: the first has the plain name."""
    coins = {pulses: config.minor(text) for pulses, text in pulse.coins.items()}
    rules = PulseRules(
        coins=coins,
        min_ms=pulse.min_ms,
        max_ms=pulse.max_ms,
        min_gap_ms=pulse.min_gap_ms,
        end_ms=pulse.end_ms,
        stuck_ms=pulse.stuck_ms,
        max_pulses=max(coins),
        even_counts=pulse.even_counts,
    )
    device = "coin_acceptor" if number == 1 else f"coin_acceptor_{number}"
    line = enable_line(config, pulse)
    return PulseSetup(pin(config, pulse.pin), rules, pulse.active_low, line, device)
