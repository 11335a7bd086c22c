"""Counters: apart by kind, in doubt until decided, reset to the piece, and the ledger's equal."""

import json
import random

import pytest
from audit_books import AT, SLOTS, book, elements, moved, report
from sqlite_utils import Database as Utils

from vendd.core import ledger
from vendd.core.facts import Channel, Decision, Evidence, SaleDoubtful, SaleResolved
from vendd.core.rows import AuditRead, Posted, Record, Vended, VendPart
from vendd.core.sale.tender_books import list_number
from vendd.store import Database, counters
from vendd.store.migrations import MIGRATIONS
from vendd.store.opening import FILE, MARKER

SALE = Posted(ledger.CUSTOMER, ledger.SALES, 40, "sale", "s1")


def vend(sale_id: str = "s1", channel: Channel = Channel.KEYPAD, paid: bool = True) -> Vended:
    return Vended(sale_id, "6", channel, 40, (VendPart("CA", 40),) if paid else ())


def doubtful(booked_as: str = "sold") -> SaleDoubtful:
    return SaleDoubtful("s1", 40, "coin", "home_no_sensor", booked_as, Evidence(), power_loss=True)


def resolved(decision: Decision) -> SaleResolved:
    return SaleResolved("s1", decision, 40, "anna", "seen in the tray")


# --- kinds of vends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "machine", "product"),
    [(Channel.FREE, "VA3", "PA4"), (Channel.TEST, "VA2", "PA3"), (Channel.SERVICE, "VA2", "PA3")],
)
def test_what_nobody_paid_for_is_apart(books, channel, machine, product):
    book(books, vend(channel=channel, paid=False))
    assert moved(report(books)) == {
        f"{machine}01": 40,
        f"{machine}02": 1,
        f"{machine}03": 40,
        f"{machine}04": 1,
        f"6:{product}01": 1,
        f"6:{product}02": 40,
        f"6:{product}03": 1,
        f"6:{product}04": 40,
    }


def test_a_reader_calls_its_price_list_by_number():
    names = ("cash", "card", "list_7", "list_x", "staff")
    assert [list_number(name) for name in names] == [0, 1, 7, 99, 99]


# --- doubtful sales ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "counted"),
    [(Decision.SOLD, 40), (Decision.WRITTEN_OFF, 40), (Decision.REFUNDED, 0)],
)
def test_a_doubtful_sale_is_in_suspense_until_it_is_decided(books, decision, counted):
    book(books, vend(), SALE, doubtful())
    assert moved(report(books)) == {}
    suspense = counters.figures(books).suspense
    assert (suspense.sales, suspense.amount) == (1, 40)
    book(books, resolved(decision))
    assert moved(report(books)).get("VA101", 0) == counted
    assert counters.figures(books).suspense.sales == 0
    book(books, resolved(Decision.SOLD))  # said twice
    assert moved(report(books)).get("VA101", 0) == counted


def test_what_was_booked_as_refunded_is_no_sale_and_in_no_suspense(books):
    book(books, doubtful("refunded"))
    assert counters.figures(books).suspense.sales == 0


# --- reading and resetting -----------------------------------------------------------------------


def test_a_reset_takes_off_what_was_shown_and_nothing_that_came_later(books):
    book(books, vend("s1"), Posted(ledger.COIN_BOX, ledger.CUSTOMER, 40, "coin_in"))
    shown = counters.read_out(books)
    book(books, vend("s2"))
    counters.note_read(AuditRead("handheld 7", reset=True), AT, books)
    assert shown.of("VA1").interval == 40
    after = counters.figures(books)
    assert (after.of("VA1").total, after.of("VA1").interval) == (80, 40)
    assert (after.of("CA3", "box").total, after.of("CA3", "box").interval) == (40, 0)
    made = elements(report(books))
    assert {key: text for key, text in made.items() if key.startswith("EA3") and text} == {
        "EA301": "1",
        "EA302": "260301",
        "EA303": "102030",
        "EA304": "test",
        "EA305": "260301",
        "EA306": "102030",
        "EA307": "handheld 7",
        "EA309": "1",
        "EA310": "1",
    }


def test_two_readouts_at_once_take_nothing_off_twice(books):
    book(books, vend("s1"))
    counters.read_out(books)
    book(books, vend("s2"))
    counters.read_out(books)
    book(books, AuditRead("one", reset=True))
    book(books, vend("s3"))
    book(books, AuditRead("two", reset=True))
    after = counters.figures(books)
    assert (after.of("VA1").total, after.of("VA1").interval) == (120, 40)
    assert (after.reads.reads, after.reads.resets) == (2, 2)


def test_a_readout_without_a_reset_changes_no_counter(books):
    book(books, vend("s1"))
    counters.read_out(books)
    book(books, AuditRead("just looking", reset=False))
    after = counters.figures(books)
    assert after.of("VA1").interval == 40
    assert (after.reads.reads, after.reads.resets) == (1, 0)


# --- the ledger's equal --------------------------------------------------------------------------


def some_sales(chance: random.Random) -> list[list[Record]]:
    """Commits with rows of the ledger and the vends they belong to."""
    commits: list[list[Record]] = []
    for number in range(40):
        ref, kind = f"s{number}", chance.randrange(4)
        price = chance.choice((40, 120, 250))
        if kind == 0:
            commits.append([Posted(ledger.STACKER, ledger.CUSTOMER, 500, "bill_in")])
        elif kind == 1:
            sold = Posted(ledger.CUSTOMER, ledger.SALES, price, "sale", ref)
            over = Posted(ledger.CUSTOMER, ledger.OVERPAY, 10, "overpay", ref)
            row = Vended(ref, "6", Channel.KEYPAD, price, (VendPart("CA", price),))
            commits.append([sold, over, row])
        else:
            reader = chance.choice((1, 2))
            device = {1: "DA", 2: "DB"}[reader]
            parts = (VendPart("CA", 15), VendPart(device, price - 15, 1))
            row = Vended(ref, "6", Channel.KEYPAD, price, parts)
            by_card = Posted(ledger.cashless(reader), ledger.SALES, price - 15, "sale", ref)
            sold = Posted(ledger.CUSTOMER, ledger.SALES, 15, "sale", ref)
            commits.append([by_card, sold, row])
        commits.append([Posted(ledger.tube(50), ledger.CUSTOMER, 50, "coin_in")])
        commits.append([Posted(ledger.CHANGE, ledger.tube(50), 50, "change", ref)])
    return commits


def test_sums_equal_the_ledger(books):
    for commit in some_sales(random.Random(6)):
        book(books, *commit)
    accounts = dict(books.execute("SELECT account, closing FROM balances"))
    made = report(books)
    assert made.amount("VA1", 1) == -accounts["sales"]
    assert made.amount("CA3", 10) == accounts["stacker"]
    assert made.amount("CA3", 7) - made.amount("CA4", 3) == accounts["tube:50"]
    assert made.amount("CA8", 2) == -accounts["overpay"]
    assert sum(int(pa7[6]) for pa7 in made.of("PA7")) == -accounts["sales"]
    assert sum(int(pa2[2]) for pa2 in made.of("PA2")) == -accounts["sales"]


def old_store(path, commits, *, pruned: int = 0) -> None:
    """A store of the version before, with these commits in its ledger; the first `pruned` of its
    rows are in a period that is closed and gone."""
    old = Utils(path / FILE)
    MIGRATIONS.apply(old, stop_before="m0004_audit")
    rows = [row for commit in commits for row in commit if isinstance(row, Posted)]
    flows: dict[str, list[int]] = {}
    for number, row in enumerate(rows, 1):
        values = (number, row.debit, row.credit, row.amount, row.reason, row.ref)
        old.conn.execute("INSERT INTO ledger VALUES (?, 1, 1, '', ?, ?, ?, ?, ?)", values)
        if number <= pruned:
            flows.setdefault(row.debit, [0, 0])[0] += row.amount
            flows.setdefault(row.credit, [0, 0])[1] += row.amount
    if pruned:
        old.conn.execute("INSERT INTO periods VALUES (1, '', 1, ?, 1)", (pruned,))
        old.conn.execute("DELETE FROM ledger WHERE id <= ?", (pruned // 2,))  # in pieces
    for account, (inflow, outflow) in flows.items():
        values = (account, inflow, outflow, inflow - outflow)
        old.conn.execute("INSERT INTO period_balances VALUES (1, ?, 0, ?, ?, ?)", values)
    vends = {row.ref for row in rows if row.credit == ledger.SALES}
    old.conn.execute("UPDATE meta SET sales_count = ?", (len(vends) + 3,))  # and 3 free ones
    old.conn.commit()
    old.close()
    (path / MARKER).touch()


@pytest.mark.parametrize("pruned", [0, 60])
def test_an_old_store_is_counted_from_its_ledger(tmp_path, books, pruned):
    commits = some_sales(random.Random(7))
    old_store(tmp_path, commits, pruned=pruned)
    for commit in commits:
        book(books, *commit)
    expected = counters.figures(books)
    database = Database.open(tmp_path)
    upgraded = counters.figures(database.connection)
    database.close()
    for key in ("VA1 value", "CA2 value", "DA2 value", "DB2 value", "CA3 cash", "CA3 bills"):
        segment, what = key.split()
        assert upgraded.of(segment, what) == expected.of(segment, what), key
    for segment, what in (("CA3", "tubes"), ("CA4", "cash"), ("CA8", "value")):
        assert upgraded.of(segment, what) == expected.of(segment, what)
    if pruned:  # paid and free ones can't be told apart any more
        assert upgraded.of("VA1", "number").total == expected.of("VA1", "number").total + 3
    else:
        assert upgraded.of("VA1", "number") == expected.of("VA1", "number")
        assert upgraded.of("CA2", "number") == expected.of("CA2", "number")
        assert upgraded.of("VA3", "number").total == 3


def test_a_suspended_vend_is_stored_as_json(books):
    book(books, vend(), doubtful())
    (text,) = books.execute("SELECT vend FROM audit_suspense").fetchone()
    assert json.loads(text)["parts"] == [
        {"device": "CA", "amount": 40, "price_list": 0, "worth": None}
    ]


def test_a_selection_that_is_gone_is_still_reported(books):
    book(books, vend())
    made = report(books, {"5": SLOTS["5"]})
    assert [(pa1[1], pa1[7]) for pa1 in made.of("PA1")] == [("5", "0"), ("6", "1")]
