"""Section 9 as data: some cuts of each kind of sale, the comparison itself, README's table.

`make power-cuts` cuts every sale at every instant.
"""

from pathlib import Path

import pytest

from hw_sim.cuts.campaign import Case, one
from hw_sim.cuts.run import DARK, HOWS, KILLED, POWER, Seen
from hw_sim.cuts.stories import STORIES
from hw_sim.cuts.table import Table, placed, rows

README = Path(__file__).parents[2] / "README.md"
KEPT = rows()
BY_NAME = {story.name: number for number, story in enumerate(STORIES)}
# story, how, when, what the moment is
CUTS = (
    ("coins into tubes, change", KILLED, 1.8, "credit"),
    ("coins into tubes, change", POWER, 2.5, "not_home"),
    ("coins, product hangs again", KILLED, 4.6, "home_again_twice"),
    ("coins, product hangs", KILLED, 4.6, "home_again"),
    ("bill, change", KILLED, 4.6, "bill"),
    ("card first", DARK, 1.5, "card_asked"),
    ("card first", KILLED, 4.6, "not_home"),
)


@pytest.mark.parametrize(("name", "how", "at", "row"), CUTS)
def test_a_cut_leads_to_what_the_table_says(name, how, at, row):
    seen = one(Case(BY_NAME[name], how, at))
    assert seen.row == row, seen
    assert not seen.findings
    table = Table()
    table.add(seen)
    assert not list(table.differences(KEPT, every=False))


def test_the_table_has_every_row_once():
    assert len({row.id for row in KEPT}) == len(KEPT)
    assert {how.name for how in HOWS} >= {"killed", "all dark"}
    for row in KEPT:
        assert bool(row.outcomes) is row.kept


def test_any_difference_is_one():
    table = Table()
    for row in KEPT:
        for outcome in row.outcomes:
            table.add(Seen("s", "h", 1.0, row.id, outcome))
    assert not list(table.differences(KEPT))
    table.add(Seen("s", "h", 1.0, "credit", "nothing"))
    assert [d.split(" (")[0] for d in table.differences(KEPT)] == [
        "credit: 'nothing' is not in the table"
    ]
    empty = list(Table().differences(KEPT))
    assert "credit: 'credit' is in the table and never came" in empty
    assert len(empty) == sum(len(row.outcomes) for row in KEPT)
    table = Table()
    table.add(Seen("s", "h", 1.0, "a new moment", "x"))
    assert next(table.differences(KEPT)) == "a new moment: no row of the table"


def test_readme_shows_the_table():
    text = README.read_text(encoding="utf-8")
    assert placed(text, KEPT) == text, "python -m hw_sim section9 --readme README.md"
