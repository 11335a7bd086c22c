"""What the traced calls did to one directory: creations, writes, syncs, in order.

Is NOT responsible for what survives a power cut (`disk`). A call that could change the directory
in a way this model does not know is an error, never overlooked.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.crashstates.calls import Call, TraceNotUnderstood


@dataclass(frozen=True, slots=True)
class Operation:
    """`at`: when it began, seconds since 1970."""

    at: float


@dataclass(frozen=True, slots=True)
class Created(Operation):
    """A new, empty file under a name that was free."""

    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Written(Operation):
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized(Operation):
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced(Operation):
    """All that was written to that file is durable from now on."""

    file: int


@dataclass(frozen=True, slots=True)
class DirectorySynced(Operation):
    """All names are durable from now on."""


@dataclass(frozen=True, slots=True)
class Renamed(Operation):
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Removed(Operation):
    name: str


@dataclass(frozen=True, slots=True)
class Marked(Operation):
    """What the recorded program told of itself, in the order of its calls."""

    text: str


_DIRECTORY: Final = -1
_UNKNOWN: Final = frozenset(
    {"dup", "dup2", "dup3", "pwritev", "pwritev2", "sendfile", "copy_file_range", "fallocate"}
    | {"truncate", "msync", "link", "linkat", "symlink", "symlinkat"}
    | {"sync_file_range", "creat"}
)


@dataclass(slots=True)
class _Handle:
    file: int
    offset: int = 0
    append: bool = False


@dataclass(slots=True)
class Operations:
    """Feed it the calls of one life after the other. `directory` is there from the beginning;
    `marks`: the file whose lines are marks."""

    directory: Path
    marks: Path
    _names: dict[str, int] = field(default_factory=dict)
    _sizes: dict[int, int] = field(default_factory=dict)
    _handles: dict[int, _Handle] = field(default_factory=dict)

    def of_life(self, calls: Iterable[Call]) -> Iterator[Operation]:
        """The operations of one process from its start to its end."""
        self._handles.clear()
        for call in calls:
            if call.result >= 0:
                yield from self._of(call)

    def _of(self, call: Call) -> Iterator[Operation]:
        match call.name:
            case "open" | "openat":
                yield from self._open(call)
            case "close":
                self._handles.pop(call.files[0][0], None)
            case "write" | "writev" if call.files and call.files[0][1] == str(self.marks):
                yield from (Marked(call.at, line) for line in call.texts[0].decode().splitlines())
            case "write" | "writev" | "pwrite64":
                yield from self._write(call)
            case "lseek" | "ftruncate" | "fsync" | "fdatasync":
                yield from self._by_handle(call)
            case "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat":
                yield from self._names_changed(call)
            case "sync" | "syncfs":
                yield DirectorySynced(call.at)
                yield from (Synced(call.at, file) for file in self._sizes)
            case _:
                self._refuse(call)

    def _open(self, call: Call) -> Iterator[Operation]:
        path = self._path(call, 0)
        if path == self.directory:
            self._handles[call.result] = _Handle(_DIRECTORY)
        if path.parent != self.directory:
            return
        flags = call.arguments
        file = self._names.get(path.name)
        if file is None:
            file = self._names[path.name] = len(self._sizes)
            self._sizes[file] = 0
            yield Created(call.at, path.name, file)
        elif "O_TRUNC" in flags:
            self._sizes[file] = 0
            yield Resized(call.at, file, 0)
        self._handles[call.result] = _Handle(file, append="O_APPEND" in flags)

    def _write(self, call: Call) -> Iterator[Operation]:
        handle = self._handle(call)
        if handle is None:
            return
        data = b"".join(call.texts)[: call.result]
        if call.name == "pwrite64":
            offset = call.number(3)
        else:
            offset = self._sizes[handle.file] if handle.append else handle.offset
            handle.offset = offset + len(data)
        self._sizes[handle.file] = max(self._sizes[handle.file], offset + len(data))
        yield Written(call.at, handle.file, offset, data)

    def _by_handle(self, call: Call) -> Iterator[Operation]:
        handle = self._handle(call)
        if handle is None:
            return
        if handle.file == _DIRECTORY:
            yield DirectorySynced(call.at)
        elif call.name == "lseek":
            handle.offset = call.result
        elif call.name == "ftruncate":
            self._sizes[handle.file] = call.number(1)
            yield Resized(call.at, handle.file, call.number(1))
        else:
            yield Synced(call.at, handle.file)

    def _names_changed(self, call: Call) -> Iterator[Operation]:
        path = self._path(call, 0)
        if call.name.startswith("unlink"):
            if path.parent == self.directory and self._names.pop(path.name, None) is not None:
                yield Removed(call.at, path.name)
            return
        target = self._path(call, 1)
        if {path.parent, target.parent} == {self.directory}:
            self._names[target.name] = self._names.pop(path.name)
            yield Renamed(call.at, path.name, target.name)
        elif self.directory in (path.parent, target.parent):
            raise TraceNotUnderstood(f"{call.name}: {path} -> {target}")

    def _handle(self, call: Call) -> _Handle | None:
        """None for a file elsewhere."""
        descriptor, path = call.files[0]
        handle = self._handles.get(descriptor)
        if handle is None and Path(path).parent == self.directory:
            raise TraceNotUnderstood(f"{call.name} of {path}, which nobody opened")
        return handle

    def _path(self, call: Call, place: int) -> Path:
        folders = [path for number, path in call.files if number == -1] or ["/"]
        return Path(os.path.normpath(Path(folders[0]) / os.fsdecode(call.texts[place])))

    def _refuse(self, call: Call) -> None:
        here = [path for _, path in call.files if Path(path).parent == self.directory]
        here += [str(path) for path in map(self._maybe, call.texts) if path is not None]
        shared = "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments
        if here and (call.name in _UNKNOWN or shared):
            raise TraceNotUnderstood(f"{call.name} of {', '.join(here)}")

    def _maybe(self, text: bytes) -> Path | None:
        path = Path(os.fsdecode(text))
        return path if path.parent == self.directory else None
