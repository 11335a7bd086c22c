"""Drive every motor and relay line inactive: what runs after the daemon is gone (L3).

A Pi keeps the level of an output whose process died. Safe to repeat, and to run on a machine
whose lines are inactive already.
"""

from collections.abc import Callable, Iterable

from vendd.drivers.pins import Output, OutputLine, PinFactory, PinTrouble


def safe_all(factory: PinFactory, lines: Iterable[OutputLine], say: Callable[[str], None]) -> bool:
    """Open each line inactive and release it; `say` gets one line of text for each. One that
    fails doesn't stop the others. True when all of them are inactive for certain."""
    all_safe = True
    for line in lines:
        level = "low" if line.active_high else "high"
        try:
            Output(factory, line).close()
        except PinTrouble as error:
            all_safe = False
            say(f"NOT SAFE: {error}")
        else:
            say(f"{line.pin}: inactive ({level})")
    return all_safe
