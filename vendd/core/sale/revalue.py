"""Cash onto a card: only because its holder asked, only what is credit, and once.

Off unless the owner allows it. In an open session of a card that can be revalued coins and bills
are taken; the holder keys zeros (``00``) to have the credit put on the card.
"""

from vendd.core import ledger
from vendd.core.facts import CreditEnd
from vendd.core.policy import Policy
from vendd.core.rows import Posted
from vendd.core.sale import doubt
from vendd.core.sale.acts import CompleteSession, Revalue
from vendd.core.sale.card_reports import RevalueSettled
from vendd.core.sale.closing import close_credit, leave, open_claim, to_credit
from vendd.core.sale.draft import Draft
from vendd.core.sale.states import Revaluing, SessionOpen


def code(policy: Policy) -> str:
    """What is keyed to ask for it; no slot may be called like that."""
    return "0" * policy.selection_length


def asked(d: Draft, selection: str) -> bool:
    """Whether this selection is the wish to put the credit on the card."""
    phase = d.state.phase
    if not isinstance(phase, SessionOpen) or not d.policy.revalue:
        return False
    wish = selection == code(d.policy) and phase.session.revaluable
    return wish and d.state.credit > 0 and d.state.bill is None


def begin(d: Draft) -> None:
    """Ask the reader; the credit stays credit until it has answered."""
    phase = d.state.phase
    assert isinstance(phase, SessionOpen)
    number = f"v{d.number('check')}"
    d.clear_entry()
    d.hush()
    d.go(Revaluing(phase.session, number, d.state.credit), d.policy.authorise_ms)
    d.do(Revalue(phase.session.reader, number, d.state.credit))


def on_settled(d: Draft, report: RevalueSettled) -> None:
    """On the card, or not; what nobody knows is a claim."""
    phase = d.state.phase
    if not isinstance(phase, Revaluing) or phase.revalue_id != report.revalue_id:
        return
    if report.doubtful:
        unknown(d, power_loss=False)
    elif report.approved:
        _on_the_card(d, phase)
    else:
        _back(d, phase)
        d.say("declined", d.policy.refusal_ms)


def _on_the_card(d: Draft, phase: Revaluing) -> None:
    account = ledger.cashless(phase.session.reader)
    d.record(Posted(ledger.CUSTOMER, account, phase.amount, "revalue", phase.revalue_id))
    d.set(credit=d.state.credit - phase.amount)
    d.customer_with(revalued=d.customer().revalued + phase.amount)
    if d.state.credit == 0:
        close_credit(d, CreditEnd.REVALUED)
        d.set(customer=None, refused=())
    _back(d, phase)
    d.say("revalued", d.policy.thanks_ms, amount=phase.amount)


def _back(d: Draft, phase: Revaluing) -> None:
    if phase.open:  # it ends at once where nothing is sold any more
        d.go(SessionOpen(phase.session), d.policy.session_ms)
    elif d.state.credit:
        to_credit(d)
    else:
        leave(d)


def unknown(d: Draft, *, power_loss: bool) -> None:
    """No answer, or the power went: it may be on the card."""
    phase = d.state.phase
    assert isinstance(phase, Revaluing)
    doubt.doubtful_revalue(d, phase, power_loss=power_loss)
    if phase.open and not power_loss:
        d.do(CompleteSession(phase.session.reader))
    why = CreditEnd.POWER_LOSS if power_loss else CreditEnd.REVALUED
    open_claim(d, why, "revalue_unclear")
