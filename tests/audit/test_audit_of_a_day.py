"""The report of a day with all tenders: sums that agree, a foreign eye, and a bit that flips.

500 purchases take half a minute: ``pytest -m campaign tests/audit``.
"""

import random
from collections import Counter

import pytest
from audit_books import elements

from hw_sim.auditor import Verdict
from hw_sim.loop import run_virtual
from hw_sim.opening import SAMPLE, in_virtual_time
from hw_sim.shop import Shop
from vendd.daemon.audit_desk import export
from vendd.wire.evadts.reader import Report, identities, read

SEED = 6


def day(purchases: int) -> tuple[bytes, Verdict]:
    """The export after the daemon was stopped, and the auditor's verdict."""

    async def run() -> tuple[bytes, Verdict]:
        async with in_virtual_time(SAMPLE, SEED, purchases, machine="full") as front:
            shop = Shop(front, SEED, patient=True, say=lambda _: None)
            ended = await shop.day(purchases)
            return export(front.config), ended.verdict

    return run_virtual(run())


@pytest.fixture(
    scope="module",
    params=[pytest.param(500, marks=[pytest.mark.campaign, pytest.mark.timeout(600)]), 30],
)
def a_day(request: pytest.FixtureRequest) -> tuple[bytes, Verdict]:
    return day(request.param)


@pytest.fixture(scope="module")
def made(a_day: tuple[bytes, Verdict]) -> Report:
    return read(a_day[0])


def test_it_is_sound_and_complete(made):
    assert made.findings == ()
    sums = list(identities(made))
    assert len(sums) == 4
    assert all(left == right for _, left, right in sums)
    names = {segment[0] for _, segment in made.segments}
    assert {"ID1", "ID4", "VA1", "VA2", "VA3", "CA2", "CA3", "CA4", "CA8", "CA10"} <= names
    assert {"CA15", "CA17", "DA2", "PA1", "PA2", "PA7", "EA1", "EA2", "EA3", "EA7"} <= names


def test_it_says_what_was_sold(made, a_day):
    verdict = a_day[1]
    # The auditor has compared every counter with ledger and events.
    assert [words for words in verdict.violations if words.startswith("audit")] == []
    assert made.amount("VA1", 2) == verdict.sold > 15
    by_device = Counter()
    for pa7 in made.of("PA7"):
        by_device[pa7[2]] += int(pa7[6])
    tenders = verdict.tenders
    assert by_device["CA"] == tenders["coin"] + tenders.get("bill", 0) - made.amount("CA8", 2)
    assert by_device["DA"] + by_device["DB"] == tenders["card"]
    assert all(tenders.get(kind) for kind in ("coin", "bill", "card"))


def test_products_say_the_same_as_the_machine(made):
    texts = elements(made)
    products = [pa1[1] for pa1 in made.of("PA1")]
    assert sum(int(texts[f"{p}:PA202"]) for p in products) == made.amount("VA1", 1)
    assert sum(int(texts[f"{p}:PA201"]) for p in products) == made.amount("VA1", 2)


def test_flipped_bits_are_found(a_day):
    data, chance = a_day[0], random.Random(SEED)
    start, end = data.index(b"ST*"), data.index(b"G85*")
    for _ in range(100):
        place = chance.randrange(start * 8, end * 8)
        broken = bytearray(data)
        broken[place // 8] ^= 1 << place % 8
        found = read(bytes(broken))
        assert not found.sound
        assert any("G85" in finding.what for finding in found.findings)
