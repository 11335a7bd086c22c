"""Checks on the payment devices: each on a bus that is there, and none that can't be used."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from vendd.config.amounts import minor, money_of
from vendd.config.draft import Draft
from vendd.config.payment import CcTalk, Pulse
from vendd.config.problems import Problem
from vendd.config.reading import Path_
from vendd.core.money import Currency
from vendd.wire.pulse import PulseRules

_ADD_MDB: Final = "add an [mdb] section with the port of its adapter"


def _devices_have_their_bus(draft: Draft) -> Iterator[Problem]:
    changer, validator = draft.changer, draft.bill_validator
    if changer is not None and changer.enabled:
        yield from _on_bus(draft, "changer", changer.bus, "coins")
    if validator is not None and validator.enabled:
        yield from _on_bus(draft, "bill_validator", validator.bus, "bills")
    for place, reader in draft.card_readers:
        if reader.enabled and reader.port is None and not draft.stands("mdb"):
            yield draft.problem(("card_reader", place), "has no bus", _ADD_MDB)


def _on_bus(draft: Draft, device: str, bus: str | None, part: str) -> Iterator[Problem]:
    if draft.stands("cctalk") and draft.cctalk is None:
        return  # wrong itself
    fitted = draft.cctalk is not None and getattr(draft.cctalk, part) is not None
    if bus == "cctalk" and not fitted:
        remedy = f'add a [cctalk.{part}] section, or write bus = "mdb"'
        yield draft.problem((device, "bus"), "finds nothing there", remedy)
    elif bus == "mdb" and fitted:
        what = f"leaves the device of [cctalk.{part}] without use"
        remedy = f'remove [cctalk.{part}], or write bus = "cctalk"'
        yield draft.problem((device, "bus"), what, remedy)
    elif not fitted and not draft.stands("mdb"):
        yield draft.problem((device,), "has no bus", _ADD_MDB)


def _coins_come_one_way(draft: Draft) -> Iterator[Problem]:
    """Without a word in [changer], two changers would be guessed at."""
    coins = draft.cctalk is not None and draft.cctalk.coins is not None
    if coins and draft.stands("mdb") and not draft.stands("changer"):
        remedy = '[changer] bus = "cctalk" uses this one, [mdb] is for the other devices then'
        yield draft.problem(("cctalk", "coins"), "stands beside an MDB bus", remedy, warning=True)


def _one_port_each(draft: Draft) -> Iterator[Problem]:
    mdb, cctalk = draft.mdb, draft.cctalk
    ports: dict[str, str] = {} if mdb is None else {mdb.port: "[mdb]"}
    others: list[tuple[Path_, str | None]] = [
        (("card_reader", place, "port"), reader.port) for place, reader in draft.card_readers
    ]
    if cctalk is not None:
        others.insert(0, (("cctalk", "port"), cctalk.port))
    if draft.dex is not None:
        others.append((("dex", "port"), draft.dex.port))
    for path, port in others:
        if port in ports:
            yield draft.problem(path, f"is that of {ports[port]} too", "a bus has its own port")
        elif port is not None:
            ports[port] = draft.tree.name(path[:-1])
    if mdb is not None and mdb.baud is not None and mdb.adapter == "auto":
        remedy = "remove it, or name the adapter"
        yield draft.problem(("mdb", "baud"), "can't be chosen with auto", remedy)
    ways = {mdb.payout if mdb else None, draft.changer.payout if draft.changer else None}
    if len(ways - {None}) > 1:
        yield draft.problem(("mdb", "payout"), "is another one in [changer]", "remove it here")


def _reader_numbers(draft: Draft) -> Iterator[Problem]:
    seen: set[int] = set()
    for place, reader in draft.card_readers:
        if reader.number in seen:
            path: Path_ = ("card_reader", place, "number")
            yield draft.problem(
                path, "is used already", "device 1 or device 2, as the reader is set"
            )
        seen.add(reader.number)


def _reader_alone(draft: Draft) -> Iterator[Problem]:
    """What an adapter that is the reader's master itself can't do."""
    for place, reader in draft.card_readers:
        for key in ("revalue", "age", "lend_display"):
            if reader.port is not None and getattr(reader, key):
                remedy = "remove it, or let the reader hang on the MDB bus (without port)"
                what = "can't be had through an adapter of its own"
                yield draft.problem(("card_reader", place, key), what, remedy)


def _cctalk_bus(draft: Draft) -> Iterator[Problem]:
    cctalk = draft.cctalk
    if cctalk is None:
        return
    if cctalk.coins is None and cctalk.bills is None:
        remedy = "add [cctalk.coins] or [cctalk.bills]"
        yield draft.problem(("cctalk",), "has neither coins nor bills", remedy)
    elif cctalk.coins is None and cctalk.hopper:
        remedy = "add [cctalk.coins]: hoppers pay the coins that an acceptor takes"
        yield draft.problem(("cctalk", "hopper"), "stands alone", remedy)
    first: dict[int, str] = {}
    for path, address in _addresses(cctalk):
        if address in first:
            what = f"is that of {first[address]}, too"
            yield draft.problem(path, what, "give each device its own address")
        first.setdefault(address, draft.tree.name(path[:-1]))


def _addresses(cctalk: CcTalk) -> Iterator[tuple[Path_, int]]:
    for name, device in (("coins", cctalk.coins), ("bills", cctalk.bills)):
        if device is not None:
            yield ("cctalk", name, "address"), device.address
    for place, hopper in enumerate(cctalk.hopper):
        yield ("cctalk", "hopper", place, "address"), hopper.address


def _hoppers(draft: Draft) -> Iterator[Problem]:
    cctalk, money = draft.cctalk, money_of(draft)
    if cctalk is None or money is None:
        return
    values = {} if cctalk.coins is None else cctalk.coins.values
    coins: set[int] = set()
    exits: set[int] = set()
    for place, hopper in enumerate(cctalk.hopper):
        if hopper.coin in coins:
            path: Path_ = ("cctalk", "hopper", place, "coin")
            yield draft.problem(path, "has a hopper already", "one hopper for each coin")
        coins.add(hopper.coin)
        if hopper.fed_by is not None and hopper.fed_by in exits:
            path = ("cctalk", "hopper", place, "fed_by")
            yield draft.problem(path, "feeds another hopper", "one hopper for each exit")
        exits |= {hopper.fed_by} if hopper.fed_by is not None else set()
        said = values.get(hopper.coin)
        if said is not None and minor(said, money) != minor(hopper.value, money):
            path = ("cctalk", "hopper", place, "value")
            what = f"is not what cctalk.coins.values says of coin {hopper.coin}: {said}"
            yield draft.problem(path, what, "write the same amount in both places")


def _pulses(draft: Draft) -> Iterator[Problem]:
    money = money_of(draft)
    for place, pulse in draft.pulses if money is not None else ():
        assert money is not None
        coins = _coins(pulse, money)
        if coins is None:
            continue  # its amounts are complained about
        try:
            conflicts = PulseRules(
                coins=coins,
                min_ms=pulse.min_ms,
                max_ms=pulse.max_ms,
                min_gap_ms=pulse.min_gap_ms,
                end_ms=pulse.end_ms,
                stuck_ms=pulse.stuck_ms,
                max_pulses=max(coins),
            ).conflicts()
        except ValueError as error:
            yield draft.problem(("pulse", place), f"can't work: {error}", "correct these times")
            continue
        if conflicts and not pulse.even_counts:
            yield draft.problem(("pulse", place, "coins"), *_ambiguous(conflicts))


def _coins(pulse: Pulse, money: Currency) -> dict[int, int] | None:
    coins = {pulses: minor(text, money) for pulses, text in pulse.coins.items()}
    good = {pulses: value for pulses, value in coins.items() if value}
    return good if len(good) == len(coins) else None


def _ambiguous(conflicts: Iterable[int]) -> tuple[str, str]:
    trains = ", ".join(map(str, conflicts))
    what = f"{trains} pulses could be several other coins as well, worth something else"
    remedy = (
        "let the acceptor send other numbers, one pulse per smallest value for all coins,"
        " or write even_counts = true"
    )
    return what, remedy


def _ages(draft: Draft) -> Iterator[Problem]:
    if len(draft.card_readers) < _entries(draft, "card_reader"):
        return  # one of them is wrong itself
    if any(reader.enabled and reader.age for _, reader in draft.card_readers):
        return
    for place, product in draft.products:
        if product.min_age:
            remedy = "write the answers that mean old enough in age of a [[card_reader]]"
            what = "can't be verified: no card reader knows ages"
            yield draft.problem(("product", place, "min_age"), what, remedy)


def _revalue(draft: Draft) -> Iterator[Problem]:
    """Putting credit on a card is asked for with zeros: no slot may be called like that."""
    if draft.sale is None or not draft.sale.revalue:
        return
    if draft.keypad is not None and "0" not in draft.keypad.legends():
        remedy = "give the keypad a 0, or remove revalue"
        yield draft.problem(("sale", "revalue"), "can't be asked for: no key is 0", remedy)
    for place, slot in draft.slots:
        if not slot.selection.strip("0"):
            what = "asks to put credit on the card (sale.revalue)"
            remedy = "name the slot otherwise"
            yield draft.problem(("slot", place, "selection"), what, remedy)


def _entries(draft: Draft, section: str) -> int:
    raw = draft.tree.values.get(section)
    return len(raw) if isinstance(raw, list) else 0


def _something_takes_money(draft: Draft) -> Iterator[Problem]:
    if any(draft.stands(name) for name in ("mdb", "cctalk", "pulse", "card_reader")):
        return
    if draft.slots and all(entry.free for _, entry in draft.slots):
        return
    remedy = "add [mdb], [cctalk] or [[pulse]]; config/ holds two complete samples"
    yield draft.problem(("mdb",), "is missing, and nothing else takes money", remedy)


CHECKS: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (
    _something_takes_money,
    _devices_have_their_bus,
    _coins_come_one_way,
    _one_port_each,
    _reader_numbers,
    _reader_alone,
    _cctalk_bus,
    _hoppers,
    _pulses,
    _ages,
    _revalue,
)
