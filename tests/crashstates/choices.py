"""Which of the many states a power cut may leave are looked at: drawn from a seed, the telling
ones first."""

import random
from collections.abc import Iterator, Mapping

from tests.crashstates.disk import Disk, File

Image = Mapping[str, bytes]
"""A directory: name -> content."""


def images(disk: Disk, chance: random.Random, count: int) -> Iterator[Image]:
    """At most `count` states of this disk after a cut right now: everything lost that could be,
    everything kept, then `count` - 2 drawn ones. Equal ones may be among them."""
    yield _image(disk, 0, {n: _upto(file, -1) for n, file in disk.files.items()})
    last = len(disk.names) - 1
    if not last and not any(file.contents or file.sizes for file in disk.files.values()):
        return
    yield _image(disk, last, {n: bytes(file.current) for n, file in disk.files.items()})
    for _ in range(count - 2):
        names = chance.choice((0, last, chance.randint(0, last)))
        yield _image(disk, names, {n: _drawn(file, chance) for n, file in disk.files.items()})


def _image(disk: Disk, names: int, contents: Mapping[int, bytes]) -> Image:
    return {name: contents[file] for name, file in disk.names[names].items()}


def _upto(file: File, number: int) -> bytes:
    return file.after_cut(lambda _, n: n <= number, file.size_after(number))


def _drawn(file: File, chance: random.Random) -> bytes:
    pending = file.pending
    if not pending:
        return bytes(file.durable)
    match chance.randrange(5):
        case 0:
            return _upto(file, chance.choice(pending))
        case 1:
            return _torn(file, pending, chance)
        case 2 | 3:
            return _subset(file, pending, chance)
        case _:
            return _scattered(file, chance)


def _torn(file: File, pending: list[int], chance: random.Random) -> bytes:
    """In order up to one operation, of which some sectors came on the disk."""
    torn = chance.choice(pending)
    sectors = sorted(s for s, row in file.contents.items() if any(n == torn for n, _ in row))
    there = frozenset(chance.sample(sectors, chance.randint(0, len(sectors))))
    before = max((n for n in pending if n < torn), default=-1)
    size = file.size_after(chance.choice((before, torn)))
    return file.after_cut(lambda s, n: n < torn or (n == torn and s in there), size)


def _subset(file: File, pending: list[int], chance: random.Random) -> bytes:
    """Any of the operations, whole."""
    share = chance.choice((0.1, 0.5, 0.9))
    kept = frozenset(n for n in pending if chance.random() < share)
    return file.after_cut(lambda _, n: n in kept, _size(file, chance))


def _scattered(file: File, chance: random.Random) -> bytes:
    """Every sector by itself."""
    share = chance.choice((0.1, 0.5, 0.9))
    return file.after_cut(lambda _s, _n: chance.random() < share, _size(file, chance))


def _size(file: File, chance: random.Random) -> int:
    sizes = [len(file.durable), *(size for _, size in file.sizes)]
    return chance.choice((sizes[-1], chance.choice(sizes)))
