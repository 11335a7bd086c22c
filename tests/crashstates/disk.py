"""What a disk may hold after a power cut: the crash model, for one directory.

Files: what an fsync covered is there. Of what was written since, every sector of 512 bytes has
any of the contents it had since then, each by itself, and the size is any of the sizes; a file
that grew without its data reads zeros. Names: their changes survive in order, up to any point
after the last fsync of the directory. An fsync of a file vouches for nothing but that file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.crashstates.operations import (
    Created,
    DirectorySynced,
    Operation,
    Removed,
    Renamed,
    Resized,
    Synced,
    Written,
)

SECTOR: Final = 512
Kept = Callable[[int, int], bool]
"""Whether the content that operation number N gave to a sector may be the last one there."""


@dataclass(slots=True)
class File:
    """One file: what is durable, what a reader sees, and every content since the last fsync."""

    durable: bytearray = field(default_factory=bytearray)
    current: bytearray = field(default_factory=bytearray)
    contents: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def write(self, number: int, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > len(self.current):
            self.current.extend(bytes(end - len(self.current)))
            self.sizes.append((number, end))
        self.current[offset:end] = data
        self._note(number, offset // SECTOR, -(-end // SECTOR))

    def resize(self, number: int, size: int) -> None:
        before = len(self.current)
        if size == before:
            return
        if size < before:
            del self.current[size:]
        else:
            self.current.extend(bytes(size - before))
        self.sizes.append((number, size))
        self._note(number, min(size, before) // SECTOR, -(-max(size, before) // SECTOR))

    def _note(self, number: int, first: int, behind: int) -> None:
        for sector in range(first, behind):
            content = bytes(self.current[sector * SECTOR : (sector + 1) * SECTOR])
            self.contents.setdefault(sector, []).append((number, content.ljust(SECTOR, b"\0")))

    def sync(self) -> None:
        del self.durable[len(self.current) :]
        self.durable.extend(bytes(len(self.current) - len(self.durable)))
        for sector in self.contents:
            piece = slice(sector * SECTOR, (sector + 1) * SECTOR)
            self.durable[piece] = self.current[piece]
        self.contents.clear()
        self.sizes.clear()

    @property
    def pending(self) -> list[int]:
        """Numbers of the operations that no fsync covered yet, in order."""
        numbers = {number for number, _ in self.sizes}
        for row in self.contents.values():
            numbers.update([number for number, _ in row])
        return sorted(numbers)

    def after_cut(self, kept: Kept, size: int) -> bytes:
        """The file with these contents kept, and that size."""
        image = bytearray(self.durable[:size])
        image.extend(bytes(size - len(image)))
        for sector, row in self.contents.items():
            start = sector * SECTOR
            if start >= size:
                continue
            for number, content in reversed(row):
                if kept(sector, number):
                    image[start : start + SECTOR] = content
                    break
        return bytes(image[:size])

    def size_after(self, number: int) -> int:
        """Its size when that operation and everything before it is on the disk."""
        sizes = [size for n, size in self.sizes if n <= number]
        return sizes[-1] if sizes else len(self.durable)


@dataclass(slots=True)
class Disk:
    """`syncs` False: a disk that ignores every fsync, as with `synchronous = OFF`."""

    syncs: bool = True
    files: dict[int, File] = field(default_factory=dict)
    names: list[Mapping[str, int]] = field(default_factory=lambda: [{}])
    """The names as they were durable last, and after each change since."""

    def apply(self, number: int, operation: Operation) -> bool:
        """Do it; False for what changes nothing on a disk."""
        match operation:
            case Created(_, name, file):
                self.files[file] = File()
                self.names.append({**self.names[-1], name: file})
            case Written(_, file, offset, data):
                self.files[file].write(number, offset, data)
            case Resized(_, file, size):
                self.files[file].resize(number, size)
            case Synced(_, file):
                if self.syncs:
                    self.files[file].sync()
            case DirectorySynced():
                if self.syncs:
                    self.names = self.names[-1:]
            case Renamed(_, old, new):
                names = dict(self.names[-1])
                names[new] = names.pop(old)
                self.names.append(names)
            case Removed(_, name):
                self.names.append({n: f for n, f in self.names[-1].items() if n != name})
            case _:
                return False
        return True
