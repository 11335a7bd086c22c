"""Kinds of machines to run: the same cabinet with other payment devices on other buses.

Each is a drop-in beside the configuration file, as an operator would write it.
"""

import shutil
from pathlib import Path
from typing import Final

from vendd.config import Config

FULL: Final = "full"
PLAIN: Final = "plain"
_COINS_ONLY: Final = """
[bill_validator]
enabled = false

[[card_reader]]
number = 1
enabled = false
"""
_SALE: Final = """
[sale]
mixed_tender = true
"""
_READERS: Final = """
[[card_reader]]
number = 1

[[card_reader]]
number = 2
"""
_VALIDATOR: Final = """
[bill_validator]
recycle = ["5.00", "10.00"]
"""
_CCTALK: Final = """
[cctalk]
port = "/dev/vendd-cctalk"

[cctalk.coins]
country = "EU"

[[cctalk.hopper]]
coin = 2
value = "1.00"
address = 3
fed_by = 1

[[cctalk.hopper]]
coin = 3
value = "0.50"
address = 4
fed_by = 2

[[cctalk.hopper]]
coin = 4
value = "0.20"
address = 5
fed_by = 3

[[cctalk.hopper]]
coin = 5
value = "0.10"
address = 6
fed_by = 4

[cctalk.bills]
country = "EU"

[changer]
bus = "cctalk"

[bill_validator]
bus = "cctalk"
"""
MACHINES: Final = {
    PLAIN: _COINS_ONLY,
    FULL: _SALE + _VALIDATOR + _READERS,
    "one-tender": _VALIDATOR + _READERS,
    "waferstar": '[mdb]\nadapter = "waferstar"\n' + _SALE + _VALIDATOR + _READERS,
    "cctalk": _SALE + _CCTALK + _READERS,
}
"""Name -> drop-in. ``plain`` takes coins only, whatever the file says."""


def coins_only(config: Config) -> Config:
    """The same machine without what takes bills and cards."""
    return config.model_copy(update={"bill_validator": None, "card_reader": ()})


def describe(source: Path, machine: str, folder: Path) -> Path:
    """A copy of the configuration in `folder`, with its drop-ins and those of the machine."""
    kept, changes = folder / "vendd.toml", folder / "vendd.toml.d"
    shutil.copy(source, kept)
    changes.mkdir()
    for theirs in sorted(source.with_name(f"{source.name}.d").glob("*.toml")):
        shutil.copy(theirs, changes)
    if MACHINES[machine]:
        (changes / "70-machine.toml").write_text(MACHINES[machine])
    return kept
