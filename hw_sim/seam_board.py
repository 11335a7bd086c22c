"""Where a daemon is to kill itself: a page of memory that the simulator and its child share.

The child counts what it does (durable commits, writes to the serial line, writes to
GPIO) from the start of its life; the simulator reads the counts and arms one seam: before or
after the N-th of a kind.
"""

import mmap
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final

_WORD: Final = struct.Struct("<I")


class Kind(IntEnum):
    """What is counted."""

    COMMIT = 1
    PTY = 2
    GPIO = 3


class When(IntEnum):
    BEFORE = 0
    AFTER = 1


# words of the page: 0 unused, 1-3 counts by kind, 4 armed kind, 5 when, 6 number, 7 stall in ms
_ARMED, _WHEN, _NUMBER, _STALL, _WORDS = 4, 5, 6, 7, 8


class SeamBoard:
    """Both sides' view. One thread of the child counts each kind; words are written whole."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size < _WORDS * _WORD.size:
            path.write_bytes(bytes(_WORDS * _WORD.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _WORDS * _WORD.size)

    def close(self) -> None:
        self._page.close()

    # --- the simulator's side ---------------------------------------------------------

    def clear(self) -> None:
        """Nothing counted, nothing armed: before each life."""
        for word in (_ARMED, *Kind, _WHEN, _NUMBER, _STALL):
            self._put(word, 0)

    def count(self, kind: Kind) -> int:
        return self._get(kind)

    def arm(self, kind: Kind, when: When, ahead: int, stall_ms: int = 0) -> int:
        """The seam before or after the `ahead`-th (from 1) of a kind from now on; its number
        from the start of the life. `stall_ms`: it hangs there that long before it dies."""
        number = self.count(kind) + ahead
        self._put(_STALL, stall_ms)
        self._put(_WHEN, when)
        self._put(_NUMBER, number)
        self._put(_ARMED, kind)
        return number

    # --- the child's side ---------------------------------------------------------------

    def begins(self, kind: Kind) -> int | None:
        """The next of this kind is about to happen. Not None: die here, after that many ms."""
        self._put(kind, self.count(kind) + 1)
        return self._due(kind, When.BEFORE)

    def done(self, kind: Kind) -> int | None:
        """It has happened, and nobody was told. Not None: die here, after that many ms."""
        return self._due(kind, When.AFTER)

    def _due(self, kind: Kind, when: When) -> int | None:
        armed = self._get(_ARMED) == kind and self._get(_WHEN) == when
        if armed and self.count(kind) >= self._get(_NUMBER):
            return self._get(_STALL)
        return None

    def _get(self, word: int) -> int:
        value: int = _WORD.unpack_from(self._page, word * _WORD.size)[0]
        return value

    def _put(self, word: int, value: int) -> None:
        _WORD.pack_into(self._page, word * _WORD.size, value)
