"""Which planogram, price list, configuration and software a machine runs, across starts."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Self

from vendd import __version__
from vendd.config import Config
from vendd.core.operator import prices
from vendd.core.planogram import Slot
from vendd.core.rows import SettingSet
from vendd.daemon.beginning import slots_now
from vendd.ports import Loaded

_SETTING: Final = "versions"


@dataclass(frozen=True, slots=True)
class Versions:
    """Numbers that grow by one whenever what they number changed. `rows` makes them durable."""

    planogram: int
    price: int
    config_hash: str
    software_before: str | None
    boot_id_before: str | None
    rows: tuple[SettingSet, ...]

    @classmethod
    def of(cls, config: Config, loaded: Loaded, boot_id: str) -> Self:
        """Compare today's configuration, and the prices set here, with the previous start."""
        before = json.loads(loaded.settings.get(_SETTING, "{}"))
        planogram, price = _hashes(slots_now(config, loaded).values())
        planogram_ver = _next(before, "planogram", planogram)
        in_life = int(loaded.settings.get(prices.VERSION, "0"))
        price_ver = max(_next(before, "price", price), in_life)
        now = {
            "planogram_hash": planogram,
            "planogram": planogram_ver,
            "price_hash": price,
            "price": price_ver,
            "software": __version__,
            "boot_id": boot_id,
        }
        return cls(
            planogram=planogram_ver,
            price=price_ver,
            config_hash=config.hash(),
            software_before=before.get("software"),
            boot_id_before=before.get("boot_id"),
            rows=(SettingSet(_SETTING, json.dumps(now, sort_keys=True)),),
        )


def _next(before: Mapping[str, object], name: str, digest: str) -> int:
    version = before.get(name, 0)
    assert isinstance(version, int)
    return version if before.get(f"{name}_hash") == digest else version + 1


def _hashes(slots: Collection[Slot]) -> tuple[str, str]:
    layout = [
        [s.selection, s.item_no, s.product.id, s.motors, s.capacity, s.par, s.threshold, s.free]
        for s in slots
    ]
    prices = [[s.selection, sorted(s.prices.items())] for s in slots]
    return _digest(layout), _digest(prices)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
