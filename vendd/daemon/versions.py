"""Which planogram, price list, configuration and software a machine runs, across starts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from vendd import __version__
from vendd.config import Config
from vendd.core.rows import SettingSet

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
    def of(cls, config: Config, settings: Mapping[str, str], boot_id: str) -> Self:
        """Compare today's configuration with the one of the previous start."""
        before = json.loads(settings.get(_SETTING, "{}"))
        planogram, price = _hashes(config)
        planogram_ver = _next(before, "planogram", planogram)
        price_ver = _next(before, "price", price)
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


def _hashes(config: Config) -> tuple[str, str]:
    slots = config.slots().values()
    layout = [
        [s.selection, s.item_no, s.product.id, s.motors, s.capacity, s.par, s.threshold, s.free]
        for s in slots
    ]
    prices = [[s.selection, sorted(s.prices.items())] for s in slots]
    return _digest(layout), _digest(prices)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
