"""What ``vendd check`` says of the payment devices: one line each, where it is and what it does."""

from collections.abc import Iterator

from vendd.config import Config
from vendd.config.payment import CcTalk, Hopper, Pulse


def lines(config: Config) -> Iterator[str]:
    found = list(_devices(config))
    yield f"{len(found)} payment devices"
    for name, where, how in found:
        yield f"  {name:<18}{where:<34}{how}".rstrip()


def _devices(config: Config) -> Iterator[tuple[str, str, str]]:
    mdb, cctalk = config.mdb, config.cctalk
    bus = "" if mdb is None else f"MDB at {mdb.port} ({mdb.adapter})"
    match config.changer_bus():
        case "mdb":
            yield "coin changer", bus, f"payout {config.coin_payout()}"
        case "cctalk" if cctalk is not None:
            yield from _coins(cctalk)
    match config.validator_bus():
        case "mdb":
            yield "bill validator", bus, _bills(config)
        case "cctalk" if cctalk is not None and cctalk.bills is not None:
            yield "bill validator", _cctalk(cctalk, cctalk.bills.address), ""
    for reader in config.readers():
        words = [f"up to level {reader.level}"] if reader.port is None else []
        words += ["always idle"] if reader.always_idle else []
        words += ["revalue"] if reader.revalue else []
        words += [f"ages by {', '.join(reader.age)}"] if reader.age else []
        own = bus if reader.port is None else f"own adapter at {reader.port}"
        yield f"card reader {reader.number}", own, ", ".join(words)
    for pulse in config.pulse:
        yield "pulse acceptor", f"pin {pulse.pin}", _pulse(pulse)


def _coins(cctalk: CcTalk) -> Iterator[tuple[str, str, str]]:
    assert cctalk.coins is not None
    yield "coin acceptor", _cctalk(cctalk, cctalk.coins.address), ""
    for hopper in cctalk.hopper:
        yield "hopper", _cctalk(cctalk, hopper.address), _hopper(hopper)


def _cctalk(cctalk: CcTalk, address: int) -> str:
    return f"ccTalk {address} at {cctalk.port}"


def _hopper(hopper: Hopper) -> str:
    fed = "filled by hand" if hopper.fed_by is None else f"fed by exit {hopper.fed_by}"
    return f"coin {hopper.coin} of {hopper.value}, {fed}"


def _bills(config: Config) -> str:
    validator = config.bill_validator
    assert validator is not None
    if validator.recycle is None:
        return "recycles what it can"
    return f"recycles {', '.join(validator.recycle)}" if validator.recycle else "no recycling"


def _pulse(pulse: Pulse) -> str:
    coins = ", ".join(f"{n}: {value}" for n, value in sorted(pulse.coins.items()))
    return f"pulses {coins}; " + ("always on" if pulse.enable is None else f"enable {pulse.enable}")
