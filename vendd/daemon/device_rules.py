"""From the configuration's words to the rules of the MDB drivers; everything is a value.

What a machine does not have is never loaded: a driver and its conversation are half a MiB.
"""

from typing import TYPE_CHECKING

from vendd.config import Config
from vendd.config.payment import CardReader
from vendd.core.money import numeric
from vendd.drivers.changer import ChangerRules, PayoutWay

if TYPE_CHECKING:
    from vendd.drivers.bill_validator import BillRules
    from vendd.drivers.cashless import CashlessRules


def changer_rules(config: Config) -> ChangerRules:
    return ChangerRules(
        currency=numeric(config.machine.currency),
        exponent=config.currency().exponent,
        poll_s=_mdb_poll_s(config),
        payout=PayoutWay(config.coin_payout()),
        removal_alarm=config.changer is None or config.changer.removal_alarm,
    )


def bill_rules(config: Config) -> "BillRules":
    """For ``[bill_validator]`` on MDB."""
    from vendd.drivers.bill_validator import BillRules

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


def cashless_rules(config: Config, reader: CardReader) -> "CashlessRules":
    from vendd.drivers.cashless import CashlessRules

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


def _mdb_poll_s(config: Config) -> float:
    assert config.mdb is not None
    return config.mdb.poll_ms / 1000


def _values(config: Config, amounts: tuple[str, ...]) -> frozenset[int]:
    return frozenset(map(config.minor, amounts))
