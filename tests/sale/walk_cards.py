"""Random walks: what card readers may tell, given what they were asked and told."""

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from tests.sale.bench import Bench
from tests.sale.devices import Is
from tests.sale.script import coin
from tests.sale.script_cards import card_gone, lost, tap
from vendd.core.sale.acts import RequestVend, Revalue
from vendd.core.sale.card_reports import (
    AgeVerified,
    Pricing,
    ReaderFault,
    RefundState,
    RevalueSettled,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)
from vendd.core.sale.reports import KeyPressed

Move = Callable[[Bench], object]

_WHYS: Final = (
    "denied",
    "cancelled",
    "cancelled by reader",
    "session ended",
    "no answer",
    "reset",
    "refused",
    "something new",
)
_readers: Final = st.integers(1, 2)


def _asked(bench: Bench, vend_id: str) -> RequestVend | None:
    made = (a for a in bench.done if isinstance(a, RequestVend) and a.vend_id == vend_id)
    return next(made, None)


def _tap(reader: int, percent: int, pricing: Pricing) -> Move:
    """A card, where one is taken (or was, a moment ago) and none is."""

    def hold(bench: Bench) -> None:
        model, ready = bench.readers, bench.world.reader(reader).ready
        asked = any(
            v.reader == reader and v.is_ in (Is.ASKED, Is.CANCELLED) for v in model.vends.values()
        )
        if ready and reader not in model.sessions and (asked or reader not in model.engaged):
            card = {"pricing": pricing, "pricing_data": percent, "revaluable": percent == 0}
            bench.report(tap(reader, 700, **card))

    return hold


def end_session(reader: int) -> Move:
    """The reader is at rest again: not in the middle of a vend."""

    def end(bench: Bench) -> None:
        open_ = (Is.ASKED, Is.APPROVED)
        mine = (v for v in bench.readers.vends.values() if v.reader == reader)
        failing = any(
            v.is_ is Is.FAILED and v.settled is None for v in bench.readers.vends.values()
        )
        if any(v.is_ in open_ for v in mine) or failing:
            return
        if reader in bench.readers.engaged:
            bench.report(card_gone(reader))

    return end


def _approve(share: int, token: bool) -> Move:
    """`share` in percent of what was asked; also when nobody waits for it any more."""

    def approve(bench: Bench) -> None:
        for vend_id, vend in list(bench.readers.vends.items())[-1:]:
            asked = _asked(bench, vend_id)
            open_ = vend.is_ in (Is.ASKED, Is.CANCELLED, Is.DENIED) and not vend.over
            if open_ and asked and vend.settled is None:
                amount = asked.price * share // 100
                bench.report(VendApproved(vend.reader, vend_id, amount, token))

    return approve


def _deny(why: str, doubtful: bool) -> Move:
    def deny(bench: Bench) -> None:
        for vend_id, vend in list(bench.readers.vends.items())[-1:]:
            if vend.is_ in (Is.ASKED, Is.CANCELLED) and _asked(bench, vend_id):
                doubt = doubtful and why not in ("denied", "refused")
                bench.report(VendDenied(vend.reader, vend_id, why, doubt))

    return deny


def settle(state: RefundState) -> Move:
    """Every vend that has an order gets its end; also a late approval after a denial."""

    def end(bench: Bench) -> None:
        for vend_id, vend in list(bench.readers.vends.items()):
            if vend.is_ is Is.FAILED and vend.settled is None:
                bench.report(VendFailureSettled(vend.reader, vend_id, state))
            elif vend.is_ is Is.CONFIRMED:
                bench.report(VendSuccessSettled(vend.reader, vend_id, acknowledged=True))

    return end


def _bought(reader: int, selection: str) -> Move:
    """A card customer for whom all goes well as far as the approval."""

    def buy(bench: Bench) -> None:
        _tap(reader, 0, Pricing.MACHINE)(bench)
        for legend in selection:
            bench.report(KeyPressed(legend))
        _approve(100, token=False)(bench)

    return buy


def _lose(reader: int, doubtful: bool, told_first: bool) -> Move:
    """A reader dies; what was under way is told before or after that."""

    def lose(bench: Bench) -> None:
        if not bench.world.reader(reader).ready:
            return
        if told_first:
            bench.report(lost(reader))
        for vend_id, vend in list(bench.readers.vends.items()):
            if vend.reader == reader and vend.is_ in (Is.ASKED, Is.CANCELLED):
                bench.report(VendDenied(reader, vend_id, "reset", doubtful))
            elif vend.reader == reader and vend.is_ is Is.FAILED and vend.settled is None:
                bench.report(VendFailureSettled(reader, vend_id, RefundState.UNCONFIRMED))
        if reader in bench.readers.engaged:
            bench.report(card_gone(reader, "no answer"))
        if not told_first:
            bench.report(lost(reader))

    return lose


def _up(reader: int, selection_first: bool) -> Move:
    def up(bench: Bench) -> None:
        if any(r.number == reader for r in bench.world.readers):
            _lose(reader, doubtful=False, told_first=True)(bench)
            bench.reader_up(reader, selection_first=selection_first)

    return up


def _age(verified: bool) -> Move:
    def answer(bench: Bench) -> None:
        for reader, check_id in list(bench.readers.checks.items()):
            bench.report(AgeVerified(reader, check_id, verified))

    return answer


def _stray_approval(bench: Bench) -> None:
    """Of an earlier life."""
    if "s0" not in bench.readers.vends:
        bench.report(VendApproved(1, "s0", 100))


def _revalued(approved: bool, doubtful: bool) -> Move:
    """Cash onto the card: the newest wish is answered."""

    def answer(bench: Bench) -> None:
        for act in [a for a in bench.done if isinstance(a, Revalue)][-1:]:
            bench.report(
                RevalueSettled(act.reader, act.revalue_id, approved and not doubtful, doubtful)
            )

    return answer


def _wish(bench: Bench) -> None:
    """All that it takes to put a coin on the card."""
    _tap(1, 0, Pricing.MACHINE)(bench)
    bench.report(coin(100), KeyPressed("0"), KeyPressed("0"))


_STRAYS: Final = (
    VendDenied(1, "s0", "denied"),
    VendDenied(1, "s0", "reset", doubtful=True),
    VendSuccessSettled(1, "s0", acknowledged=False),
    VendFailureSettled(2, "s0", RefundState.FAILED),
    AgeVerified(1, "a0", verified=True),
    ReaderFault(1, "bad_card"),
    lost(3),
    card_gone(3),
)


def card_moves(selections: tuple[str, ...]) -> st.SearchStrategy[Move]:
    yes = st.booleans()
    pricing = st.sampled_from((Pricing.MACHINE, Pricing.DISCOUNT, Pricing.SURCHARGE))
    shares = st.sampled_from((100, 100, 100, 0, 60, 150))
    return st.one_of(
        st.builds(_tap, _readers, st.sampled_from((0, 10, 100)), pricing),
        st.builds(_bought, _readers, st.sampled_from(selections)),
        st.builds(end_session, _readers),
        st.builds(_approve, shares, yes),
        st.builds(_approve, st.just(100), st.just(False)),
        st.builds(_deny, st.sampled_from(_WHYS), yes),
        st.builds(settle, st.sampled_from(RefundState)),
        st.builds(_lose, _readers, yes, yes),
        st.builds(_up, _readers, yes),
        st.builds(_age, yes),
        st.builds(_revalued, yes, yes),
        st.just(_wish),
        st.sampled_from(_STRAYS).map(lambda r: lambda b: b.report(r)),
        st.just(_stray_approval),
    )


def answered(bench: Bench) -> None:
    """Every request that nobody answered is denied."""
    for vend_id, vend in list(bench.readers.vends.items()):
        if vend.is_ in (Is.ASKED, Is.CANCELLED):
            bench.report(VendDenied(vend.reader, vend_id, "cancelled"))
