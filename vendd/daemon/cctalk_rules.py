"""From ``[cctalk]`` to the drivers' words; loaded only by a machine that has such a bus."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from vendd.config import Config
from vendd.config.payment import Hopper
from vendd.core.sale.reports import Tube
from vendd.drivers.cctalk_hopper import HopperFit
from vendd.wire.cctalk.bill_validator import BillRules as CcTalkBillRules
from vendd.wire.cctalk.coin_acceptor import CoinRules
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper import HopperRules
from vendd.wire.cctalk.hopper_payout import Plain, Security, Serial

_SECURITY: Final[Mapping[str, Callable[[], Security]]] = {"serial": Serial, "plain": Plain}


def coin_rules(config: Config) -> CoinRules:
    """For ``[cctalk.coins]``."""
    assert config.cctalk is not None
    section = config.cctalk.coins
    assert section is not None
    return CoinRules(
        country=section.country,
        unit=1 if section.unit is None else config.minor(section.unit),
        values={position: config.minor(text) for position, text in section.values.items()},
        address=section.address,
        checksum=Checksum(section.checksum),
        poll_s=section.poll_ms / 1000,
    )


def hopper_fits(config: Config, tubes: Iterable[Tube]) -> tuple[HopperFit, ...]:
    """Every ``[[cctalk.hopper]]``, with what is in it according to the books."""
    assert config.cctalk is not None
    counts = {tube.type: tube.count for tube in tubes}
    return tuple(
        HopperFit(
            hopper.coin,
            config.minor(hopper.value),
            _hopper_rules(hopper),
            count=counts.get(hopper.coin - 1, 0),
            fed_by=hopper.fed_by,
            capacity=hopper.capacity,
        )
        for hopper in config.cctalk.hopper
    )


def _hopper_rules(hopper: Hopper) -> HopperRules:
    return HopperRules(
        address=hopper.address,
        checksum=Checksum(hopper.checksum),
        security=_SECURITY[hopper.security](),
        poll_s=hopper.poll_ms / 1000,
    )


def cctalk_bill_rules(config: Config) -> CcTalkBillRules:
    """For ``[cctalk.bills]``."""
    assert config.cctalk is not None
    section = config.cctalk.bills
    assert section is not None
    return CcTalkBillRules(
        country=section.country,
        exponent=config.currency().exponent,
        address=section.address,
        checksum=Checksum(section.checksum),
        poll_s=section.poll_ms / 1000,
    )
