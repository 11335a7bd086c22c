"""``vendd check``: what a configuration means, or everything that is wrong with it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from vendd.cli import devices
from vendd.config import Config, ConfigError, load_with_warnings
from vendd.config.reading import Tree
from vendd.config.wiring import HEADER, pin_uses


def check(path: Path) -> int:
    """Prints to stdout what is set, to stderr what is wrong. 0: usable, 2: not. Starts nothing."""
    try:
        config, warnings = load_with_warnings(path)
    except ConfigError as error:
        report(error)
        return 2
    for warning in warnings:
        print(warning, file=sys.stderr)
    try:
        print("\n".join(summary(config, path)), flush=True)
    except BrokenPipeError:  # `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def report(error: ConfigError) -> None:
    """Every problem on a line of its own, then their number, to stderr."""
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s' if count > 1 else ''}; nothing was started", file=sys.stderr)


def summary(config: Config, path: Path) -> Iterator[str]:
    yield f"{path}: correct"
    yield f"machine {config.machine.id}, {config.machine.currency}, configuration {config.hash()}"
    yield ""
    yield from _slots(config)
    yield ""
    yield from devices.lines(config)
    yield ""
    yield from _pins(config)


def _slots(config: Config) -> Iterator[str]:
    slots, levels = config.slots(), config.first_levels()
    yield f"{len(slots)} slots"
    yield f"  {'slot':<6}{'no':>5}  {'product':<26}{'motors':<12}{'level':>9}{'cash':>9}{'card':>9}"
    for selection, slot in slots.items():
        prices = (
            "free" if slot.free else config.amount(slot.price(name)) for name in ("cash", "card")
        )
        cash, card = prices
        level = f"{levels[selection]}/{slot.capacity}"
        yield (
            f"  {selection:<6}{slot.item_no:>5}  {slot.product.name:<26.25}"
            f"{'+'.join(slot.motors):<12}{level:>9}{cash:>9}{card:>9}"
        )


def _pins(config: Config) -> Iterator[str]:
    yield f"{len(config.pins)} pins"
    yield f"  {'pin':<18}{'BCM':>4}{'header':>8}  used by"
    uses = {pin: path for path, pin in pin_uses(config)}
    tree = Tree("")
    for name, number in sorted(config.pins.items(), key=lambda pin: pin[1]):
        used_by = tree.name(uses[name]) if name in uses else "nothing"
        yield f"  {name:<18}{number:>4}{HEADER[number]:>8}  {used_by}"
