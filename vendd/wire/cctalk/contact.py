"""Finding one ccTalk device, asking it the questions of its start, noticing that it is gone.

The lower half of the device machines; not used alone. Times are seconds on the caller's clock.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from vendd.wire.cctalk import codes
from vendd.wire.cctalk.codes import Identity
from vendd.wire.cctalk.exchange import BUSIED, SIMPLE_POLL, Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.news import FaultBegan, FaultGone, Lost, News

LOST_S: Final = 2.0  # silent for so long, and more than once: it is gone
SILENCES: Final = 2
SEEK_S: Final = (0.5, 1.0, 2.0, 5.0)
REST_S: Final = 10.0  # it answers, but nothing comes of it
BUSY_S: Final = 0.2
ATTEMPTS: Final = 5
WRONG_DEVICE: Final = "wrong_device"


class Malformed(ValueError):
    """An answer that can't be what was asked for."""


class Declined(Exception):
    """The machine can't take this order now; nothing was sent. The text says why."""


class Phase(Enum):
    SEEKING = "seeking"  # a simple poll now and then
    STARTING = "starting"
    RUNNING = "running"
    UNUSABLE = "unusable"  # there, but not to be used; asked again now and then


@dataclass(frozen=True, slots=True)
class Question:
    """One step of the start. `hear` takes the answer's data, and raises `Malformed`.

    `optional`: silence is how a device says that it does not know a header.
    """

    request: Request
    hear: Callable[[bytes], None]
    optional: bool = False


class Faults:
    """Which faults are there now; one beginning and one end each."""

    def __init__(self) -> None:
        self._active: set[str] = set()

    @property
    def active(self) -> frozenset[str]:
        return frozenset(self._active)

    def begin(self, code: str, detail: str = "") -> list[News]:
        if code in self._active:
            return []
        self._active.add(code)
        return [FaultBegan(code, detail)]

    def end(self, ended: Iterable[str]) -> list[News]:
        gone = sorted(self._active.intersection(ended))
        self._active.difference_update(gone)
        return [FaultGone(code) for code in gone]


class Contact:
    """States SEEKING and STARTING, and what all devices say of themselves.

    `wake_at`: when `next` has something; infinite while an answer is due.
    """

    categories: tuple[str, ...] = ()  # what the device may call itself, in lower case

    def __init__(self, address: int, checksum: Checksum, poll_s: float) -> None:
        self.address = address
        self.checksum = checksum
        self.phase = Phase.SEEKING
        self.wake_at = 0.0
        self.faults = Faults()
        self._poll_s = poll_s
        self._identity: dict[str, str] = {}
        self._questions: Iterator[Question] = iter(())
        self._question: Question | None = None
        self._tries = 0
        self._seeks = 0
        self._told_lost = False
        self._silent_since: float | None = None
        self._silences = 0  # exchanges since then
        self._sent_at = 0.0

    # --- what the upper half does ---------------------------------------------

    def _start(self) -> Iterator[Question]:
        """The questions of this kind of device, in order."""
        raise NotImplementedError

    def _started(self, now: float, news: list[News]) -> None:
        """All questions are answered."""
        raise NotImplementedError

    def _ask(self, now: float) -> Request:
        raise NotImplementedError

    def _hear(self, reply: Reply, now: float, news: list[News]) -> float | None:
        """The pause before the next request, None for the usual one."""
        raise NotImplementedError

    def _gone(self, why: str, now: float, news: list[News]) -> None:
        """The device forgot, or can't be asked any more, what was under way."""

    def _sought(self, now: float, news: list[News]) -> None:
        """Another search ended in vain."""

    # --- the exchange ---------------------------------------------------------

    def next(self, now: float) -> Request | None:
        """The request to send now, or None before `wake_at`."""
        if now < self.wake_at:
            return None
        self._sent_at = now
        self.wake_at = inf
        if self.phase is Phase.RUNNING:
            return self._ask(now)
        if self.phase is Phase.STARTING and self._question is not None:
            return self._question.request
        return Request(SIMPLE_POLL, repeat=False)

    def answered(self, reply: Reply, now: float) -> list[News]:
        """What came back for the last request; call it exactly once per request."""
        news: list[News] = []
        self._count_silence(reply)
        pause = self._heard(reply, now, news)
        self.wake_at = max(now, self._sent_at + (self._poll_s if pause is None else pause))
        return news

    def _heard(self, reply: Reply, now: float, news: list[News]) -> float | None:
        gone = self._silent_for(now)
        match self.phase:
            case Phase.SEEKING | Phase.UNUSABLE:
                return self._hear_seeking(reply, now, news)
            case Phase.STARTING:
                pause = self._hear_question(reply, now, news)
                return self._lose("no answer", now, news) if gone else pause
            case _:
                pause = self._hear(reply, now, news)
                return self._lose("no answer", now, news) if gone else pause

    def _count_silence(self, reply: Reply) -> None:
        if reply.present:
            self._silent_since = None
            self._silences = 0
            return
        self._silences += 1
        if self._silent_since is None:
            self._silent_since = self._sent_at

    def _silent_for(self, now: float) -> bool:
        """Long enough to call it gone; one request alone may take that long."""
        since = self._silent_since
        return since is not None and self._silences >= SILENCES and now - since >= LOST_S

    def _hurry(self) -> None:
        """There is something to send; unless an answer is due, now."""
        if self.wake_at != inf and self.phase is Phase.RUNNING:
            self.wake_at = 0.0

    # --- presence -------------------------------------------------------------

    def _hear_seeking(self, reply: Reply, now: float, news: list[News]) -> float:
        if reply.present:
            return self._begin()
        if self.phase is Phase.UNUSABLE:
            self.phase = Phase.SEEKING
        self._sought(now, news)
        if self._silent_for(now):
            self._tell_lost("no answer", news)
        pause = SEEK_S[min(self._seeks, len(SEEK_S) - 1)]
        self._seeks += 1
        return pause

    def _lose(self, why: str, now: float, news: list[News]) -> float:
        """It does not answer: tell once, then look for it."""
        self.phase = Phase.SEEKING
        self._seeks = 0
        self._gone(why, now, news)
        self._tell_lost(why, news)
        return SEEK_S[0]

    def _reject(self, why: str, code: str, now: float, news: list[News]) -> float:
        """It answers, but it is not for this machine."""
        news += self.faults.begin(code, why)
        self._lose(code, now, news)
        self.phase = Phase.UNUSABLE
        return REST_S

    def _tell_lost(self, why: str, news: list[News]) -> None:
        if not self._told_lost:
            self._told_lost = True
            news.append(Lost(why))

    # --- the start ------------------------------------------------------------

    def _begin(self) -> float:
        """It is there and may have forgotten everything: all questions, from the first."""
        self.phase = Phase.STARTING
        self._seeks = 0
        self._identity = {}
        self._questions = self._all_questions()
        self._turn_to(next(self._questions, None))
        return 0.0

    def _all_questions(self) -> Iterator[Question]:
        if self.categories:
            yield Question(Request(codes.CATEGORY), self._hear_category, optional=True)
        for header, name in (
            (codes.MANUFACTURER, "manufacturer"),
            (codes.PRODUCT, "product"),
            (codes.SOFTWARE, "software"),
        ):
            yield Question(Request(header), self._note(name), optional=True)
        yield Question(Request(codes.SERIAL), self._hear_serial, optional=True)
        yield from self._start()

    def _turn_to(self, question: Question | None) -> None:
        self._question = question
        self._tries = 0

    def _hear_question(self, reply: Reply, now: float, news: list[News]) -> float | None:
        question = self._question
        assert question is not None
        if reply == BUSIED:
            return BUSY_S
        if reply.valid:
            try:
                question.hear(reply.data)
            except Malformed as error:
                return self._stubborn(question, str(error), now, news)
            return self._next_question(now, news)
        if question.optional:
            return self._next_question(now, news)
        return self._stubborn(question, f"header {question.request.header} refused", now, news)

    def _stubborn(self, question: Question, why: str, now: float, news: list[News]) -> float | None:
        self._tries += 1
        if self._tries < ATTEMPTS:
            return None
        if question.optional:
            return self._next_question(now, news)
        self._lose(why, now, news)
        return REST_S

    def _next_question(self, now: float, news: list[News]) -> float:
        if "category" in self._identity:
            found = self._identity["category"]
            if found.lower() not in self.categories:
                return self._reject(f"calls itself {found!r}", WRONG_DEVICE, now, news)
        self._turn_to(next(self._questions, None))
        if self._question is None:
            self.phase = Phase.RUNNING
            self._told_lost = False
            news += self.faults.end((WRONG_DEVICE,))
            self._started(now, news)
        return 0.0

    # --- identity -------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        said = self._identity
        return Identity(
            said.get("manufacturer", ""),
            said.get("product", ""),
            said.get("serial", ""),
            said.get("software", ""),
        )

    def _hear_category(self, data: bytes) -> None:
        said = codes.text(data)
        if said:
            self._identity["category"] = said

    def _note(self, name: str) -> Callable[[bytes], None]:
        def hear(data: bytes) -> None:
            self._identity[name] = codes.text(data)

        return hear

    def _hear_serial(self, data: bytes) -> None:
        self._identity["serial"] = str(codes.number(data))
