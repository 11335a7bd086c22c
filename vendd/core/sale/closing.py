"""How a sale and a credit end on the books: the facts the backend counts by."""

from vendd.core import ledger
from vendd.core.facts import (
    ClaimOpened,
    CreditClosed,
    CreditEnd,
    Outcome,
    Proof,
    Reason,
    RefundState,
    SaleClosed,
    Tender,
)
from vendd.core.rows import ClaimSet, CountersAdded, Posted
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    SessionOpen,
)
from vendd.core.sale.tender_books import tenders_of


def close_sale(
    d: Draft,
    sale: Sale,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    change_due: int = 0,
    change_paid: int = 0,
    refund_state: RefundState = RefundState.NONE,
) -> None:
    """The one `SaleClosed` of this sale. Change: what was decided, paid and is still owed.
    `refund_state`: what the reader said of a card's part that was not to be paid."""
    sold = sale.delivered is not Proof.NONE
    d.record(CountersAdded(sales_count=int(sold), sales_value=sale.charged if sold else 0))
    tenders = tenders_of(sale, sold, change_paid, refund_state)
    d.record(_closed(d, sale, outcome, reason, change_due, change_paid, tenders))


def _closed(
    d: Draft,
    sale: Sale,
    outcome: Outcome,
    reason: Reason | None,
    due: int,
    paid: int,
    tenders: tuple[Tender, ...],
) -> SaleClosed:
    sold = sale.delivered is not Proof.NONE
    charged, kept = (sale.charged, sale.overpay) if sold else (0, 0)
    view, now, totals = d.world.slots[sale.selection], d.world.now, d.world.totals
    product = view.slot.product
    return SaleClosed(
        sale_id=sale.id,
        sale_no=sale.no,
        session_id=sale.session_id,
        channel=sale.channel,
        outcome=outcome,
        slot=sale.selection,
        selection=sale.selection,
        item_no=view.slot.item_no,
        product_id=product.id,
        product_name=product.name,
        vat_code=product.vat_code,
        quantity=1,
        list_price=sale.list_price or sale.price,
        price_list=sale.price_list,
        discount=sale.discount,
        surcharge=sale.surcharge,
        price_charged=charged,
        tenders=tenders,
        change_due=due,
        change_paid=paid,
        change_owed=due - paid,
        overpay_kept=kept,
        proof=sale.delivered,
        drops=sale.drops,
        attempts=sale.turn,
        delivery_ms=sale.delivery_ms,
        total_ms=max(0, now.uptime_ms - sale.started_ms),
        stock_after=view.level,
        exact_change_mode=sale.exact_change,
        started_at=sale.started_at,
        closed_at=now.wall,
        sales_count=totals.sales_count,
        sales_value=totals.sales_value,
        reason=reason,
        authorise_ms=sale.card.authorise_ms if sale.card is not None else None,
    )


def close_credit(d: Draft, why: CreditEnd, *, owed: int = 0, forfeited: int = 0) -> None:
    """The customer's credit is gone otherwise than by a sale and its own change.

    The last word on a session: inserted = sales + overpay + returned + owed + forfeited
    + revalued.
    """
    customer = d.state.customer
    if customer is None:
        return
    d.record(
        CreditClosed(
            session_id=customer.id,
            inserted=customer.inserted,
            returned=customer.returned,
            owed=owed,
            forfeited=forfeited,
            reason=why,
            revalued=customer.revalued or None,
        )
    )


def leave(d: Draft) -> None:
    """Nothing is left of this customer's money: ready for the next."""
    assert d.state.money == 0
    d.clear_entry()
    d.go(Idle())
    d.set(customer=None, refused=(), age_checked=0)


def claim_ref(number: int) -> str:
    """Four digits a person can read out; all 9,000 are used before one comes again."""
    return str(1000 + (3821 + number * 7919) % 9000)


def reference(d: Draft) -> str:
    """This customer's one reference, given out now if there was none."""
    ref = d.customer().owed_ref or claim_ref(d.number("claim"))
    d.customer_with(owed_ref=ref)
    return ref


def claim_for(d: Draft, amount: int, reason: str, sale: Sale | None) -> str:
    """A claim beside the credit: money that may be in the machine, and is in no store's book.
    Its reference is its own."""
    ref = claim_ref(d.number("claim"))
    customer, sale_id = d.state.customer, sale.id if sale else None
    session = sale.session_id if sale else customer.id if customer else None
    d.record(
        Posted(ledger.UNEXPLAINED, ledger.CLAIMS, amount, "claim", ref),
        ClaimSet(ref, amount, reason, sale_id),
        ClaimOpened(ref, amount, reason, sale_id, session),
    )
    return ref


def owe(d: Draft, *, retried: bool = False, dead: bool = False) -> None:
    """The credit can't be paid now: it stays spendable, with the reference it would get."""
    d.clear_entry()
    ms = None if d.world.door_open else d.policy.idle_credit_ms
    d.go(Owed(reference(d), retried, dead), ms)


def open_claim(d: Draft, why: CreditEnd, reason: str, sale_id: str | None = None) -> None:
    """The credit becomes a claim: persisted, on the display, published; never paid by itself."""
    amount = d.state.credit
    assert amount > 0
    ref = reference(d)
    d.record(
        Posted(ledger.CUSTOMER, ledger.CLAIMS, amount, "claim", ref),
        ClaimSet(ref, amount, reason, sale_id),
        ClaimOpened(ref, amount, reason, sale_id, d.customer().id),
    )
    close_credit(d, why, owed=amount)
    d.set(credit=0, customer=None, refused=())
    d.clear_entry()
    d.hush()
    d.go(ClaimShown(ref, amount), d.policy.claim_ms)


def forfeit(d: Draft) -> None:
    """Idle credit is kept as overpay (owner's option)."""
    amount = d.state.credit
    d.record(Posted(ledger.CUSTOMER, ledger.OVERPAY, amount, "forfeit"))
    close_credit(d, CreditEnd.IDLE, forfeited=amount)
    d.set(credit=0)
    d.hush()
    leave(d)


def restart_time(d: Draft) -> None:
    """Any input restarts the time that a credit may stand there (not that of choose again)."""
    if d.world.door_open:
        return
    match d.state.phase:
        case Credit() | Owed():
            d.arm(Timer.IDLE, d.policy.idle_credit_ms)
        case Hold():
            d.arm(Timer.HOLD, d.policy.multi_vend_hold_ms)
        case OverpayAsked():
            d.arm(Timer.OVERPAY, d.policy.overpay_confirm_ms)
        case SessionOpen():
            d.arm(Timer.SESSION, d.policy.session_ms)
        case _:
            pass


def to_credit(d: Draft) -> None:
    """Plain credit; with the door open no time runs."""
    d.go(Credit(), None if d.world.door_open else d.policy.idle_credit_ms)
