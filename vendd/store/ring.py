"""A ring of lines on disk: segments, the oldest of which goes when all together are too big.

No fsync, ever: a line is the kernel's once `append` returns, so it survives the end of the
process, however that comes. A power cut takes what the kernel has not written back yet, half
a minute's worth as a Pi is set up. The books lose nothing; they have their own file.

A segment is read while it is written: a last line without its end is not there yet.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = "flight"
SEGMENTS: Final = 16  # that a full ring consists of
_NAME: Final = re.compile(r"flight-(\d{1,12})\.jsonl")


class Ring:
    """Writes one. `folder` is made when needed; `limit` bytes, of all segments together.

    The newest segment of an earlier life is not continued. Methods raise `OSError`, after
    which the next line begins a new segment.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._room = max(1, limit // SEGMENTS)
        self._file: int | None = None
        self._path: Path | None = None
        self._size = 0

    def append(self, line: bytes, opening: Callable[[], bytes]) -> None:
        """One line, its end included. `opening` makes what a segment begins with."""
        try:
            if self._file is None or self._size + len(line) > self._room:
                self._turn_over()
                self._write(opening())
            self._write(line)
        except OSError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """No empty files, one for each line that a full disk did not take."""
        path, empty = self._path, not self._size
        self.close()
        if path is not None and empty:
            with suppress(OSError):
                path.unlink()

    def close(self) -> None:
        if self._file is not None:
            file, self._file, self._path = self._file, None, None
            os.close(file)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        while data:  # a disk that is full takes a part
            written = os.write(self._file, data)
            self._size += written
            data = data[written:]

    def _turn_over(self) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        known = segments(self._folder)
        self._make_room(known)
        number = _number(known[-1]) + 1 if known else 1
        path = self._folder / f"flight-{number:06}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._size, self._path = 0, path

    def _make_room(self, known: list[Path]) -> None:
        """For one more segment."""
        sizes = {path: path.stat().st_size for path in known}
        while sizes and sum(sizes.values()) + self._room > self._limit:
            oldest = next(iter(sizes))
            oldest.unlink(missing_ok=True)
            del sizes[oldest]


def segments(folder: Path) -> list[Path]:
    """Oldest first; none where nothing was ever recorded."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if _NAME.fullmatch(p.name)), key=_number)


def lines(folder: Path) -> Iterator[bytes]:
    """All whole lines, oldest first, while a `Ring` may be writing. Raises `OSError`."""
    for path in segments(folder):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # it was the oldest, and made room meanwhile
            continue
        whole = data[: data.rfind(b"\n") + 1]
        yield from whole.splitlines(keepends=True)


def _number(path: Path) -> int:
    name = _NAME.fullmatch(path.name)
    assert name is not None
    return int(name[1])
