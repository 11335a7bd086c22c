"""What must hold after every report, whatever was told and done: the promises of the design.

Money first: every account is what the machine physically holds or owes, every closed sale says
where each tender's money went, and the display never knows more than the devices have said.
"""

from collections import Counter
from typing import TYPE_CHECKING

from tests.sale.devices import Is
from vendd.core import ledger
from vendd.core.change import largest_payable
from vendd.core.facts import (
    ItemDispensed,
    Outcome,
    Proof,
    RefundState,
    SaleClosed,
    SaleDoubtful,
    TenderKind,
)
from vendd.core.rows import LevelChanged, Posted, Reserved
from vendd.core.sale import offer, outputs, persist, sources
from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.states import (
    EPHEMERAL,
    AgeCheck,
    Authorising,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    State,
    Vending,
    WaitingForTap,
)
from vendd.core.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.sale.bench import Bench

DURABLE = tuple(f for f in State.__dataclass_fields__ if f not in EPHEMERAL)
_NO_CASH = (Authorising, Refunding, Revaluing, Vending, Stacking, Returning, Paying)


def check(bench: "Bench") -> None:
    """All that can be seen in the state, the books and the outputs as they are now."""
    _accounts(bench)
    _stores(bench)
    _cards(bench)
    _stock(bench)
    _tenders_open(bench)
    _words(bench)
    bench.validator.check(bench.state)
    bench.readers.check(bench.state)
    kept = {n: getattr(bench.state, n) for n in DURABLE}
    loaded = persist.load(persist.dump(bench.state))
    assert {n: getattr(loaded, n) for n in DURABLE} == kept, "M4"


# --- the books ----------------------------------------------------------------------------------


def _accounts(bench: "Bench") -> None:
    state, accounts = bench.state, bench.accounts
    assert sum(accounts.values()) == 0, "M1"
    assert state.credit >= 0
    assert -accounts[ledger.CUSTOMER] == state.credit
    assert state.credit_bills >= 0
    going = 0
    if isinstance(state.phase, Paying):
        going = state.phase.payout.amount - state.phase.payout.bills_out
    assert -(accounts[ledger.CHANGE] + accounts[ledger.REFUNDS]) == going
    owed = {ref: claim for ref, claim in bench.claims.items() if claim.reason != "refund_due"}
    assert -accounts[ledger.CLAIMS] == sum(c.amount for c in owed.values())
    due = [c.amount for c in bench.claims.values() if c.reason == "refund_due"]
    assert -accounts[ledger.REFUNDS_DUE] == sum(due)
    assert state.credit == 0 or state.customer is not None


def _stores(bench: "Bench") -> None:
    """A bill in escrow is in none of them."""
    stored: Counter[str] = Counter()
    for tube in bench.world.tubes:
        stored[ledger.tube(tube.value)] += tube.value * tube.count
    for store in bench.world.recycler:
        stored[ledger.recycler(store.value)] += store.value * store.count
    for account in {*stored, *(a for a in bench.accounts if a.startswith(("tube:", "recycler:")))}:
        assert bench.accounts[account] == stored[account], account
    for box in (ledger.COIN_BOX, ledger.STACKER):
        assert bench.accounts[box] == bench.boxes[box], box
    assert bench.boxes[ledger.STACKER] == bench.validator.stacked


def _cards(bench: "Bench") -> None:
    """A card pays for what was delivered, and what it paid in vain is due once or given back."""
    vends = bench.readers.vends
    sold = {item.sale_id for item in bench.all(ItemDispensed)}
    due = Counter(c.sale_id for c in bench.claims.values() if c.reason == "refund_due")
    taken = sum(v.approved for vend_id, v in vends.items() if vend_id in sold)
    owed = sum(c.amount for c in bench.claims.values() if c.reason == "refund_due")
    card_accounts = sum(n for a, n in bench.accounts.items() if a.startswith("cashless"))
    revalued = [p for p in bench.all(Posted) if p.reason == "revalue"]
    assert {p.ref for p in revalued} <= bench.readers.revalued
    assert card_accounts == taken + owed - sum(p.amount for p in revalued)
    assert not sold & set(due), "a refund for what was delivered"
    assert all(n == 1 for n in due.values())
    for vend_id, vend in vends.items():
        if vend.is_ is Is.FAILED and vend.settled is not None:
            owes = vend.settled.value != "confirmed" and vend.approved > 0
            assert (vend_id in due) is owes or vend.doubtful, f"{vend_id}: {vend}"
        elif vend.is_ is Is.DENIED and vend.settled is None:
            doubtful = vend.doubtful and vend.asked > 0
            assert (vend_id in due) is doubtful, f"{vend_id}: {vend}"


def _stock(bench: "Bench") -> None:
    speaking = Counter(bench.reserved.values())
    for selection, view in bench.world.slots.items():
        assert 0 <= view.reserved <= view.level, "S2"
        assert view.reserved == speaking[selection], "S1"
    closed = Counter(r.sale_id for r in bench.history if isinstance(r, SaleClosed))
    assert all(n == 1 for n in closed.values()), "one outcome per sale"
    begun = {r.sale_id for r in bench.history if isinstance(r, Reserved)}
    open_sale = {bench.state.sale.id} if bench.state.sale else set()
    assert begun == set(closed) | open_sale
    assert not (set(closed) & open_sale)
    assert all(r.delta == -1 for r in bench.history if isinstance(r, LevelChanged))


# --- what is open, what is said -------------------------------------------------------------------


def _tenders_open(bench: "Bench") -> None:
    """R2, R7, R11: which coins, bills and readers are on."""
    state, world = bench.state, bench.world
    coins = outputs.accepted_coins(state, world)
    bills = outputs.accepted_bills(state, world)
    readers = outputs.enabled_readers(state, world)
    assert readers <= {r.number for r in world.readers if r.ready}
    if not world.in_service or state.locked:
        assert coins == bills == readers == frozenset(), "R11"
    if isinstance(state.phase, _NO_CASH):
        assert coins == bills == frozenset()
        assert len(readers) <= 1
    if isinstance(state.phase, SessionOpen | WaitingForTap | Authorising | Refunding):
        assert len(readers) <= 1, "R7"
    if not world.policy.mixed_tender:
        if isinstance(state.phase, SessionOpen) and not _may_revalue(state.phase, world):
            assert coins == bills == frozenset(), "one tender"
        asking = isinstance(
            state.phase, SessionOpen | Authorising | Refunding | AgeCheck | Revaluing
        )
        assert not state.money or not readers or asking, "one tender"
    assert not state.bill_lever or state.bill_moves, "a lever press that nobody will serve"
    if state.bill is not None or state.bill_moves:
        assert not bills or state.bill_reading
    for bill in (b for b in world.validator.bills if b.type in bills):
        _can_go_back(state, world, bill.value, recycled=bill.recycled)


def _can_go_back(state: State, world: Snapshot, value: int, *, recycled: bool) -> None:
    """R2 by trying: what is in and this bill, out of what would then be there."""
    highest = offer.highest_price(world) or 0
    if world.policy.hold_last_bill and world.validator.escrow and state.credit + value >= highest:
        value = 0  # held: it goes back as itself
    stock = sources.stock(world)
    most, _ = largest_payable(state.credit + value, stock)
    if recycled:
        most = max(most, value + largest_payable(state.credit, stock)[0])
    assert state.credit + value - most <= world.policy.accept_unreturnable_up_to, "R2"


def _words(bench: "Bench") -> None:
    """R6: nothing on the display that the devices have not said."""
    screen = bench.screen
    closed = next((r for r in reversed(bench.history) if isinstance(r, SaleClosed)), None)
    if screen.startswith("THANK YOU"):
        assert closed is None or closed.proof is not Proof.NONE, "thanks before the proof"
    if "CARD REFUNDED" in screen:
        assert closed is not None
        settled = bench.readers.vends[closed.sale_id].settled
        assert settled is not None
        assert settled.value == "confirmed"
    if screen.startswith("BILL RETURNED"):
        assert bench.validator.returned, "the bill is not back"


# --- one closed sale ----------------------------------------------------------------------------


def check_sale(bench: "Bench", sale: SaleClosed) -> None:
    """Every tender's money: inserted = applied + returned + what is still credit or owed."""
    sold = sale.proof is not Proof.NONE
    for tender in sale.tenders:
        assert min(tender.inserted, tender.applied, tender.returned) >= 0, tender
        assert tender.inserted >= tender.applied + tender.returned, tender
        assert sold or tender.applied == 0, tender
    assert sum(t.applied for t in sale.tenders) == sale.price_charged + sale.overpay_kept
    cash = [t for t in sale.tenders if t.kind in (TenderKind.COIN, TenderKind.BILL)]
    assert sum(t.returned for t in cash) == sale.change_paid
    if sale.change_due:
        left = sum(t.inserted - t.applied for t in cash)
        assert left == sale.change_due, "change is what was not spent"
    cards = [t for t in sale.tenders if t.kind in (TenderKind.CARD, TenderKind.TOKEN)]
    assert len(cards) <= 1
    for card in cards:
        vend = bench.readers.vends.get(sale.sale_id)
        if vend is None:
            assert card.approved is None
            continue
        assert (card.approved or 0) == vend.approved
        if not sold and vend.is_ is Is.FAILED:
            said = vend.settled
            confirmed = said is not None and said.value == "confirmed"
            assert (card.refund_state is RefundState.CONFIRMED) is confirmed
    if sale.outcome is Outcome.DOUBTFUL:
        due = any(c.sale_id == sale.sale_id for c in bench.claims.values())
        doubted = any(
            r.sale_id == sale.sale_id for r in bench.history if isinstance(r, SaleDoubtful)
        )
        assert due or doubted


def check_turn(bench: "Bench", act: TurnMotor) -> None:
    """S1, M2: reserved, and paid by credit, by a stacked bill or by a card that approved."""
    sale = bench.state.sale
    assert sale is not None
    assert act.attempt_id.split(".")[0] == sale.id
    assert sale.id in bench.reserved, "a turn nobody reserved for"
    assert bench.state.credit >= sale.from_credit + sale.overpay, "a turn nobody paid for"
    if sale.card is not None:
        assert bench.readers.vends[sale.id].is_ is Is.APPROVED, "a turn that no card paid"
    else:
        assert sale.from_credit == sale.price


def _may_revalue(phase: SessionOpen, world: Snapshot) -> bool:
    """Cash is taken for the card then, not beside it."""
    return world.policy.revalue and phase.session.revaluable
