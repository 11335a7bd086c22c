"""From the configuration's words to the rules of the payment drivers; everything is a value."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from vendd.config import Config
from vendd.config.payment import CardReader, Hopper, Pulse
from vendd.core.money import numeric
from vendd.core.sale.reports import Tube
from vendd.drivers.bill_validator import BillRules
from vendd.drivers.cashless import CashlessRules
from vendd.drivers.cctalk_hopper import HopperFit
from vendd.drivers.changer import ChangerRules, PayoutWay
from vendd.drivers.pulse import PulseSetup
from vendd.hardware import enable_line, pin
from vendd.wire.cctalk.bill_validator import BillRules as CcTalkBillRules
from vendd.wire.cctalk.coin_acceptor import CoinRules
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.hopper import HopperRules
from vendd.wire.cctalk.hopper_payout import Plain, Security, Serial
from vendd.wire.pulse import PulseRules

_SECURITY: Final[Mapping[str, Callable[[], Security]]] = {"serial": Serial, "plain": Plain}


def changer_rules(config: Config) -> ChangerRules:
    return ChangerRules(
        currency=numeric(config.machine.currency),
        exponent=config.currency().exponent,
        poll_s=_mdb_poll_s(config),
        payout=PayoutWay(config.coin_payout()),
        removal_alarm=config.changer is None or config.changer.removal_alarm,
    )


def bill_rules(config: Config) -> BillRules:
    """For ``[bill_validator]`` on MDB."""
    section = config.bill_validator
    assert section is not None
    return BillRules(
        currency=numeric(config.machine.currency),
        exponent=config.currency().exponent,
        poll_s=_mdb_poll_s(config),
        security=None if section.security is None else _values(config, section.security),
        recycle=None if section.recycle is None else _values(config, section.recycle),
        manual=_values(config, section.manual),
        by_value=section.payout == "value",
        removal_alarm=section.removal_alarm,
    )


def cashless_rules(config: Config, reader: CardReader) -> CashlessRules:
    lent = (config.display.columns, config.display.rows) if reader.lend_display else (0, 0)
    return CashlessRules(
        currency=numeric(config.machine.currency),
        exponent=config.currency().exponent,
        number=reader.number,
        level=reader.level,
        poll_s=_mdb_poll_s(config),
        wide=reader.wide,
        always_idle=reader.always_idle,
        revalue=reader.revalue and config.sale.revalue,
        age_approved=frozenset(bytes.fromhex(bits) for bits in reader.age),
        columns=lent[0],
        rows=lent[1],
    )


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


def _mdb_poll_s(config: Config) -> float:
    assert config.mdb is not None
    return config.mdb.poll_ms / 1000


def _values(config: Config, amounts: tuple[str, ...]) -> frozenset[int]:
    return frozenset(map(config.minor, amounts))
