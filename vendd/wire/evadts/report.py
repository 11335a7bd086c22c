"""An audit report as bytes: header, segments, G85 and SE (EVA-DTS 6.1.1, chapter 3).

Elements stand between asterisks, segments end with CR LF, empty elements at the end are left
out. What is not printable ASCII, and ``*`` and ``^`` themselves, is written ``^hh^``, byte by
byte in UTF-8.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from vendd.wire.evadts.crc import crc16

Segment = tuple[str, ...]
"""The segment's id, then its elements as they are meant."""

END: Final = b"\r\n"
_PLAIN: Final = frozenset(range(0x20, 0x7F)) - set(b"*^")


def write(communication_id: str, segments: Iterable[Sequence[str]]) -> bytes:
    """The whole report around `segments`, which are those between ST and G85.

    `communication_id`: 10 characters, the maker's 3 first.
    """
    body = b"".join(to_bytes(segment) for segment in (("ST", "001", "0001"), *segments))
    count = body.count(END) + 2  # G85 and SE
    return b"".join(
        (
            to_bytes(("DXS", communication_id, "VA", "V0/6", "1")),
            body,
            to_bytes(("G85", f"{crc16(body):04X}")),
            to_bytes(("SE", str(count), "0001")),
            to_bytes(("DXE", "1", "1")),
        )
    )


def to_bytes(segment: Sequence[str]) -> bytes:
    """One segment with its line end."""
    elements = list(segment)
    while len(elements) > 1 and not elements[-1]:
        elements.pop()
    return b"*".join(_escaped(element) for element in elements) + END


def _escaped(element: str) -> bytes:
    raw = element.encode("utf-8")
    return b"".join(bytes((b,)) if b in _PLAIN else b"^%02X^" % b for b in raw)
