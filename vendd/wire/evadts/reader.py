"""Reading audit reports of any maker: what can be understood is, what is wrong is named with its
line (EVA-DTS 6.1.1; field files are often wrong, so only some of it is an error).

An error is what makes the figures doubtful: the CRC, bytes that can't be there, a report that
is not whole. A warning is what real devices get wrong without harm: SE's count, a CRC with its
bytes swapped (before 6.0), line ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vendd.wire.evadts.crc import crc16
from vendd.wire.evadts.report import Segment

MAX_BYTES: Final = 1 << 20
"""Far above any report (they have 10 to 60 KiB); more is no audit file."""

_ID: Final = re.compile(r"[A-Z]{1,3}[0-9A-Z]{0,4}")
_HEX: Final = re.compile(r"\^([0-9A-Fa-f]{2})\^")
_LINE_END: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1; 0: the file as a whole. `grave`: the figures can't be relied on."""

    line: int
    what: str
    grave: bool

    def __str__(self) -> str:
        kind = "error" if self.grave else "warning"
        return f"line {self.line}: {kind}: {self.what}" if self.line else f"{kind}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """`segments` in order, DXS and DXE included; each with its line."""

    segments: tuple[tuple[int, Segment], ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not any(finding.grave for finding in self.findings)

    def of(self, name: str) -> list[Segment]:
        """All segments with this id."""
        return [segment for _, segment in self.segments if segment[0] == name]

    def element(self, name: str, number: int) -> str:
        """Element `number` (from 1) of the first such segment; empty if it is not there."""
        found = self.of(name)
        return found[0][number] if found and number < len(found[0]) else ""

    def amount(self, name: str, number: int) -> int:
        """An element that is a number; 0 if it is not there or none."""
        text = self.element(name, number)
        return int(text) if text.isdecimal() and text.isascii() else 0


def read(data: bytes) -> Report:
    """Never raises: whatever the bytes are, the report says what is wrong with them."""
    if len(data) > MAX_BYTES:
        return Report((), (Finding(0, f"{len(data)} bytes are no audit report", grave=True),))
    segments: list[tuple[int, Segment]] = []
    findings: list[Finding] = []
    for line, start, raw in _lines(data):
        findings += _odd_bytes(line, raw)
        segment = tuple(_plain(element) for element in raw.decode("latin-1").split("*"))
        if not _ID.fullmatch(segment[0]):
            findings.append(Finding(line, f"{segment[0][:12]!r} is no segment", grave=True))
        if segment[0] == "G85":
            findings += _check_crc(line, data[_begin(data) : start], segment)
        segments.append((line, segment))
    report = Report(tuple(segments), ())
    findings += [*_whole(report), *_count(report), *_numbers(report), *_sums(report)]
    if data and _LINE_END not in data:
        findings.append(Finding(0, "lines do not end with CR LF", grave=False))
    return Report(report.segments, tuple(sorted(findings, key=lambda f: f.line)))


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(line, where it starts, without its end) of each line that is not empty."""
    start = 0
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.rstrip(b"\r")
        if line:
            yield number, start, line
        start += len(raw) + 1


def _begin(data: bytes) -> int:
    """Where ST begins."""
    return 0 if data.startswith(b"ST*") else data.find(b"\nST*") + 1


def _plain(element: str) -> str:
    raw = _HEX.sub(lambda match: chr(int(match[1], 16)), element).encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:  # a code page of its maker
        return raw.decode("latin-1")


def _odd_bytes(line: int, raw: bytes) -> Iterator[Finding]:
    odd = [place for place, byte in enumerate(raw, 1) if not 0x20 <= byte < 0x7F]
    if odd:
        what = f"byte {raw[odd[0] - 1]:02X} at column {odd[0]} can't be in a report"
        yield Finding(line, what, grave=True)


def _check_crc(line: int, covered: bytes, segment: Segment) -> Iterator[Finding]:
    said = segment[1] if len(segment) > 1 else ""
    real = crc16(covered)
    if said == f"{real:04X}":
        return
    if said.upper() == f"{real:04X}":
        yield Finding(line, f"G85 {said} is in small letters", grave=False)
    elif said == f"{real & 0xFF:02X}{real >> 8:02X}":
        yield Finding(line, f"G85 {said} has its bytes swapped", grave=False)
    else:
        what = f"G85 says {said or 'nothing'}, the {len(covered)} bytes from ST on give {real:04X}"
        yield Finding(line, f"{what}: the report was changed or damaged", grave=True)


def _whole(report: Report) -> Iterator[Finding]:
    names = [segment[0] for _, segment in report.segments]
    for name, grave in (("DXS", False), ("ST", True), ("G85", True), ("SE", True), ("DXE", False)):
        if name not in names:
            yield Finding(0, f"there is no {name}: the report is not whole", grave=grave)
        elif names.count(name) > 1:
            yield Finding(0, f"{name} is there {names.count(name)} times", grave=grave)


def _count(report: Report) -> Iterator[Finding]:
    """SE01 counts the segments from ST to SE."""
    names = [segment[0] for _, segment in report.segments]
    if "ST" not in names or "SE" not in names:
        return
    counted = names.index("SE") - names.index("ST") + 1
    said = report.element("SE", 1)
    if said != str(counted):
        line = report.segments[names.index("SE")][0]
        what = f"SE says {said or 'nothing'} segments, there are {counted}"
        yield Finding(line, what, grave=False)


_FIGURES: Final = ("VA", "CA2", "CA3", "CA4", "CA8", "DA2", "DB2", "TA2", "PA2", "PA4", "PA8")


def _numbers(report: Report) -> Iterator[Finding]:
    for line, segment in report.segments:
        if segment[0] not in _FIGURES and not segment[0].startswith("VA"):
            continue
        for number, element in enumerate(segment[1:], 1):
            if element and not (element.isascii() and element.isdecimal()):
                what = f"{segment[0]}{number:02} is {element[:12]!r}, not a number"
                yield Finding(line, what, grave=True)


def _sums(report: Report) -> Iterator[Finding]:
    """The identities of the standard. Warnings: devices count tenders that they can't name."""
    for what, left, right in identities(report):
        if left != right:
            yield Finding(0, f"{what}: {left} is not {right}", grave=False)


def identities(report: Report) -> Iterator[tuple[str, int, int]]:
    """(in words, one side, other side) of each identity whose segments are there."""

    def total(*elements: tuple[str, int]) -> int:
        return sum(report.amount(name, number) for name, number in elements)

    tenders = (("CA2", 1), ("DA2", 1), ("DB2", 1), ("TA2", 1), ("TA2", 5))
    if report.of("VA1") and report.of("CA2"):
        yield "VA101 = CA201 + DA201 + DB201 + TA201 + TA205", total(("VA1", 1)), total(*tenders)
        interval = tuple((name, number + 2) for name, number in tenders)
        yield "VA103 = CA203 + DA203 + DB203 + TA203 + TA207", total(("VA1", 3)), total(*interval)
    if report.element("CA3", 10):
        yield (
            "CA301 = CA302 + CA303 + CA309",
            total(("CA3", 1)),
            total(("CA3", 2), ("CA3", 3), ("CA3", 9)),
        )
        yield (
            "CA305 = CA306 + CA307 + CA310",
            total(("CA3", 5)),
            total(("CA3", 6), ("CA3", 7), ("CA3", 10)),
        )
