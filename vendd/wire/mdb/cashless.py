"""The master's side of one cashless device, sans-IO (NAMA MDB/ICP 4.2, section 7).

Used like `vendd.wire.mdb.changer`: `next(now)` gives a command once `wake_at` has come,
`answered` takes what came back. Amounts are minor units.

Is NOT responsible for deciding what is sold, for the time a customer has (cancel a request,
end a session when it is over), or for what follows from a refund that was not confirmed.
"""

from math import inf
from typing import Final

from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb.cashless_data import ReaderConfig
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    Lost,
    ReaderText,
    Revalued,
    RevalueUpTo,
    TimeAsked,
)
from vendd.wire.mdb.cashless_orders import Declined, Orders
from vendd.wire.mdb.cashless_poll import (
    AgeAnswer,
    Approved,
    BeginSession,
    Malfunction,
    Message,
    OutOfSequence,
    RevalueLimit,
    Text,
    Word,
    messages,
)
from vendd.wire.mdb.cashless_start import (
    ATTEMPTS,
    OPERATING,
    REST_S,
    RESTING,
    STEPS,
    CashlessRules,
    State,
)
from vendd.wire.mdb.cashless_vend import ASKING, REFUSALS
from vendd.wire.mdb.changer_data import Identity
from vendd.wire.mdb.exchange import Answer, Reply

__all__ = ["CashlessMachine", "CashlessRules", "Declined", "State"]

CASH_SALE: Final = b"\x13\x05"


class CashlessMachine(Orders):
    """See the module, and `Orders`."""

    def __init__(self, rules: CashlessRules, *, held: bool = False) -> None:
        super().__init__(rules, held=held)
        self._asked = b""
        self._sent_at = 0.0
        self._silent_since: float | None = None
        self._force_poll = False
        self._job = False  # the command under way is no step of the state

    # --- the exchange -------------------------------------------------------------

    def next(self, now: float) -> bytes | None:
        """The command to send now (address byte first, no CHK), or None before `wake_at`."""
        if now < self.wake_at:
            return None
        self._asked = self._ask(now)
        self._sent_at = now
        self.wake_at = inf
        return cd.for_device(self._asked, self._rules.number)

    def _ask(self, now: float) -> bytes:
        self._job = False
        self._begin_wait(now)
        if self.state is State.RESETTING:
            return self._ask_resetting(now)
        if self._force_poll:
            self._force_poll = False
        elif self._due is not None:
            if self._vend is not None:
                self._vend.sent = True
            return self._due
        else:
            job = self._next_job(now)
            if job is not None:
                self._job = True
                return job
        return cd.POLL

    def _next_job(self, now: float) -> bytes | None:
        """What can be said between transactions."""
        resting = self.state in RESTING
        if not resting and self.state is not State.SESSION:
            return None
        if resting and self._enabled is not self._wanted:
            return cd.READER_ENABLE if self._wanted else cd.READER_DISABLE
        if resting and self._prices_told != self._prices:
            return self._price_command()
        if self._time:
            return cd.write_time(self._time)
        age = self._age.next(now)
        if age is not None or not resting or not self._cash_sales:
            return age
        price, item = self._cash_sales[0]
        return cd.cash_sale(price, item, wide=self._units.wide, currency=self._currency_bcd())

    def answered(self, reply: Reply, now: float) -> list[CashlessNews]:
        """What came back for the last command; call it exactly once per command."""
        news, self._pending = self._pending, []
        self._pause = None
        if reply.valid:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._sent_at
        if self.state is State.RESETTING and reply.valid:
            self._heard_while_resetting(self._asked)
            self._read(reply, now, news)
        elif reply.valid:
            self._valid(reply, now, news)
        else:
            self._missed(reply.answer, now, news)
        if self._silent_since is not None and now - self._silent_since >= self.non_response_s:
            self._no_contact(now, news)
        if now >= self._deadline:
            self._overdue(now, news)
        news += self._age.overdue(now)
        self.wake_at = self._sent_at + self._wait(reply)
        return news

    def _wait(self, reply: Reply) -> float:
        """Seconds from this command to the next."""
        if self._pause is not None:
            return self._pause
        at_once = reply.valid and self._due is not None and self._due != self._asked
        return 0.0 if at_once else self._rules.poll_s

    def _valid(self, reply: Reply, now: float, news: list[CashlessNews]) -> None:
        state, was_due = self.state, self._asked == self._due and not self._job
        if self._job:
            self._job_done()
        elif was_due:
            self._due = None
        self._read(reply, now, news)
        if self.state is not state or (was_due and self._has_more()):
            return  # the answer led on
        if was_due:
            self._taken(now, news)
        elif reply.answer is Answer.ACK and self._asked == cd.POLL:
            self._quiet(now, news)

    def _has_more(self) -> bool:
        return self._due is not None

    def _taken(self, now: float, news: list[CashlessNews]) -> None:
        """The command of this state was acknowledged; what else is due comes on POLL."""
        if self.state in STEPS and self.state is not State.IDENTITY:
            self._step_done(news, taken=True)
        else:
            self._vend_taken(now, news)

    def _missed(self, answer: Answer, now: float, news: list[CashlessNews]) -> None:
        """No answer, a refusal, or an answer that was lost on the way."""
        lost, silent = answer is Answer.LOST, answer is Answer.SILENCE
        if self._job:
            self._job_missed(answer)
        elif self._asked == self._due:
            self._tries += 1
            self._force_poll = answer is not Answer.NAK
            if self.state is State.REQUESTED:
                refused = answer is Answer.NAK
                self._request_unheard(now, news, refused=refused, lost=lost)
            elif self.state is State.REVALUING:
                self._revalue_unheard(answer, news)
            elif self._tries >= ATTEMPTS and self.state in STEPS:
                self._skip_step(news)
            elif self._tries >= ATTEMPTS and self.state is State.CONFIG and not silent:
                self._rest("setup failed", now, news, REST_S)
        elif lost and self.state in RESTING:
            self._enabled = None  # a reset may have been in it: enabling again will show
        if lost and self._vend is not None:
            self._vend.missed()

    def _skip_step(self, news: list[CashlessNews]) -> None:
        """A device that can't do it is used without."""
        self._step_done(news, taken=False)

    def _job_done(self) -> None:
        self._pause = 0.0
        match self._asked[:2]:
            case cd.READER_ENABLE | cd.READER_DISABLE:
                self._enabled = self._asked == cd.READER_ENABLE
                if self.state in RESTING:
                    self.state = State.ENABLED if self._enabled else State.DISABLED
            case b"\x17\x03":
                self._time = b""
            case b"\x17\xff":
                self._age.taken()
            case b"\x13\x05":
                self._cash_sales.popleft()
            case _:
                pass

    def _job_missed(self, answer: Answer) -> None:
        self._force_poll = True
        asked = self._asked[:2]
        if asked == CASH_SALE and answer is not Answer.NAK:
            self._cash_sales.popleft()  # it may have been heard: better missing than twice
        elif asked == b"\x11\x01":
            self._prices_told = None if self._prices is not None else self._prices_told

    def _no_contact(self, now: float, news: list[CashlessNews]) -> None:
        """Silent for longer than it may be. A vend is settled before anything else."""
        vend = self._vend
        if self.state in ASKING and vend is not None:
            self._must_reset = True
            vend.why = vend.why or "no answer"
            self._fail()
        elif self.state in (State.APPROVED, State.HELD):
            self._must_reset = True
        elif self.state is not State.FAILING:  # that one has its own end
            self._lose("no answer", now, news)
            return
        if not self._told_lost:
            self._told_lost = True
            news.append(Lost("no answer"))

    def _overdue(self, now: float, news: list[CashlessNews]) -> None:
        self._deadline = inf
        if self.state is State.JUST_RESET:
            self._no_report(now, news)
        elif self.state is State.CONFIG:
            self._ask_config_again(now, news)
        elif self.state in STEPS:
            self._skip_step(news)
        elif self.state is State.RECALLING:
            self._to_rest("", news)
        elif self.state is State.HELD:
            self._enter(State.RESETTING)
        elif self.state is State.UNUSABLE:
            self._reset(now)
        elif self.state in OPERATING:
            self._vend_overdue(now, news)

    # --- messages ------------------------------------------------------------------

    def _read(self, reply: Reply, now: float, news: list[CashlessNews]) -> None:
        """The messages of one answer, in order."""
        for number, message in enumerate(messages(reply.data, self._mode)):
            if message is Word.JUST_RESET:
                if number == 0:  # anything behind other bytes is more likely padding
                    self._start(now, news)
            elif isinstance(message, Malfunction):
                self._malfunction(message, now, news)
            elif isinstance(message, OutOfSequence):
                if self.state not in (State.RESETTING, State.HELD):
                    self._out_of_sequence(message.state, now, news)
            elif self.state in OPERATING:
                self._in_operation(message, now, news)
            elif self.state is State.CONFIG and isinstance(message, ReaderConfig):
                self._configured(message, now, news)
            elif self.state is State.IDENTITY and isinstance(message, Identity):
                self._identified(message)
                if self.state is State.IDENTITY:
                    self._step_done(news, taken=True)

    def _in_operation(self, message: Message, now: float, news: list[CashlessNews]) -> None:
        match message:
            case BeginSession():
                self._begin(message, news)
            case Approved():
                self._approved(message, now, news)
            case Text(text, seconds):
                news.append(ReaderText(text, seconds))
            case AgeAnswer():
                news += self._age.heard(message)
            case RevalueLimit(units):
                self._limit_told(self._units.minor(units), news)
            case Word():
                self._word(message, now, news)
            case _:
                self.unexpected += 1

    def _word(self, word: Word, now: float, news: list[CashlessNews]) -> None:
        match word:
            case Word.VEND_DENIED:
                self._deny(now, news)
            case Word.END_SESSION:
                self._revalue_over(False, news, doubtful=True)
                self._end_session(now, news)
            case Word.CANCEL_REQUEST:
                self._cancel_request()
            case Word.CANCELLED if self.state is State.RECALLING:
                self._to_rest("", news)
            case Word.REVALUE_APPROVED:
                self._revalue_over(True, news)
            case Word.REVALUE_DENIED if self._revalue_id is None:
                self._limit_told(None, news)
            case Word.REVALUE_DENIED:
                self._revalue_over(False, news)
            case Word.TIME_REQUEST:
                news.append(TimeAsked())
            case _:
                self.unexpected += 1

    # --- revalue ---------------------------------------------------------------------

    def _revalue_over(
        self, approved: bool, news: list[CashlessNews], *, doubtful: bool = False
    ) -> None:
        revalue_id, self._revalue_id = self._revalue_id, None
        if revalue_id is None:
            return
        news.append(Revalued(revalue_id, approved, doubtful))
        if self.state is State.REVALUING and not doubtful:
            self._enter(State.SESSION)

    def _revalue_unheard(self, answer: Answer, news: list[CashlessNews]) -> None:
        """Money: said again only when it certainly was not taken."""
        if answer is not Answer.NAK:
            self._due = None
        elif self._tries >= REFUSALS:
            self._limit_told(None, news)
            self._revalue_over(False, news)

    def _limit_told(self, limit: int | None, news: list[CashlessNews]) -> None:
        if self.state is State.REVALUING and self._revalue_id is None:
            news.append(RevalueUpTo(limit))
            self._enter(State.SESSION)

    def _abandon(self, why: str, news: list[CashlessNews]) -> None:
        self._revalue_over(False, news, doubtful=True)
        news += self._age.forget()
        super()._abandon(why, news)
