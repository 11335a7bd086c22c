"""A card reader behind a Qibixx adapter that is its master itself, sans-IO.

Its lines are those of `vendd.wire.qibixx_native`. The adapter tells of no refund, so one counts
as confirmed when the adapter took the failed vend without complaint and was idle again. Revalue
and age checks do not exist here.
"""

from collections import deque
from enum import Enum
from math import inf
from typing import Final

from vendd.wire import qibixx_native as native
from vendd.wire.mdb.cashless_news import (
    CashlessNews,
    FailureSettled,
    Lost,
    ReaderDescription,
    ReaderReady,
    Refund,
    Session,
    SessionOver,
    SuccessTold,
    VendNot,
    VendTaken,
)
from vendd.wire.mdb.changer_data import Identity
from vendd.wire.qibixx_native import Approved, Card, Heard, Word

PROVE_S: Final = 5.0  # between two questions for the version
DEAF: Final = 3  # of them without an answer
RESPONSE_S: Final = 30  # what is told as the reader's longest answer: the adapter does not say


class Declined(Exception):
    """Certainly nothing was asked."""


class State(Enum):
    """Where the conversation stands."""

    CLOSED = "closed"  # no line
    HELD = "held"  # nothing is said before a vend of an earlier life, or line, is settled
    STARTING = "starting"
    READY = "ready"  # enabled or not; no card, no request
    SESSION = "session"
    ASKED = "asked"
    CANCELLING = "cancelling"
    APPROVED = "approved"
    SUCCEEDING = "succeeding"
    FAILING = "failing"
    ENDING = "ending"  # free again as soon as the adapter says so


_LIMITS: Final = {  # seconds that the adapter may take
    State.HELD: 120.0,
    State.STARTING: 10.0,
    State.CANCELLING: 10.0,
    State.SUCCEEDING: 5.0,
    State.FAILING: float(RESPONSE_S),
    State.ENDING: 5.0,
}


class NativeReader:
    """`due` has the lines to write, `wake_at` when to call it again; `feed` takes what came.

    `exponent`: decimals of the machine's minor unit. `held`: see `ports.Cashless.release`.
    """

    def __init__(self, exponent: int, *, always_idle: bool = True, held: bool = False) -> None:
        self._exponent = exponent
        self._always_idle = always_idle
        self._held = held
        self.state = State.CLOSED
        self.wake_at = inf
        self._deadline = inf
        self._out: deque[bytes] = deque()
        self._partial = b""
        self._news: list[CashlessNews] = []
        self._vend: tuple[str, int] | None = None  # id, item
        self._session = False  # one is told to be open
        self._wanted = False
        self._known = False  # ready was told, and nothing of a loss since
        self._told_lost = False
        self._prove_at = inf
        self._unproven = 0
        self.noise = 0

    # --- the line --------------------------------------------------------------------

    def opened(self, now: float) -> None:
        """The line is there."""
        self._partial = b""
        self._unproven, self._prove_at = 0, now
        if self._held:
            self._enter(State.HELD)
        else:
            self._start()

    def closed(self, why: str) -> list[CashlessNews]:
        """The line is gone. An approved vend is settled when it is back."""
        approved = self.state is State.APPROVED
        if not approved:
            self._abandon(why)
        self._held = self._held or approved
        self._lose(why)
        self._out.clear()
        self._enter(State.CLOSED)
        self._prove_at = inf
        return self._take_news()

    def due(self, now: float) -> bytes:
        """Lines to write now. Starts the clock of what they ask for."""
        if self.state is State.CLOSED:
            self.wake_at = inf
            return b""
        if self._deadline == inf and self.state in _LIMITS:
            self._deadline = now + _LIMITS[self.state]
        if now >= self._prove_at:
            self._prove_at = now + PROVE_S
            self._unproven += 1
            self._out.append(native.VERSION.encode() + b"\n")
        lines = b"".join(self._out)
        self._out.clear()
        self.wake_at = min(self._deadline, self._prove_at)
        return lines

    def tick(self, now: float) -> list[CashlessNews]:
        """Time has passed."""
        if now >= self._deadline:
            self._overdue()
        return self._take_news()

    @property
    def deaf(self) -> bool:
        """The adapter itself does not answer: the line has to be opened anew."""
        return self._unproven > DEAF

    def feed(self, data: bytes) -> list[CashlessNews]:
        """Bytes of the line, in any pieces; never raises on them."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > native.MAX_LINE:  # dropped, so that babble holds no memory
            self._partial = b""
            self.noise += 1
        for line in lines:
            heard = native.read(line.strip().decode("ascii", "replace"), self._exponent)
            if heard is not None:
                self._hear(heard)
        return self._take_news()

    def _take_news(self) -> list[CashlessNews]:
        news, self._news = self._news, []
        return news

    # --- orders ----------------------------------------------------------------------

    def enable(self, on: bool) -> None:
        """Take cards or not, also after resets."""
        self._wanted = on
        if self.state is State.READY:
            self._say(native.enable(on))

    def request(self, vend_id: str, price: int, item: int) -> None:
        """One `VendTaken` or `VendNot` follows. Raises `Declined`."""
        idle = self.state is State.READY and self._wanted and self._always_idle
        if not (idle or self.state is State.SESSION) or price < 0:
            raise Declined(f"reader is {self.state.value}")
        self._vend = vend_id, item if 0 <= item < native.NO_ITEM else native.NO_ITEM
        self._enter(State.ASKED, native.request(price, self._vend[1], self._exponent))

    def cancel(self, vend_id: str) -> None:
        """Take a request back: its answer is a `VendNot`. Too late once it was approved."""
        if self.state is State.HELD:
            self._resume(vend_id)
        elif self.state is not State.ASKED or not self._is(vend_id):
            return
        self._enter(State.CANCELLING, native.CANCEL)

    def succeeded(self, vend_id: str) -> None:
        """Delivered: one `SuccessTold` follows."""
        if self.state is State.HELD:
            self._resume(vend_id)
        elif self.state is not State.APPROVED or not self._is(vend_id):
            self._held = False
            self._news.append(SuccessTold(vend_id, acknowledged=False))
            return
        item = native.NO_ITEM if self._vend is None else self._vend[1]
        self._enter(State.SUCCEEDING, native.delivered(item))

    def failed(self, vend_id: str) -> None:
        """Not delivered: one `FailureSettled` follows."""
        if self.state is State.HELD:
            self._resume(vend_id)
        elif self.state is State.FAILING and self._is(vend_id):
            return
        elif self.state is not State.APPROVED or not self._is(vend_id):
            self._held = False
            self._news.append(FailureSettled(vend_id, Refund.UNCONFIRMED))
            return
        self._enter(State.FAILING, native.FAILED)

    def end_session(self) -> None:
        """`SessionOver` follows if one is open and nothing is asked."""
        if self.state is State.SESSION:
            self._enter(State.ENDING, native.CANCEL)

    def release(self) -> None:
        """Nothing of an earlier life has to be settled."""
        self._held = False
        if self.state is State.HELD:
            self._vend = None
            self._start()

    def _resume(self, vend_id: str) -> None:
        """What the adapter answered to it is not known here."""
        self._held = False
        if self._vend is None or self._vend[0] != vend_id:
            self._vend = vend_id, native.NO_ITEM

    def _is(self, vend_id: str) -> bool:
        return self._vend is not None and self._vend[0] == vend_id

    # --- what the adapter says -----------------------------------------------------------

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Word.ALIVE:
                self._unproven = 0
            case Word.RESET:
                self._was_reset()
            case Word.READY:
                self._initialised()
            case Word.IDLE:
                self._idle()
            case Word.DENIED:
                self._denied()
            case Word.REFUSED:
                self._refused()
            case Card(funds):
                self._card(funds)
            case Approved(amount):
                self._approved(amount)
            case Word.NOISE:
                self.noise += 1

    def _initialised(self) -> None:
        if self.state is not State.STARTING:
            return  # it answers to an earlier start; nothing changed since
        self._enter(State.READY)
        self._known, self._told_lost = True, False
        self._news.append(ReaderReady(_described(self._exponent, self._always_idle)))
        self.enable(self._wanted)

    def _was_reset(self) -> None:
        """The reader, or the adapter, forgot everything."""
        if self.state in (State.CLOSED, State.HELD, State.STARTING):
            return
        self._abandon("reset")
        self._lose("reset")
        self._start()

    def _card(self, funds: int | None) -> None:
        if self.state is State.READY:
            self._enter(State.SESSION)
        elif self.state is not State.ASKED:
            return
        if not self._session:
            self._session = True
            self._news.append(Session(funds))

    def _approved(self, amount: int | None) -> None:
        vend = self._vend
        if self.state is State.ASKED and vend is not None and amount is not None:
            self._enter(State.APPROVED)
            self._news.append(VendTaken(vend[0], amount))
        elif self.state is State.CANCELLING and vend is not None:
            self._news.append(VendNot(vend[0], "cancelled"))
            self._enter(State.FAILING, native.FAILED)
        elif self.state is State.ASKED and vend is not None:
            self._news.append(VendNot(vend[0], "no amount"))
            self._enter(State.FAILING, native.FAILED)
        elif self.state in (State.READY, State.SESSION, State.ENDING):
            self._say(native.FAILED)  # nobody asked: it goes back

    def _denied(self) -> None:
        if self.state in (State.ASKED, State.CANCELLING):
            self._not("denied" if self.state is State.ASKED else "cancelled")
            self._enter(State.ENDING)

    def _refused(self) -> None:
        match self.state:
            case State.ASKED:
                self._not("refused")
                self._enter(State.ENDING)
            case State.SUCCEEDING:
                self._settled(SuccessTold(self._vend_id(), acknowledged=False))
            case State.FAILING:
                self._settled(FailureSettled(self._vend_id(), Refund.FAILED))
            case _:
                self.noise += 1

    def _idle(self) -> None:
        match self.state:
            case State.SESSION:
                self._free("reader")
            case State.ASKED if self._session:
                self._not("reader")
                self._free("reader")
            case State.CANCELLING:
                self._not("cancelled")
                self._free("completed")
            case State.SUCCEEDING:
                self._settled(SuccessTold(self._vend_id(), acknowledged=True))
            case State.FAILING:
                self._settled(FailureSettled(self._vend_id(), Refund.CONFIRMED))
            case State.ENDING:
                self._free("completed")
            case _:
                pass  # an approved vend is ours to settle, whatever the adapter thinks of it

    # --- ends ------------------------------------------------------------------------------

    def _vend_id(self) -> str:
        assert self._vend is not None
        return self._vend[0]

    def _not(self, why: str, *, doubtful: bool = False) -> None:
        if self._vend is not None:
            self._news.append(VendNot(self._vend[0], why, doubtful))
            self._vend = None
            self._session = True  # the end of a vend is told even where no session was

    def _settled(self, news: SuccessTold | FailureSettled) -> None:
        self._news.append(news)
        self._vend, self._session = None, True
        self._free("completed")

    def _free(self, why: str) -> None:
        self._over(why)
        if self._known:
            self._enter(State.READY)
            self.enable(self._wanted)
        else:
            self._start()

    def _over(self, why: str) -> None:
        if self._session:
            self._session = False
            self._news.append(SessionOver(why))

    def _overdue(self) -> None:
        if self.state is State.STARTING:
            self._lose("no answer")
        else:
            self._abandon("no answer")
        self._held = False  # nobody came to settle it
        self._start()

    def _abandon(self, why: str) -> None:
        """Nothing more will be heard of what is under way."""
        match self.state:
            case State.ASKED | State.CANCELLING:
                self._not(why, doubtful=True)
            case State.SUCCEEDING:
                self._news.append(SuccessTold(self._vend_id(), acknowledged=False))
            case State.FAILING:
                self._news.append(FailureSettled(self._vend_id(), Refund.UNCONFIRMED))
        self._session = self._session or self._vend is not None
        self._vend = None
        self._over(why)

    def _lose(self, why: str) -> None:
        self._known = False
        if not self._told_lost:
            self._told_lost = True
            self._news.append(Lost(why))

    def _start(self) -> None:
        self._enter(State.STARTING, native.start(always_idle=self._always_idle))

    def _enter(self, state: State, line: str | None = None) -> None:
        self.state = state
        self._deadline = inf
        if line is not None:
            self._say(line)

    def _say(self, line: str) -> None:
        self._out.append(line.encode("ascii") + b"\n")
        self.wake_at = 0.0


def _described(exponent: int, selection_first: bool) -> ReaderDescription:
    """The adapter says nothing of the reader behind it."""
    identity = Identity(model="Qibixx cashless master")
    return ReaderDescription(
        identity, 0, "", 0, exponent, RESPONSE_S, True, False, False, selection_first, True
    )
