"""Age checks: the reader leads, the machine waits for its word and asks nothing of its own."""

from vendd.core.sale.acts import CheckAge, StopAgeCheck
from vendd.core.sale.card import back
from vendd.core.sale.closing import to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.states import (
    AgeCheck,
    OverpayAsked,
    Owed,
    SessionOpen,
)


def reader_for(d: Draft) -> int | None:
    """The reader that can verify an age now; None when nobody could."""
    phase = d.state.phase
    if isinstance(phase, SessionOpen):
        return phase.session.reader
    if isinstance(phase, Owed):
        return None
    return next((r.number for r in d.world.readers if r.ready), None)


def ask(d: Draft, selection: str, reader: int) -> None:
    """Nothing is reserved: the selection is looked at anew when the age is known."""
    phase = d.state.phase
    session = phase.session if isinstance(phase, SessionOpen) else None
    if isinstance(phase, OverpayAsked):
        to_credit(d)
    check = f"a{d.number('check')}"
    d.clear_entry()
    d.hush()
    d.go(AgeCheck(selection, reader, check, session), d.policy.age_check_ms)
    years = d.world.slots[selection].slot.product.min_age
    d.do(CheckAge(reader, check, years))


def stop(d: Draft) -> None:
    """Lever, time, door: the customer does without."""
    phase = d.state.phase
    assert isinstance(phase, AgeCheck)
    d.do(StopAgeCheck(phase.reader))
    leave_check(d)


def leave_check(d: Draft) -> None:
    """Where the customer was before."""
    phase = d.state.phase
    assert isinstance(phase, AgeCheck)
    if phase.session is not None:
        d.go(SessionOpen(phase.session), d.policy.session_ms)
    else:
        back(d)
