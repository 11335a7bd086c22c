"""What concerns several sections at once. Each check yields problems, and assumes only that the
sections it looks at are valid by themselves."""

from collections.abc import Iterator

from vendd.config import amounts, assortment, tenders, wiring
from vendd.config.draft import Draft
from vendd.config.problems import Problem


def run(draft: Draft) -> Iterator[Problem]:
    """Every problem between sections."""
    for check in (*wiring.CHECKS, *amounts.CHECKS, *assortment.CHECKS, *tenders.CHECKS):
        yield from check(draft)
