"""A planogram's problems: each named with its slot, what is wrong and what to do."""

from dataclasses import replace

import pytest

from vendd.core.planogram import Problem, Product, Slot, check_planogram

COLA = Product("cola", "Cola 0.33")
MOTORS = frozenset({"A1", "A2", "A3", "A4"})


def slot(selection: str = "A1", **changed: object) -> Slot:
    """A good slot; item number and motor follow the selection."""
    good = Slot(
        selection=selection,
        item_no=int(selection[-1]),
        product=COLA,
        motors=(selection,),
        capacity=10,
        par=10,
        threshold=2,
        prices={"cash": 150, "card": 160},
    )
    return replace(good, **changed)  # type: ignore[arg-type]


def problems(*slots: Slot, scale: int | None = 5) -> list[Problem]:
    return check_planogram(slots, motors=MOTORS, accepts_scale=scale)


def test_a_good_planogram_has_none() -> None:
    free = slot("A3", free=True, prices={})
    assert problems(slot("A1"), slot("A2", motors=("A2", "A4")), free) == []
    assert problems() == []


@pytest.mark.parametrize(
    ("changed", "where", "what", "remedy"),
    [
        ({"selection": "a1"}, "selection", "'a1' can't be keyed", "capital letters"),
        ({"selection": ""}, "selection", "'' can't be keyed", "capital letters"),
        ({"selection": "A-1"}, "selection", "'A-1' can't be keyed", "capital letters"),
        ({"selection": "Ä1"}, "selection", "'Ä1' can't be keyed", "capital letters"),
        ({"selection": "A1\n"}, "selection", "can't be keyed", "capital letters"),
        ({"item_no": 0}, "item_no", "0 is out of range", "1 to 65534"),
        ({"item_no": 65_535}, "item_no", "65535 is out of range", "1 to 65534"),
        ({"motors": ()}, "motors", "no motor", "name the motor"),
        ({"motors": ("Z9",)}, "motors", "'Z9' is not a motor", "A1, A2, A3, A4"),
        ({"motors": ("A1", "A1")}, "motors", "'A1' is named twice", "once"),
        ({"capacity": 9}, "par", "10 is out of range", "capacity, 9"),
        ({"par": 1}, "threshold", "2 is out of range", "par level, 1"),
        ({"threshold": -1}, "threshold", "-1 is out of range", "par level, 10"),
        ({"prices": {"cash": 0}}, "price cash", "0 is not a price", "mark the slot as free"),
        ({"prices": {"cash": -5}}, "price cash", "-5 is not a price", "above 0"),
        (
            {"prices": {"cash": 150, "card": 0}},
            "price card",
            "0 is not a price",
            "mark the slot as free",
        ),
        ({"prices": {"card": 150}}, "price", "no cash price", "all lists"),
        ({"free": True}, "price cash", "150 minor units although", "or free"),
        (
            {"prices": {"cash": 152}},
            "price cash",
            "152 minor units can't be paid",
            "150 or 155",
        ),
        ({"prices": {"cash": 3}}, "price cash", "3 minor units can't be paid", "example 5"),
    ],
)
def test_one_problem(changed: dict[str, object], where: str, what: str, remedy: str) -> None:
    bad = replace(slot(), **changed)  # type: ignore[arg-type]
    first, *_ = problems(bad)
    assert first.where == f"slot 1 ({bad.selection}) {where}"
    assert what in first.what
    assert remedy in first.remedy


def test_edges_that_are_fine() -> None:
    assert problems(slot(item_no=65_534, par=0, threshold=0)) == []
    assert problems(slot(threshold=10)) == []
    assert problems(slot(free=True, prices={"cash": 0})) == []
    # A reader charges what it likes; coins need not make it.
    assert problems(slot(prices={"cash": 150, "card": 163})) == []


@pytest.mark.parametrize("scale", [None, 0])
def test_without_a_changer_any_price_will_do(scale: int | None) -> None:
    assert problems(slot(prices={"cash": 152}), scale=scale) == []


def test_what_two_slots_may_not_share() -> None:
    found = problems(slot("A1"), slot("A2", item_no=1), slot("A3", motors=("A1", "A3")), slot("A1"))
    assert [(p.where, p.what) for p in found] == [
        ("slot 2 (A2) item_no", "1 is also that of slot 1 (A1)"),
        ("slot 3 (A3) motors", "'A1' also turns slot 1 (A1)"),
        ("slot 4 (A1) selection", "'A1' is also that of slot 1 (A1)"),
        ("slot 4 (A1) item_no", "1 is also that of slot 1 (A1)"),
        ("slot 4 (A1) motors", "'A1' also turns slot 1 (A1)"),
    ]


def test_selections_have_one_length() -> None:
    [problem] = problems(slot("A1"), replace(slot("A2"), selection="A12"))
    assert problem.where == "slot 2 (A12) selection"
    assert problem.what == "'A12' has 3 characters, the first slot's has 2"
    assert str(problem).endswith("first slot's has 2; give all selections the same length")


def test_all_problems_come_at_once() -> None:
    bad = slot(item_no=0, motors=("Z9",), capacity=0, par=5, threshold=7, prices={"card": -1})
    assert [p.where.removeprefix("slot 1 (A1) ") for p in problems(bad)] == [
        "item_no",
        "motors",
        "capacity",
        "par",
        "threshold",
        "price card",
        "price",
    ]


def test_a_free_slot_costs_nothing_on_any_list() -> None:
    assert slot(free=True).price("card") == 0
    assert slot().price("card") == 160
    assert slot().price("app") == 150, "lists that name no price fall back to cash"
