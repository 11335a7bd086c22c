"""Deeds for cards: what a reader tells of its holder and of the vend it was asked for."""

from typing import Any

from tests.sale.bench import Bench
from tests.sale.script import Deed
from vendd.core.sale.acts import CheckAge, RequestVend
from vendd.core.sale.card_reports import (
    AgeVerified,
    CardReaderLost,
    RefundState,
    SessionBegun,
    SessionEnded,
    VendApproved,
    VendDenied,
    VendFailureSettled,
    VendSuccessSettled,
)

CONFIRMED, FAILED = RefundState.CONFIRMED, RefundState.FAILED
SILENT, UNABLE = RefundState.UNCONFIRMED, RefundState.UNSUPPORTED


def tap(reader: int = 1, funds: int | None = None, **card: Any) -> SessionBegun:
    """A card is held to the reader."""
    return SessionBegun(reader, funds, **card)


def card_gone(reader: int = 1, why: str = "reader") -> SessionEnded:
    return SessionEnded(reader, why)


def lost(reader: int = 1) -> CardReaderLost:
    return CardReaderLost(reader, "silent")


def approved(amount: int | None = None, *, token: bool = False) -> Deed:
    """The newest request; the whole price unless an amount is given."""

    def answer(bench: Bench) -> None:
        asked = bench.newest(RequestVend)
        paid = asked.price if amount is None else amount
        bench.report(VendApproved(asked.reader, asked.vend_id, paid, token))

    return answer


def denied(why: str = "denied", *, doubtful: bool = False) -> Deed:
    """The newest request is answered with no, or taken back."""

    def answer(bench: Bench) -> None:
        asked = bench.newest(RequestVend)
        bench.report(VendDenied(asked.reader, asked.vend_id, why, doubtful))

    return answer


def settled(state: RefundState = CONFIRMED) -> Deed:
    """The end of VEND FAILURE for the newest request."""

    def end(bench: Bench) -> None:
        asked = bench.newest(RequestVend)
        bench.report(VendFailureSettled(asked.reader, asked.vend_id, state))

    return end


def heard(*, acknowledged: bool = True) -> Deed:
    """The end of VEND SUCCESS for the newest request."""

    def end(bench: Bench) -> None:
        asked = bench.newest(RequestVend)
        bench.report(VendSuccessSettled(asked.reader, asked.vend_id, acknowledged))

    return end


def age(*, verified: bool = True) -> Deed:
    """The answer to the newest age check."""

    def answer(bench: Bench) -> None:
        asked = bench.newest(CheckAge)
        bench.report(AgeVerified(asked.reader, asked.check_id, verified, "01"))

    return answer
