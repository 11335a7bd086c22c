"""One vend by card, from VEND REQUEST to END SESSION (NAMA MDB/ICP 4.2, 7.3-7.4).

The middle of `vendd.wire.mdb.cashless.CashlessMachine`; not used alone. Two rules
matter most: a VEND REQUEST that may have been heard is never sent again, and no
RESET is sent before VEND FAILURE was tried, because a RESET after an approval
counts as a success.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_faults import REFUND_ERROR, fatal
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    FailureSettled,
    Refund,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)
from vendd.wire.mdb.cashless_poll import Approved, BeginSession, Malfunction
from vendd.wire.mdb.cashless_start import (
    BROKEN_S,
    REST_S,
    RESTING,
    CashlessRules,
    Startup,
    State,
)

ASKED_S: Final = 300.0  # backstop; whoever asked has the real deadline
REFUSALS: Final = 3  # NAKs to a VEND REQUEST
IN_VEND: Final = 5  # the device's state *Vend* in an out-of-sequence report
ASKING: Final = frozenset({State.REQUESTED, State.CANCELLING})
PAYING: Final = frozenset({State.APPROVED, State.SUCCEEDING, State.FAILING})


@dataclass(slots=True)
class Vend:
    """`told`: the user knows of an approval. `crossed`: approved while we cancelled.

    `blind`: an answer to the request was lost on its way to us; `lossy`: one to the failure.
    `why`: of its end.
    """

    id: str
    price: int = 0
    item: int = cd.NO_ITEM
    told: bool = False
    crossed: bool = False
    blind: bool = False
    lossy: bool = False
    failing: bool = False
    sent: bool = False
    keep: bool = False
    why: str = ""

    def missed(self) -> None:
        """An answer was lost behind the adapter: the device believes that we heard it."""
        if self.failing:
            self.lossy = True
        else:
            self.blind = True


class Vending(Startup):
    """States SESSION to COMPLETING."""

    def __init__(self, rules: CashlessRules) -> None:
        super().__init__(rules)
        self._vend: Vend | None = None
        self._denied: Vend | None = None  # a late approval of it would have to be given back
        self._late_until = 0.0
        self._session = False  # the device has one open
        self._approved_one = False  # so it has one open, whatever it said before
        self._open = False  # the user waits for a `SessionOver`
        self._leaving = False  # the holder took the card away
        self._dropped = False  # the device ended the session in the middle of a vend
        self._refundable: bool | None = None  # what the session says of this card
        self._must_reset = False  # as soon as the vend is settled
        self.unexpected = 0  # messages that make no sense where they came

    # --- ends ----------------------------------------------------------------------

    def _abandon(self, why: str, news: list[CashlessNews]) -> None:
        vend, self._vend = self._vend, None
        self._denied = None
        self._enabled = None
        if vend is not None:
            if self.state is State.APPROVED:
                pass  # whoever has it will tell how it went, and hear that nobody listens
            elif self.state is State.SUCCEEDING:
                news.append(SuccessTold(vend.id, acknowledged=False))
            elif self.state is State.FAILING:
                self._tell_settled(vend, Refund.UNCONFIRMED, news)
            else:
                doubtful = vend.blind or vend.crossed
                news.append(VendNot(vend.id, why, doubtful))
        self._must_reset = False
        self._close(why, news)

    def _close(self, why: str, news: list[CashlessNews]) -> None:
        """The session is over, whoever ended it."""
        if self._open:
            news.append(SessionOver(why))
        self._open = self._session = self._leaving = self._dropped = False
        self._approved_one = False
        self._refundable = None

    def _rest(self, why: str, now: float, news: list[CashlessNews], rest_s: float = REST_S) -> None:
        self._must_reset = False
        super()._rest(why, now, news, rest_s)

    def _to_rest(self, why: str, news: list[CashlessNews]) -> None:
        self._close(why, news)
        self._enter(State.ENABLED if self._enabled else State.DISABLED)
        self._pause = None

    def _complete(self) -> None:
        self._enter(State.COMPLETING, cd.SESSION_COMPLETE, self.non_response_s)

    def _may_go_on(self) -> bool:
        here = self._session and not (self._leaving or self._dropped)
        return here and self._config.multivend

    def _after_vend(self, now: float, news: list[CashlessNews], *, keep: bool = False) -> None:
        if self._must_reset:
            self._abandon("reset", news)
            self._reset(now)
        elif keep and self._may_go_on():
            self._enter(State.SESSION)
        elif self._dropped:
            self._to_rest("reader", news)
        else:
            self._complete()

    # --- what the device says ------------------------------------------------------------

    def _begin(self, it: BeginSession, news: list[CashlessNews]) -> None:
        """BEGIN SESSION: new where there is none; repeated ones are the same (field note 8)."""
        if self._session or self.state is State.COMPLETING:
            return
        if self.state in RESTING or self.state is State.RECALLING:
            self._session = True
            if not self._wanted:
                self._complete()  # it must not; nobody is told
                return
            self._enter(State.SESSION)
        elif self.state in ASKING:
            self._session = True  # selection first, and the card is there now
        else:
            self.unexpected += 1
            return
        self._open = True
        told = self._session_of(it)
        self._refundable = told.refundable
        news.append(told)

    def _session_of(self, it: BeginSession) -> Session:
        flags = it.flags
        return Session(
            None if it.funds is None else self._units.minor(it.funds),
            it.media_id.hex().upper(),
            it.kind & 0x3F,
            it.data,
            bool(it.kind & 0x80),
            bool(it.kind & 0x40),
            bool(flags is not None and flags & 0x01),
            None if flags is None else bool(flags & 0x02),
            None if flags is None else bool(flags & 0x04),
            it.language,
        )

    def _approved(self, it: Approved, now: float, news: list[CashlessNews]) -> None:
        vend = self._vend
        self._approved_one = True
        if self.state is State.REQUESTED and vend is not None:
            token = it.units is None
            amount = vend.price if it.units is None else self._units.minor(it.units)
            vend.told = True
            self._enter(State.APPROVED)
            news.append(VendTaken(vend.id, amount, token))
            news += self.faults.vend_worked()
        elif self.state is State.CANCELLING and vend is not None:
            vend.crossed = True
            self._fail()
        elif self._denied is not None and now < self._late_until and self.state not in PAYING:
            self._vend, self._denied = self._denied, None
            self._vend.told = True  # so that its settlement is told
            self._fail()
        elif self.state is not State.APPROVED:
            self.unexpected += 1

    def _deny(self, now: float, news: list[CashlessNews]) -> None:
        """VEND DENIED, also the answer to VEND CANCEL."""
        vend = self._vend
        if self.state in ASKING and vend is not None:
            vend.blind = False  # that is its answer, whatever was lost
            self._tell_not(vend, vend.why or "denied", now, news)
            self._after_vend(now, news)
        else:
            self.unexpected += self.state not in PAYING

    def _end_session(self, now: float, news: list[CashlessNews]) -> None:
        """END SESSION: the answer to SESSION COMPLETE, or of the device's own accord."""
        vend = self._vend
        if self.state is State.APPROVED and vend is not None:
            self._dropped = True  # it gave up a vend that it has approved
            return
        if self.state is State.SUCCEEDING and vend is not None:
            self._succeeded(vend, news)
        elif self.state is State.FAILING and vend is not None:
            self._settle(vend, None, news)
        elif self.state in ASKING and vend is not None:
            if self.selection_first:
                self._session = False  # the request may have come after it, and be alive
                if self.state is State.REQUESTED:
                    self._cancel("session ended")
                return
            self._tell_not(vend, vend.why or "session ended", now, news)
        elif self.state not in (State.SESSION, State.COMPLETING, State.REVALUING):
            return
        if self._must_reset:
            self._after_vend(now, news)
        else:
            why = "completed" if self.state is State.COMPLETING else "reader"
            self._to_rest(why, news)

    def _cancel_request(self) -> None:
        """SESSION CANCEL REQUEST: the card was taken, or its button pressed."""
        if self.state is State.SESSION or self.state in RESTING:
            self._complete()  # at rest: it thinks that a session is open; end it
        elif self.state is State.REQUESTED:
            self._leaving = True
            self._cancel("cancelled by reader")
        elif self.state in PAYING or self.state in ASKING:
            self._leaving = True

    def _out_of_sequence(self, state: int | None, now: float, news: list[CashlessNews]) -> None:
        """It refuses the command where it stands, and wants a RESET."""
        vend = self._vend
        self._must_reset = True
        if self.state in ASKING and vend is not None:
            if vend.blind or state == IN_VEND:
                self._fail()
                return
            self._tell_not(vend, vend.why or "out of sequence", now, news)
        elif self.state is State.APPROVED:
            return  # settle first
        self._abandon("out of sequence", news)
        self._reset(now)

    def _malfunction(self, it: Malfunction, now: float, news: list[CashlessNews]) -> None:
        news += self.faults.reported(it)
        vend = self._vend
        if it.code == REFUND_ERROR and self.state is State.FAILING and vend is not None:
            self._settle(vend, Refund.FAILED, news)
            self._after_vend(now, news)
        elif fatal(it):
            if self.state in PAYING:
                self._must_reset = True
            elif self.state in ASKING and vend is not None:
                self._must_reset = True
                vend.why = vend.why or "reader failure"
                self._fail()
            elif self.state not in (State.HELD, State.RESETTING):
                self._rest("reader failure", now, news, BROKEN_S)

    # --- commands and their ends --------------------------------------------------------------

    def _cancel(self, why: str) -> None:
        assert self._vend is not None
        self._vend.why = self._vend.why or why
        self._enter(State.CANCELLING, cd.VEND_CANCEL, self.non_response_s)

    def _fail(self) -> None:
        assert self._vend is not None
        self._vend.failing = True
        self._enter(State.FAILING, cd.VEND_FAILURE, self.non_response_s)

    def _tell_not(self, vend: Vend, why: str, now: float, news: list[CashlessNews]) -> None:
        """It certainly did not approve, unless an answer of its was lost."""
        self._vend, self._denied = None, vend
        self._late_until = now + self.non_response_s
        news.append(VendNot(vend.id, why, doubtful=vend.blind))

    def _succeeded(self, vend: Vend, news: list[CashlessNews]) -> None:
        self._vend = None
        news.append(SuccessTold(vend.id, acknowledged=True))

    def _settle(self, vend: Vend, refund: Refund | None, news: list[CashlessNews]) -> None:
        """VEND FAILURE is at its end. None: it was answered, and no error told."""
        self._vend = None
        if refund is None:
            if vend.lossy or self._dropped:
                refund = Refund.UNCONFIRMED
            elif self._unknown or (self._config.refunds and self._refundable is not False):
                refund = Refund.CONFIRMED
            else:
                refund = Refund.UNSUPPORTED
        self._tell_settled(vend, refund, news)

    def _tell_settled(self, vend: Vend, refund: Refund, news: list[CashlessNews]) -> None:
        if vend.told:
            news.append(FailureSettled(vend.id, refund))
            return
        doubtful = refund is not Refund.CONFIRMED
        if refund is Refund.UNSUPPORTED:
            doubtful = vend.crossed or vend.blind
        news.append(VendNot(vend.id, vend.why or "no answer", doubtful))

    def _vend_taken(self, now: float, news: list[CashlessNews]) -> None:
        """The command of a vend state was acknowledged."""
        vend = self._vend
        if self.state is State.SUCCEEDING and vend is not None:
            self._succeeded(vend, news)
            self._after_vend(now, news, keep=vend.keep)
        elif self.state in (State.FAILING, State.COMPLETING, State.CANCELLING):
            self._deadline = now + self.non_response_s

    def _quiet(self, now: float, news: list[CashlessNews]) -> None:
        """POLL was answered by ACK: after a VEND FAILURE that means refunded."""
        vend = self._vend
        if self.state is State.FAILING and vend is not None and self._due is None:
            self._settle(vend, None, news)
            self._after_vend(now, news)

    def _vend_overdue(self, now: float, news: list[CashlessNews]) -> None:
        """The time of this state is over."""
        vend = self._vend
        if self.state is State.REQUESTED:
            self._cancel("no answer")
            return
        if self.state is State.CANCELLING:
            self._must_reset = True
            self._fail()
            return
        if self.state is State.COMPLETING and not (self._session or self._approved_one):
            self._to_rest("no answer", news)  # there was no session to end
            return
        if self.state is State.FAILING and vend is not None:
            self._settle(vend, Refund.UNCONFIRMED, news)
        self._abandon("no answer", news)
        self._reset(now)

    def _request_unheard(
        self, now: float, news: list[CashlessNews], *, refused: bool, lost: bool
    ) -> None:
        """VEND REQUEST: refused may be said again, anything else never is."""
        vend = self._vend
        assert vend is not None
        vend.blind = vend.blind or lost
        if not refused:
            self._due = None
        elif self._tries >= REFUSALS:
            self._tell_not(vend, "refused", now, news)
            if self._session:
                self._enter(State.SESSION)
            else:
                self._to_rest("refused", news)

    def _begin_wait(self, now: float) -> None:
        """The clock of a state runs from its first command on."""
        if self._deadline == inf and self._limit != inf:
            self._deadline = now + self._limit
