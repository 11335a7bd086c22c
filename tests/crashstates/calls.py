"""strace's text read back: which system calls were made, in order, with all their data.

Made for `strace -f -y -xx -ttt`: file descriptors carry their paths, every string is hexadecimal.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

TRACED: Final = (
    *("open", "openat", "creat", "close", "dup", "dup2", "dup3", "lseek"),
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
    *("ftruncate", "truncate", "fallocate", "mmap"),
    *("fsync", "fdatasync", "sync_file_range", "sync", "syncfs", "msync"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat"),
    *("symlink", "symlinkat", "mkdir", "mkdirat", "rmdir"),
)
"""Everything that can change what a file system holds, and what brings it to the disk."""

LONGEST: Final = 1 << 20  # bytes of one write; longer ones would be cut off by strace

_LINE: Final = re.compile(r"(\d+)\s+(\d+\.\d+) (.*)")
_RESUMED: Final = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_CALL: Final = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)(.*)")
_UNFINISHED: Final = " <unfinished ...>"
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_NUMBERED: Final = re.compile(r"(\d+|AT_FDCWD)<([^>]*)>")
_BYTE: Final = re.compile(r"\\x([0-9a-f]{2})")


class TraceNotUnderstood(Exception):
    """A line that can't be read, or a call whose effect this model does not know."""


@dataclass(frozen=True, slots=True)
class Call:
    """One finished call. `at`: when it began, seconds since 1970. `texts`: its strings in order;
    `files`: (descriptor, path) of each descriptor among its arguments, -1 for the working
    directory; `result`: -1 when it failed, its value otherwise."""

    at: float
    name: str
    arguments: str
    texts: tuple[bytes, ...]
    files: tuple[tuple[int, str], ...]
    result: int

    def number(self, place: int) -> int:
        """The argument at that place, which has to be a number."""
        return int(self.arguments.split(", ")[place], 0)


def command(output: str) -> tuple[str, ...]:
    """strace as it has to run for this reader. The tracer is a grandchild: the process itself is
    the traced one, with its own pid and its own signals."""
    return (
        *("strace", "-D", "-f", "-qqq", "-y", "-xx", "-ttt", "--seccomp-bpf"),
        *("-s", str(LONGEST), "-e", "trace=" + ",".join(TRACED), "-e", "signal=none"),
        *("-o", output),
    )


def read(lines: Iterable[str]) -> Iterator[Call]:
    """The calls in the order in which they ended. Raises `TraceNotUnderstood`."""
    begun: dict[str, tuple[float, str]] = {}
    for line in lines:
        parts = _LINE.fullmatch(line.rstrip("\n"))
        if parts is None:
            raise TraceNotUnderstood(line[:200])
        process, at, body = parts[1], float(parts[2]), parts[3]
        if body.startswith(("+++", "---")):
            begun.pop(process, None)
            continue
        if body.endswith(_UNFINISHED):
            begun[process] = at, body.removesuffix(_UNFINISHED)
            continue
        if (resumed := _RESUMED.fullmatch(body)) is not None:
            at, before = begun.pop(process)
            body = before + resumed[2]
        if (call := _CALL.fullmatch(body)) is None:
            raise TraceNotUnderstood(line[:200])
        yield _call(at, call)


def _call(at: float, call: re.Match[str]) -> Call:
    name, arguments, result = call[1], call[2], call[3]
    texts = []
    for text in _TEXT.finditer(arguments):
        if text[2]:
            raise TraceNotUnderstood(f"{name}: more than {LONGEST} bytes at once")
        texts.append(bytes.fromhex(text[1].replace("\\x", "")))
    plain = _TEXT.sub('""', arguments)
    files = tuple(
        (-1 if number == "AT_FDCWD" else int(number), _plain(path))
        for number, path in _NUMBERED.findall(plain)
    )
    value = -1 if result == "?" else int(result)
    return Call(at, name, _NUMBERED.sub(r"\1", plain), tuple(texts), files, value)


def _plain(path: str) -> str:
    return _BYTE.sub(lambda byte: chr(int(byte[1], 16)), path)
