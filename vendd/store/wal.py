"""The write-ahead log's own file, looked at before SQLite opens it: is it all there?

SQLite takes a log up to its first frame that does not fit, and a log that is missing for one
that was folded. Either is right after a power cut; after damage it is a silent way back to
older books. While the daemon runs a note beside the books says that the log belongs to them. The
note comes when the log is durable and goes when everything is folded, so a note without a log
is a loss.

A log may end in what a power cut left of the last transaction. But a transaction is begun only when
the one before it is synced, by the next start at the latest: where one follows another, everything
before it was durable once, and what of that does not fit is damaged. A frame's word is taken only
when its checksum fits: a header can be torn, and say "commit" of an older log. Format: SQLite,
"WAL-mode File Format".
"""

import os
import struct
import sys
from array import array
from pathlib import Path
from typing import Final

NOTE: Final = "unfolded"
_TEXT: Final = "vendd.db-wal belongs to the books: vendd will not start without it.\n"
_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MAGIC: Final = 0x377F0682  # plus 1: checksums of big-endian words
_WORD: Final = 0xFFFFFFFF
Sums = tuple[int, int]


def note(directory: Path) -> None:
    """From now on a missing log is a loss. Call it when the log is durable. Raises `OSError`."""
    if not (directory / NOTE).exists():
        descriptor = os.open(directory / NOTE, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, _TEXT.encode())
        finally:
            os.close(descriptor)
    sync_names(directory)


def folded(directory: Path) -> None:
    """All of the log is in the file, durably: it may go. Raises `OSError`."""
    (directory / NOTE).unlink(missing_ok=True)
    sync_names(directory)


def sync_names(directory: Path) -> None:
    """Make durable which files there are. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def missing(directory: Path, log: Path) -> str | None:
    """What is wrong, in words, when the log is not there and should be. Raises `OSError`.

    To be asked before SQLite opens the books: it makes a new log.
    """
    if (directory / NOTE).exists() and (not log.exists() or log.stat().st_size < _HEADER.size):
        return (
            f"{log.name} is missing or empty, and the last commits were in it: bring it back,"
            f" or, if another program has folded it into the file, remove {directory / NOTE}"
        )
    return None


def check(directory: Path, log: Path) -> str | None:
    """`damage`, and when there is none, make durable what the start is about to build on.

    The last commit of a daemon that was killed may be whole and not yet synced: a commit after it
    would vouch for it, and a power cut could still take it. Raises `OSError`.
    """
    lost = damage(directory, log)
    if lost is None and log.exists() and log.stat().st_size:
        descriptor = os.open(log, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return lost


def damage(directory: Path, log: Path) -> str | None:
    """What is wrong with the log, in words; None for all that a power cut can leave.

    To be asked when nobody else can write it. Takes some 50 microseconds per 4 KiB, and nothing
    after an orderly end. Raises `OSError`.
    """
    if not log.exists() or log.stat().st_size < _HEADER.size:
        return None
    data = log.read_bytes()
    magic, _, size, _, *salts, first, second = _HEADER.unpack_from(data)
    if magic & ~1 != _MAGIC or _sums(data[:24], (0, 0), magic) != (first, second):
        noted = (directory / NOTE).exists()
        return f"{log.name} has no valid header, and commits were in it" if noted else None
    lost = _Log(data, magic, size, (salts[0], salts[1])).lost((first, second))
    return f"{log.name} is damaged at {lost}, and later commits are in it" if lost else None


class _Log:
    """A log with a valid header."""

    def __init__(self, data: bytes, magic: int, size: int, salts: Sums) -> None:
        self._data, self._magic, self._salts = data, magic, salts
        self._length = _FRAME.size + size
        self._count = (len(data) - _HEADER.size) // self._length

    def lost(self, sums: Sums) -> str:
        """Where the log stops to fit although a later commit was followed by another; or ""."""
        fits = 0
        while fits < self._count and (following := self._fits(fits, sums)) is not None:
            sums, fits = following, fits + 1
        for number in range(fits + 1, self._count - 1):
            _, commit, *_ = self._header(number)
            if commit and self._follows(number) and self._follows(number + 1):
                return f"frame {fits + 1}"
        return ""

    def _follows(self, number: int) -> bool:
        """It is whole, and was written behind the frame that stands before it."""
        *_, first, second = self._header(number - 1)
        return self._ours(number - 1) and self._fits(number, (first, second)) is not None

    def _header(self, number: int) -> tuple[int, ...]:
        return _FRAME.unpack_from(self._data, _HEADER.size + number * self._length)

    def _ours(self, number: int) -> bool:
        """Written since the log last began anew."""
        return self._header(number)[2:4] == self._salts

    def _fits(self, number: int, sums: Sums) -> Sums | None:
        """Its checksum, if it follows on a frame with these."""
        *_, first, second = self._header(number)
        if not self._ours(number):
            return None
        start = _HEADER.size + number * self._length
        sums = _sums(self._data[start : start + 8], sums, self._magic)
        sums = _sums(self._data[start + _FRAME.size : start + self._length], sums, self._magic)
        return sums if sums == (first, second) else None


def _sums(data: bytes, sums: Sums, magic: int) -> Sums:
    """SQLite's running checksum over pairs of 32-bit words."""
    words = array("I", data)
    if (sys.byteorder == "big") != bool(magic & 1):
        words.byteswap()
    first, second = sums
    eights = iter(words[: len(words) & ~7])
    for a, b, c, d, e, f, g, h in zip(*(eights,) * 8, strict=True):
        first += a + second  # sums stay far below 64 bits; they are cut once per turn
        second += b + first
        first += c + second
        second += d + first
        first += e + second
        second += f + first
        first += g + second
        second += h + first
        first &= _WORD
        second &= _WORD
    for n in range(len(words) & ~7, len(words), 2):
        first = (first + words[n] + second) & _WORD
        second = (second + words[n + 1] + first) & _WORD
    return first, second
