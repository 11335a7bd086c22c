"""The judgement of a history: the auditor's, and what may be lost where nobody could see.

Accepted losses are exactly those of section 9 of the behaviour rules: a coin that was told of
but not committed when the daemon died and that went to the box, and a product that fell while
nobody could see it. Each must really have happened in such a moment.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hw_sim.audit.books import Books
from hw_sim.auditor import Auditor, Verdict
from hw_sim.explore.lives import Blind
from hw_sim.explore.site import Site
from hw_sim.visit import Visit


async def judge(
    site: Site, auditor: Auditor, visits: Sequence[Visit], blind: Sequence[Blind]
) -> Verdict:
    """Call it after the daemon was stopped in order."""
    books = Books.read(site.books())
    auditor.unseen = _unseen(site, books, blind)
    verdict = auditor.compare(visits, books, await site.events())
    found = [*verdict.violations, *_lost_in_the_open(site, books, blind)]
    return replace(verdict, violations=tuple(found))


def _unseen(site: Site, books: Books, blind: Sequence[Blind]) -> Counter[str]:
    """Products that are missing in the books, at most as many as fell when nobody could see."""
    before = site.config.first_levels()
    fell = Counter(product.selection for product in site.cabinet.tray)
    unseen: Counter[str] = Counter()
    for product in site.cabinet.tray:
        name = product.selection
        booked = before[name] - books.levels.get(name, 0)
        if unseen[name] < fell[name] - booked and any(b.covers(product.at) for b in blind):
            unseen[name] += 1
    return unseen


def _lost_in_the_open(site: Site, books: Books, blind: Sequence[Blind]) -> Iterator[str]:
    """The box may hold more than the books say, but only what fell when nobody could see."""
    truth = site.till.coins.truth
    unbooked = truth.box_total() - books.closing("coin_box")
    excused = sum(value for at, value in truth.boxed if any(b.covers(at) for b in blind))
    if not 0 <= unbooked <= excused:
        yield f"box: {unbooked} more than booked, {excused} fell when nobody could see"
