"""A coin, a sale, a context: the smallest decisions that touch every table."""

from vendd.core import ledger
from vendd.core.facts import (
    Channel,
    ItemDispensed,
    Outcome,
    Proof,
    RefusalReason,
    SaleClosed,
    SaleRefused,
    StockChanged,
    StockReason,
    Tender,
    TenderKind,
)
from vendd.core.rows import (
    CountersAdded,
    LevelChanged,
    Posted,
    Record,
    Released,
    Reserved,
    TubeSet,
)
from vendd.events.context import Context

LEVELS = {"A1": 8, "A2": 1, "B1": 0}


def context(at: str = "2026-01-31T12:00:00.000Z", boot: int = 1) -> Context:
    return Context(
        machine="demo-0001",
        boot_id="7b0c",
        boot_count=boot,
        uptime_ms=1_234,
        time=at,
        clocksync=True,
        currency="EUR",
        exponent=2,
        software="0.1.0",
        config_hash="c0ffee",
        planogram_ver=1,
        price_ver=1,
    )


def coin(count: int) -> list[Record]:
    """The `count`-th coin of 1.00 lands in its tube as credit."""
    return [Posted("tube:100", ledger.CUSTOMER, 100, "coin"), TubeSet(3, 100, count)]


def reserve(sale_id: str, selection: str = "A1", quantity: int = 1) -> list[Record]:
    return [Reserved(sale_id, selection, quantity)]


def delivered(sale_id: str, before: int, selection: str = "A1") -> list[Record]:
    """The end of a sale of 1.00: six rows and three facts."""
    stock = StockChanged(
        selection, "cola", before, -1, before - 1, 10, 10, 2, StockReason.SOLD, sale_id
    )
    return [
        LevelChanged(selection, -1, StockReason.SOLD, sale_id),
        Released(sale_id, selection),
        Posted(ledger.CUSTOMER, ledger.SALES, 100, "sale", sale_id),
        Posted(ledger.CUSTOMER, ledger.CHANGE, 10, "change", sale_id),
        Posted(ledger.CHANGE, ledger.CUSTOMER, 10, "change", sale_id),
        CountersAdded(sales_count=1, sales_value=100, cash_in=100),
        item_dispensed(sale_id, before, selection),
        stock,
        sale_closed(sale_id, before, selection),
    ]


def item_dispensed(sale_id: str, before: int, selection: str = "A1") -> ItemDispensed:
    return ItemDispensed(
        sale_id, "t1", selection, "cola", 1, Proof.DROP, 1, before, before - 1, Channel.KEYPAD
    )


def refused() -> SaleRefused:
    """A fact that is not money."""
    return SaleRefused("B1", "cola", 150, 0, RefusalReason.SOLD_OUT)


def sale_closed(sale_id: str, before: int, selection: str = "A1") -> SaleClosed:
    return SaleClosed(
        sale_id=sale_id,
        sale_no=1,
        session_id="v1",
        channel=Channel.KEYPAD,
        outcome=Outcome.SOLD,
        slot=selection,
        selection=selection,
        item_no=1,
        product_id="cola",
        product_name="Cola 0.33",
        vat_code="A",
        quantity=1,
        list_price=100,
        price_list="cash",
        discount=0,
        surcharge=0,
        price_charged=100,
        tenders=(Tender(TenderKind.COIN, "cash", "CA", 100, 100, 0),),
        change_due=0,
        change_paid=0,
        change_owed=0,
        overpay_kept=0,
        proof=Proof.DROP,
        drops=1,
        attempts=1,
        delivery_ms=2_500,
        total_ms=9_000,
        stock_after=before - 1,
        exact_change_mode=False,
        started_at="2026-01-31T12:00:00.000Z",
        closed_at="2026-01-31T12:00:09.000Z",
        sales_count=1,
        sales_value=100,
    )
