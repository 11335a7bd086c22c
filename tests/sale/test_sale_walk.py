"""Whatever happens in whatever order: the promises hold, and the machine comes to rest."""

from collections import Counter

from hypothesis import HealthCheck, given, settings

from tests.sale.bench import Bench
from tests.sale.devices import Is
from tests.sale.walk import Move, benches, calm_down, walks
from vendd.core import ledger
from vendd.core.facts import CreditClosed, ItemDispensed, Proof, SaleClosed, TenderKind
from vendd.core.rows import Posted
from vendd.core.sale import outputs
from vendd.core.sale.pieces import Order
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    Idle,
)

_THOROUGH = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_THOROUGH
@given(benches(), walks())
def test_no_walk_breaks_a_promise(bench: Bench, walk: list[Move]):
    """The bench checks its promises after every report; here are those of the whole story."""
    for move in walk:
        move(bench)
        _shows_something(bench)
    _facts_tell_what_the_books_say(bench)
    _sessions_add_up(bench)


@_THOROUGH
@given(benches(), walks())
def test_every_walk_comes_to_rest(bench: Bench, walk: list[Move]):
    """Liveness: no customer's money, no reservation and no timer is left behind."""
    for move in walk:
        move(bench)
    calm_down(bench)
    assert isinstance(bench.state.phase, Idle), bench.state
    assert bench.state.credit == 0
    assert bench.state.customer is None
    assert bench.reserved == {}
    assert set(bench.timers) <= {Timer.NOTICE}
    assert bench.state.bill is None
    assert {v.is_ for v in bench.readers.vends.values()} <= {Is.CONFIRMED, Is.FAILED, Is.DENIED}
    assert {v.order for v in bench.state.open_vends} <= {Order.DENIED}
    assert bench.accounts[ledger.CUSTOMER] == 0
    assert bench.accounts[ledger.CHANGE] + bench.accounts[ledger.REFUNDS] == 0


def _shows_something(bench: Bench) -> None:
    for columns in (16, 20):
        lines = outputs.screen(bench.state, bench.world, columns)
        assert lines[0].strip()
        assert all(len(line) <= columns for line in lines)


def _facts_tell_what_the_books_say(bench: Bench) -> None:
    closed, items = bench.all(SaleClosed), bench.all(ItemDispensed)
    sale = bench.state.sale
    going = [sale] if sale and sale.delivered is not Proof.NONE else []
    sold = sum(s.price_charged for s in closed) + sum(s.charged for s in going)
    assert -bench.accounts[ledger.SALES] == sold
    proven = [s.sale_id for s in closed if s.proof is not Proof.NONE] + [s.id for s in going]
    assert sorted(i.sale_id for i in items) == sorted(proven)
    assert all(s.change_owed >= 0 for s in closed)
    assert [s.sale_no for s in closed] == list(range(1, len(closed) + 1))


def _sessions_add_up(bench: Bench) -> None:
    """What went in came out: as goods, as coins, as a claim, or as what the owner keeps."""
    if any(p.reason == "paid_too_much" for p in bench.all(Posted)):
        return  # the changer paid more than it was told: that is told on its own
    spent: Counter[str] = Counter()
    for sale in bench.all(SaleClosed):
        cash = (t for t in sale.tenders if t.kind in (TenderKind.COIN, TenderKind.BILL))
        spent[sale.session_id] += sum(t.applied for t in cash)
    ends = bench.all(CreditClosed)
    assert len({e.session_id for e in ends}) == len(ends)
    for end in ends:
        out = spent[end.session_id] + end.returned + end.owed + end.forfeited + (end.revalued or 0)
        assert end.inserted == out, end
