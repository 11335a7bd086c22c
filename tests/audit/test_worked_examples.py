"""The standard's own worked examples (EVA-DTS 6.1.1, 5.1.8, 5.2.3, 5.2.4), one test each: what
happened, and every element of the report that moved, those since the last reset included."""

import pytest
from audit_books import book, moved, report

from vendd.core import ledger
from vendd.core.facts import Channel
from vendd.core.rows import Posted, Record, TubeSet, Vended, VendPart

BOX, IN, OUT = ledger.COIN_BOX, ledger.CUSTOMER, ledger.CHANGE
TUBE_5, TUBE_10, TUBE_50 = (ledger.tube(value) for value in (5, 10, 50))


def vend(*parts: VendPart, price: int = 40, line: str = "6", **more: int) -> Vended:
    return Vended("s1", line, Channel.KEYPAD, price, parts, **more)


def four(name: str, value: int, number: int = 1, first: int = 1) -> dict[str, int]:
    """Value and number since initialisation, and both again since reset."""
    both = (value, number, value, number)
    return {f"{name}{first + n:02}": part for n, part in enumerate(both) if part}


def sold(line: str, value: int, number: int = 1) -> dict[str, int]:
    return four(f"{line}:PA2", number, value)


def by_device(line: str, key: str, value: int) -> dict[str, int]:
    return four(f"{line}:PA7({key}):", 1, value, first=5)


def tubes(value: int, count: int) -> TubeSet:
    return TubeSet(1, value, count)


def posted(debit: str, credit: str, amount: int, reason: str = "coin_in") -> Posted:
    return Posted(debit, credit, amount, reason)


def cash(*elements: int, amount: int) -> dict[str, int]:
    return {f"CA3{number:02}": amount for number in elements}


EXAMPLES: dict[str, tuple[list[Record], dict[str, int]]] = {
    "cash vend": (
        [vend(VendPart("CA", 40))],
        {**four("VA1", 40), **four("CA2", 40), **sold("6", 40), **by_device("6", "CA,0,40", 40)},
    ),
    "card vend": (
        [vend(VendPart("DA", 40, 1))],
        {**four("VA1", 40), **four("DA2", 40), **sold("6", 40), **by_device("6", "DA,1,40", 40)},
    ),
    "cash 25 and card 15": (
        [vend(VendPart("CA", 25), VendPart("DA", 15, 1))],
        {
            **four("VA1", 40),
            **four("CA2", 25),
            **four("DA2", 15),
            **sold("6", 40),
            **by_device("6", "CA,0,40", 25),
            **by_device("6", "DA,1,40", 15),
            **four("DA10", 1, 15),
            **four("6:PA8", 1, 25),
        },
    ),
    "mixed: price 1.50, card 0.70, coin 1.00": (
        [vend(VendPart("CA", 100), VendPart("DA", 50, 1), price=150)],
        {
            **four("VA1", 150),
            **four("CA2", 100),
            **four("DA2", 50),
            **sold("6", 150),
            **by_device("6", "CA,0,150", 100),
            **by_device("6", "DA,1,150", 50),
            **four("DA10", 1, 50),
            **four("6:PA8", 1, 100),
        },
    ),
    "mixed with a lower card price": (
        [vend(VendPart("CA", 70), VendPart("DA", 0, 1), price=70)],
        {
            **four("VA1", 70),
            **four("CA2", 70),
            "DA202": 1,
            "DA204": 1,
            **sold("6", 70),
            **by_device("6", "CA,0,70", 70),
            "6:PA7(DA,1,70):05": 1,
            "6:PA7(DA,1,70):07": 1,
            "DA1001": 1,
            "DA1003": 1,
            **four("6:PA8", 1, 70),
        },
    ),
    "card with a discount, 40 to 30": (
        [vend(VendPart("DA", 30, 2), price=30, discount=10)],
        {
            **four("VA1", 40),
            **four("VA1", 10, first=5),
            **four("DA2", 40),
            "DA501": 10,
            "DA502": 1,
            "DA503": 10,
            "DA504": 1,
            **sold("6", 40),
            **four("6:PA2", 1, 10, first=5),
            **by_device("6", "DA,2,30", 30),
        },
    ),
    "card with a surcharge, 40 to 45": (
        [vend(VendPart("DA", 45, 3), price=45, surcharge=5)],
        {
            **four("VA1", 40),
            **four("VA1", 5, first=9),
            **four("DA2", 40),
            "DA505": 5,
            "DA506": 1,
            "DA507": 5,
            "DA508": 1,
            **sold("6", 40),
            **four("6:PA2", 1, 5, first=9),
            **by_device("6", "DA,3,45", 45),
        },
    ),
    "vend token": (
        [vend(VendPart("TA", 40))],
        {**four("VA1", 40), **four("TA2", 40), **sold("6", 40), **by_device("6", "TA,0,40", 40)},
    ),
    "value token 40, price 40": (
        [vend(VendPart("TA", 40, worth=40))],
        {
            **four("VA1", 40),
            **four("TA2", 40, first=5),
            **sold("6", 40),
            **by_device("6", "TA,0,40", 40),
        },
    ),
    "value token 40, price 30": (
        [vend(VendPart("TA", 30, worth=40), price=30, line="5")],
        {
            **four("VA1", 30),
            **four("TA2", 30, first=5),
            **sold("5", 30),
            **by_device("5", "TA,0,30", 30),
            "TA301": 40,
            "TA302": 40,
            "TA501": 10,
            "TA502": 10,
        },
    ),
    "pre-selection without a cup, line 12": (
        [vend(VendPart("CA", 35), price=35, line="12")],
        {
            **four("VA1", 35),
            **four("CA2", 35),
            **sold("12", 35),
            **by_device("12", "CA,0,35", 35),
        },
    ),
    "price lists 0, 1 and 2": (
        [
            vend(VendPart("CA", 40, 0)),
            vend(VendPart("DA", 30, 1), price=30),
            vend(VendPart("TA", 50, 2), price=50),
        ],
        {
            **four("VA1", 120, 3),
            **four("CA2", 40),
            **four("DA2", 30),
            **four("TA2", 50),
            **sold("6", 120, 3),
            **by_device("6", "CA,0,40", 40),
            **by_device("6", "DA,1,30", 30),
            **by_device("6", "TA,2,50", 50),
        },
    ),
    "coin of 1.00 into the box": ([posted(BOX, IN, 100)], cash(1, 2, 5, 6, amount=100)),
    "3 x 0.10 into the tubes": (
        [*[posted(TUBE_10, IN, 10)] * 3, tubes(10, 3)],
        {**cash(1, 3, 5, 7, amount=30), "CA1501": 30},
    ),
    "note of 5.00": (
        [posted(ledger.STACKER, IN, 500, "bill_in")],
        {**cash(1, 5, 9, 10, amount=500), **cash(4, 8, amount=5)},
    ),
    "note of 5.00 into the recycler": (
        [posted(ledger.recycler(500), IN, 500, "bill_in")],
        {**cash(1, 5, 9, 10, 11, 12, amount=500), **cash(4, 8, amount=5)},
    ),
    "change of 3 x 0.10": (
        [*[posted(OUT, TUBE_10, 10, "change")] * 3, tubes(10, 7)],
        {"CA401": 30, "CA403": 30, "CA1501": 70},
    ),
    "manual dispense of 2 x 0.05": (
        [posted(ledger.MANUAL_DISPENSE, TUBE_5, 10, "manual_dispense"), tubes(5, 8)],
        {"CA401": 10, "CA402": 10, "CA403": 10, "CA404": 10, "CA1501": 40},
    ),
    "4 x 0.05 filled into the tubes by hand": (
        [posted(TUBE_5, ledger.FILLS, 20, "fill"), tubes(5, 4)],
        {**cash(1, 3, 5, 7, amount=20), "CA1001": 20, "CA1002": 20, "CA1501": 20},
    ),
    "1.00 filled into the box by hand": (
        [posted(BOX, ledger.FILLS, 100, "fill")],
        {**cash(1, 2, 5, 6, amount=100), "CA1001": 100, "CA1002": 100},
    ),
    "overpay: coin 1.00, price 0.40, only 0.50 of change": (
        [
            posted(BOX, IN, 100),
            vend(VendPart("CA", 40)),
            posted(OUT, TUBE_50, 50, "change"),
            posted(IN, ledger.OVERPAY, 10, "overpay"),
            tubes(50, 0),
        ],
        {
            **four("VA1", 40),
            **four("CA2", 40),
            **sold("6", 40),
            **by_device("6", "CA,0,40", 40),
            **cash(1, 2, 5, 6, amount=100),
            "CA401": 50,
            "CA403": 50,
            "CA801": 10,
            "CA802": 10,
        },
    ),
    "card revalued with 1.00 (box) and 2 x 0.10 (tubes)": (
        [
            posted(BOX, IN, 100),
            *[posted(TUBE_10, IN, 10)] * 2,
            posted(IN, ledger.cashless(1), 120, "revalue"),
            tubes(10, 2),
        ],
        {
            **cash(1, 5, amount=120),
            **cash(2, 6, amount=100),
            **cash(3, 7, amount=20),
            "DA401": 120,
            "DA402": 120,
            "CA1501": 20,
        },
    ),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_worked_example(books, example):
    records, expected = EXAMPLES[example]
    book(books, *records)
    assert moved(report(books)) == expected
