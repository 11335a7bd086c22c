"""Any payment device pulled and plugged back during a sale and during a payout: nobody loses
money, the recording shows it, and the machine is whole again afterwards."""

import pytest
from pulling import Case, play

from hw_sim.habits import Habit

SILENT = ("no answer", "lost")
COINS, EXACT, RETURNS = Habit.OVERPAYS, Habit.EXACT, Habit.LEVER
ONE_BILL, LARGE = Habit.BILL, Habit.LARGE_BILL
TAPS, ASKS = Habit.TAP_FIRST, Habit.TAP_LATER

DURING_A_SALE = [
    Case("changer", "at once", COINS, trace="CHANGER", after_s=0.7),
    Case("changer", "vending", COINS, trace="CHANGER"),
    Case("changer", "vending", TAPS, trace="CHANGER"),
    Case("validator", "bill in entry", ONE_BILL, trace="BILLS"),
    Case("validator", "bill in escrow", ONE_BILL, trace="BILLS"),
    Case("validator", "bill in moving", ONE_BILL, trace="BILLS"),
    Case("validator", "vending", ONE_BILL, trace="BILLS"),
    Case("reader 1", "session", TAPS, trace="READER 1", seed=4),
    Case("reader 1", "asked", ASKS, trace="READER 1"),
    Case("reader 1", "approved", ASKS, trace="READER 1"),
    Case("reader 1", "vending", ASKS, trace="READER 1"),
    Case("reader 2", "session", TAPS, trace="READER 2", seed=2),
    Case("reader 2", "approved", TAPS, trace="READER 2", seed=2),
    Case("acceptor", "at once", COINS, machine="cctalk", trace="COIN 2", after_s=0.7),
    Case("hopper 100", "vending", EXACT, machine="cctalk", trace="HOPPER 3"),
    Case("validator", "bill in escrow", ONE_BILL, machine="cctalk", trace="BILL 40", before=6),
    Case("mdb adapter", "vending", COINS),
    Case("cctalk adapter", "vending", EXACT, machine="cctalk"),
]
DURING_A_PAYOUT = [
    Case("changer", "paying coins", COINS, trace="CHANGER", after_s=0.4),
    Case("changer", "paying coins", RETURNS, trace="CHANGER", after_s=0.4),
    Case("changer", "paying coins", COINS, trace="CHANGER", after_s=0.4, off_s=0.5),
    Case("validator", "paying bills", LARGE, trace="BILLS", seed=4),
    Case("validator", "paying bills", LARGE, trace="BILLS", seed=4, off_s=0.5),
    Case("reader 1", "refunding", ASKS, trace="READER 1", lost=True),
    Case("hopper 100", "paying coins", RETURNS, machine="cctalk", trace="HOPPER 3"),
    Case("acceptor", "paying coins", RETURNS, machine="cctalk", trace="COIN 2"),
    Case("mdb adapter", "paying coins", COINS),
    Case("cctalk adapter", "paying coins", RETURNS, machine="cctalk"),
]


@pytest.mark.parametrize("case", DURING_A_SALE, ids=str)
def test_pulled_during_a_sale(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    after = play(case, monkeypatch)
    assert after.verdict.violations == ()
    assert after.visit.pulled == [case.device]
    assert after.visit.finished
    assert after.shown(SILENT, case.trace)
    assert after.idle.startswith("MAKE A SELECTION")


@pytest.mark.parametrize("case", DURING_A_PAYOUT, ids=str)
def test_pulled_during_a_payout(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    after = play(case, monkeypatch)
    assert after.verdict.violations == ()
    assert after.visit.pulled == [case.device]
    assert after.visit.finished
    assert after.shown(SILENT, case.trace)
    assert after.idle.startswith("MAKE A SELECTION")
