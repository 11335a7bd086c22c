"""How a sale and a credit end on the books: the facts the backend counts by."""

from vendd.core import ledger
from vendd.core.facts import (
    Channel,
    ClaimOpened,
    CreditClosed,
    CreditEnd,
    Outcome,
    Reason,
    SaleClosed,
    Tender,
    TenderKind,
)
from vendd.core.rows import ClaimSet, CountersAdded, Posted
from vendd.core.sale.draft import Draft
from vendd.core.sale.reports import Timer
from vendd.core.sale.states import ClaimShown, Credit, Idle, Owed, Paying, Sale


def close_sale(
    d: Draft,
    sale: Sale,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    change_due: int = 0,
    change_paid: int = 0,
) -> None:
    """The one `SaleClosed` of this sale. Change: what was decided, paid and is still owed."""
    sold = sale.delivered.value != "none"
    charged = sale.price if sold else 0
    d.record(CountersAdded(sales_count=int(sold), sales_value=charged))
    slot = d.world.slots[sale.selection].slot
    free = sale.channel is Channel.FREE
    tender = Tender(
        kind=TenderKind.FREE if free else TenderKind.COIN,
        device="cash",
        audit_device="CA",
        inserted=sale.credit_before,
        applied=charged + (sale.overpay if sold else 0),
        returned=change_paid,
    )
    now = d.world.now
    d.record(
        SaleClosed(
            sale_id=sale.id,
            sale_no=sale.no,
            session_id=sale.session_id,
            channel=sale.channel,
            outcome=outcome,
            slot=sale.selection,
            selection=sale.selection,
            item_no=slot.item_no,
            product_id=slot.product.id,
            product_name=slot.product.name,
            vat_code=slot.product.vat_code,
            quantity=1,
            list_price=sale.price,
            price_list=sale.price_list,
            discount=0,
            surcharge=0,
            price_charged=charged,
            tenders=(tender,),
            change_due=change_due,
            change_paid=change_paid,
            change_owed=change_due - change_paid,
            overpay_kept=sale.overpay if sold else 0,
            proof=sale.delivered,
            drops=sale.drops,
            attempts=sale.turn,
            delivery_ms=sale.delivery_ms,
            total_ms=max(0, now.uptime_ms - sale.started_ms),
            stock_after=d.world.slots[sale.selection].level,
            exact_change_mode=sale.exact_change,
            started_at=sale.started_at,
            closed_at=now.wall,
            sales_count=d.world.totals.sales_count,
            sales_value=d.world.totals.sales_value,
            reason=reason,
        )
    )


def close_credit(d: Draft, why: CreditEnd, *, owed: int = 0, forfeited: int = 0) -> None:
    """The customer's credit is gone without a sale."""
    customer = d.state.customer
    if customer is None or customer.bought:
        return
    d.record(
        CreditClosed(
            session_id=customer.id,
            inserted=customer.inserted,
            returned=customer.returned,
            owed=owed,
            forfeited=forfeited,
            reason=why,
        )
    )


def leave(d: Draft) -> None:
    """Nothing is left of this customer's money: ready for the next."""
    assert d.state.credit == 0
    d.clear_entry()
    d.go(Idle())
    d.set(customer=None, refused=())


def claim_ref(number: int) -> str:
    """Four digits a person can read out; all 9,000 are used before one comes again."""
    return str(1000 + (3821 + number * 7919) % 9000)


def owe(d: Draft) -> None:
    """The credit can't be paid now: it stays spendable, with the reference it would get."""
    ref = _ref_shown(d)
    retried = ref is not None
    d.go(Owed(ref or claim_ref(d.number("claim")), retried), d.policy.idle_credit_ms)


def _ref_shown(d: Draft) -> str | None:
    """The reference the customer has already been shown for this money, if any."""
    phase = d.state.phase
    if isinstance(phase, Owed):
        return phase.ref
    return phase.payout.owed_ref if isinstance(phase, Paying) else None


def open_claim(d: Draft, why: CreditEnd, reason: str, sale_id: str | None = None) -> None:
    """The credit becomes a claim: persisted, on the display, published; never paid by itself."""
    amount = d.state.credit
    ref = _ref_shown(d) or claim_ref(d.number("claim"))
    session_id = d.customer().id
    d.record(
        Posted(ledger.CUSTOMER, ledger.CLAIMS, amount, "claim", ref),
        ClaimSet(ref, amount, reason, sale_id),
        ClaimOpened(ref, amount, reason, sale_id, session_id),
    )
    close_credit(d, why, owed=amount)
    d.set(credit=0, customer=None, refused=())
    d.clear_entry()
    d.hush()
    d.go(ClaimShown(ref), d.policy.claim_ms)


def forfeit(d: Draft) -> None:
    """Idle credit is kept as overpay (owner's option)."""
    amount = d.state.credit
    d.record(Posted(ledger.CUSTOMER, ledger.OVERPAY, amount, "forfeit"))
    close_credit(d, CreditEnd.IDLE, forfeited=amount)
    d.set(credit=0)
    leave(d)


def restart_idle(d: Draft) -> None:
    """Any input restarts the idle time of a credit."""
    if isinstance(d.state.phase, Credit | Owed):
        d.arm(Timer.IDLE, d.policy.idle_credit_ms)
