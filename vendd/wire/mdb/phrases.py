"""What the sentences about all MDB devices have in common: amounts, types, bits, plain answers."""

from collections.abc import Iterable, Sequence
from typing import Final

from vendd.wire.mdb.exchange import Answer, Reply

PLAIN: Final = {
    Answer.ACK: "ACK",
    Answer.NAK: "NAK",
    Answer.SILENCE: "no answer",
    Answer.GARBLED: "garbled (bad checksum)",
    Answer.LOST: "lost behind the adapter",
}
FTL: Final = {0xFA: "REQUEST TO RECEIVE", 0xFB: "RETRY/DENY", 0xFC: "SEND BLOCK",
              0xFD: "OK TO SEND", 0xFE: "REQUEST TO SEND"}  # fmt: skip


def hexed(data: bytes) -> str:
    """``0B 01 FF``."""
    return data.hex(" ").upper()


def amount(units: int, scale: int, decimals: int) -> str:
    """`units` of a device in its own decimals: ``0.50``."""
    raw = units * scale
    if not 0 < decimals <= 9:
        return str(raw)
    whole, rest = divmod(raw, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def mask(bits: int, width: int = 16) -> str:
    """The numbers of the bits that are set: ``0-3, 7``; ``none`` and ``all`` where it is so."""
    if not bits:
        return "none"
    if bits == (1 << width) - 1:
        return "all"
    runs: list[list[int]] = []
    for number in (n for n in range(width) if bits >> n & 1):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def counts(numbers: Sequence[int]) -> str:
    """Those that are not 0: ``12 of type 2, 1 of type 5``."""
    return ", ".join(f"{n} of type {t}" for t, n in enumerate(numbers) if n) or "nothing"


def options(value: int, names: Sequence[str]) -> str:
    """The names of the bits that are set; the number of a bit without one."""
    found = [
        names[bit] if bit < len(names) else f"bit {bit}" for bit in range(32) if value >> bit & 1
    ]
    return ", ".join(found) or "none"


def listed(told: Iterable[str]) -> str:
    """Several things in one answer."""
    return "; ".join(told) or "nothing"


def plain(reply: Reply) -> str:
    """An answer without data, or one whose bytes have no meaning here."""
    return PLAIN.get(reply.answer) or hexed(reply.data)


def identity(it: object) -> str:
    """Manufacturer, model, serial and software as the device told them."""
    names = ("manufacturer", "model", "serial", "software")
    told = [str(getattr(it, name)) for name in names]
    return f"{told[0] or '?'} {told[1] or '?'}, serial {told[2] or '?'}, software {told[3] or '?'}"
