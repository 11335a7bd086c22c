"""The drivers of a replay, set up as those of the recording were, as far as it shows.

The recording's header names the currency, the poll interval and how the changer pays. What
else a configuration says is read off the commands: the level that was announced to a reader
and the display lent to it, the options that were enabled, security and manual dispense of bills.
"""

from collections.abc import Iterable
from typing import Final

from hw_sim.replay.actors import Actor, bits
from hw_sim.replay.bills import BillActor
from hw_sim.replay.cards import CardActor, held
from hw_sim.replay.coins import CoinActor
from hw_sim.replay.exchanges import Exchange
from vendd.core.money import Currency, currency, numeric
from vendd.drivers.bill_validator import BillRules, MdbBillValidator
from vendd.drivers.cashless import CashlessRules, MdbCashless
from vendd.drivers.changer import ChangerRules, MdbChanger, PayoutWay
from vendd.drivers.mdb_bus import MdbBus
from vendd.ports import Sink
from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.bill_validator_data import Setup
from vendd.wire.mdb.cashless_data import ReaderConfig, Units
from vendd.wire.mdb.changer_data import Malformed
from vendd.wire.mdb.exchange import Answer
from vendd.wire.mdb.words import BILLS, CHANGER, READER_1, READER_2
from vendd.wire.trace import BadTrace, Header

DEVICES: Final = (CHANGER, BILLS, READER_1, READER_2)
_POLL_S: Final = 0.1


def cast(
    header: Header, scripts: dict[int, list[Exchange]], bus: MdbBus, sink: Sink
) -> list[Actor]:
    """A driver for each device that was spoken to, attached to `bus`, with its orders.
    Raises `BadTrace` where the recording can't be played."""
    money = _currency(header)
    poll_s = header.poll_ms / 1000 if header.poll_ms else _POLL_S
    actors: list[Actor] = []
    for address, exchanges in scripts.items():
        if address == CHANGER:
            rules = ChangerRules(numeric(money.code), money.exponent, poll_s, _payout(header))
            actors.append(CoinActor(MdbChanger(bus, sink, rules), exchanges))
        elif address == BILLS:
            bills = _bill_rules(exchanges, money, poll_s)
            actors.append(BillActor(MdbBillValidator(bus, sink, bills), exchanges))
        else:
            number = 1 if address == READER_1 else 2
            card_rules = _card_rules(exchanges, money, poll_s, number)
            driver = MdbCashless(bus, sink, card_rules, held=held(exchanges))
            units = _units(exchanges, money.exponent)
            actors.append(CardActor(driver, exchanges, units))
    return actors


def _currency(header: Header) -> Currency:
    try:
        return currency(header.currency)
    except ValueError as error:
        raise BadTrace(f"the header's currency: {error}") from error


def _payout(header: Header) -> PayoutWay:
    try:
        return PayoutWay(header.payout or "auto")
    except ValueError as error:
        raise BadTrace(f"the header's payout {header.payout[:20]!r} is not known") from error


def _bill_rules(exchanges: list[Exchange], money: Currency, poll_s: float) -> BillRules:
    values = _bill_values(exchanges, money.exponent)
    enabled = [it.command for it in exchanges if it.command[:2] == b"\x37\x01"]
    recycles = not enabled or bool(int.from_bytes(enabled[0][2:6], "big") & bd.RECYCLING)
    security, recycle, manual = None, None if recycles else frozenset[int](), frozenset[int]()
    for it in exchanges:
        if it.command[0] == 0x32:
            security = _worth(bits(int.from_bytes(it.command[1:3], "big")), values)
        elif it.command[:2] == b"\x37\x04":
            manual = _worth(bits(int.from_bytes(it.command[2:4], "big")), values)
            taken = [type_ for type_, quality in enumerate(it.command[4:20]) if quality]
            recycle = None if len(taken) == bd.TYPES else _worth(taken, values)
    return BillRules(
        numeric(money.code),
        money.exponent,
        poll_s,
        security=security,
        recycle=recycle,
        manual=manual,
        by_value=any(it.command[:2] == b"\x37\x07" for it in exchanges),
    )


def _bill_values(exchanges: list[Exchange], exponent: int) -> tuple[int, ...]:
    """Minor units per bill type, as the validator said in the recording."""
    for it in exchanges:
        if it.command == bd.SETUP and it.reply.answer is Answer.DATA:
            try:
                return Setup.from_bytes(it.reply.data).values(exponent)
            except Malformed:
                continue
    return (0,) * bd.TYPES


def _worth(types: Iterable[int], values: tuple[int, ...]) -> frozenset[int]:
    return frozenset(values[type_] for type_ in types if values[type_])


def _card_rules(
    exchanges: list[Exchange], money: Currency, poll_s: float, number: int
) -> CashlessRules:
    usual = CashlessRules(numeric(money.code), money.exponent)
    said = [bytes((it.command[0] & 7,)) + it.command[1:] for it in exchanges]
    announced = next((c for c in said if c[:2] == b"\x01\x00" and len(c) >= 6), b"")
    enabled = [int.from_bytes(c[2:6], "big") for c in said if c[:2] == b"\x07\x04"]
    named = next((c[2:] for c in said if c[:2] == b"\x07\x00"), usual.vmc)
    return CashlessRules(
        numeric(money.code),
        money.exponent,
        number,
        level=announced[2] if announced else usual.level,
        poll_s=poll_s,
        wide=not enabled or bool(enabled[0] & cd.WIDE_AMOUNTS),
        always_idle=not enabled or bool(enabled[0] & cd.ALWAYS_IDLE),
        revalue=any(c[:1] == b"\x05" for c in said),
        columns=announced[3] if announced else 0,
        rows=announced[4] if announced else 0,
        vmc=named,
    )


def _units(exchanges: list[Exchange], exponent: int) -> Units:
    """How the reader counts, as it said in the recording."""
    for it in exchanges:
        if it.reply.answer is Answer.DATA:
            try:
                return Units.of(ReaderConfig.from_bytes(it.reply.data), exponent)
            except Malformed:
                continue
    return Units(1, 0)
