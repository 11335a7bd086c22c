"""One payout of a hopper: what has to be asked before it, the command, and what came of it.

ccTalk 4.7, part 2, headers 160 to 168 and 172. The command (167) is never sent again on
suspicion: the hopper is asked what happened, and `hopper_verdict.judge` decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from vendd.wire.cctalk import codes, hopper_data
from vendd.wire.cctalk.contact import Malformed
from vendd.wire.cctalk.exchange import BUSIED, SLOW_S, Answer, Reply, Request
from vendd.wire.cctalk.hopper_data import COUNT_WRAPS
from vendd.wire.cctalk.hopper_verdict import Dispense, Judgement, Verdict, judge
from vendd.wire.cctalk.news import Evidence

ENABLE: Final = b"\xa5"
PER_COIN_S: Final = 10.0  # without a coin
OVERALL_BASE_S: Final = 20.0
OVERALL_PER_COIN_S: Final = 3.0
ATTEMPTS: Final = 3  # of the command, each after proof that the one before did not count
QUESTIONS: Final = 5  # failed ones in a row, before the command
WATCH_S: Final = 0.2
RESET_S: Final = 1.0  # a hopper starts again within


class Step(Enum):
    STATUS = "status"
    COUNT = "count"
    TEST = "test"
    RESET = "reset"
    ENABLE = "enable"
    PUMP = "pump"
    KEY = "key"
    DISPENSE = "dispense"
    WATCH = "watch"
    STOP = "stop"
    TEST_AFTER = "test_after"
    COUNT_AFTER = "count_after"


class Security:
    """How a hopper is convinced that the command comes from its owner.

    `Serial`: its own number in front of the coins. `Cipher`: an answer to the key it hands out,
    by an algorithm that is the manufacturer's secret and comes from outside. `Plain`: fixed
    bytes, for hoppers that do not look at them.
    """

    steps: tuple[Step, ...] = ()

    def code(self, serial: bytes, key: bytes) -> bytes:
        """The bytes in front of the number of coins."""
        raise NotImplementedError

    def pump(self) -> bytes:
        raise NotImplementedError


class Serial(Security):
    def code(self, serial: bytes, key: bytes) -> bytes:
        return serial


class Plain(Security):
    def __init__(self, code: bytes = bytes(8)) -> None:
        self._code = code

    def code(self, serial: bytes, key: bytes) -> bytes:
        return self._code


class Cipher(Security):
    """`answer`: key -> code. `entropy`: 8 fresh random bytes for every payout."""

    steps = (Step.PUMP, Step.KEY)

    def __init__(self, answer: Callable[[bytes], bytes], entropy: Callable[[], bytes]) -> None:
        self._answer = answer
        self._entropy = entropy

    def code(self, serial: bytes, key: bytes) -> bytes:
        return self._answer(key)

    def pump(self) -> bytes:
        return self._entropy()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `moved` False: certainly nothing did, and nothing will."""

    paid: int
    certain: bool
    why: str = ""
    moved: bool = True


class HopperPayout:
    """`counts`: the hopper tells its lifetime count (168). `wait_s`: pause before `next`."""

    def __init__(
        self, id_: str, coins: int, serial: bytes, security: Security, *, counts: bool
    ) -> None:
        self.id = id_
        self.taken = False
        self.committed = False  # a command that may move coins was sent
        self.wait_s = 0.0
        self.flags: frozenset[str] = frozenset()
        self.step = Step.STATUS
        self._serial = serial
        self._security = security
        self._counts = counts
        self._asked = Dispense(coins, None)
        self._after: Evidence | None = None
        self._key = b""
        self._attempts = 0
        self._failed = 0
        self._was_reset = False
        self._reset_now = False
        self._first: int | None = None  # lifetime count before the first attempt
        self._stopped = False
        self._progress_at = 0.0
        self._deadline: float | None = None

    @classmethod
    def recovered(
        cls, id_: str, coins: int, before: Evidence | None, *, counts: bool
    ) -> "HopperPayout":
        """A payout of an earlier life: its command may have been sent, and is not sent again."""
        payout = cls(id_, coins, b"", Plain(), counts=counts)
        payout._asked = Dispense(coins, before)
        payout.taken = payout.committed = True
        payout._attempts = ATTEMPTS
        payout.step = Step.WATCH
        return payout

    def came_back(self) -> None:
        """The hopper was gone for a while: look at it before anything else."""
        self.step = Step.WATCH if self.committed else Step.STATUS
        self.wait_s = 0.0
        self._failed = 0

    def at_least(self, why: str) -> Outcome:
        """The hopper does not come back."""
        return Outcome(self._asked.seen, certain=False, why=why)

    # --- asking ---------------------------------------------------------------

    def next(self, now: float) -> Request:
        if self.step is Step.DISPENSE:
            self._commit(now)
        return self._request()

    def _commit(self, now: float) -> None:
        self.committed = True
        self._attempts += 1
        self._progress_at = now
        if self._deadline is None:
            self._deadline = now + OVERALL_BASE_S + OVERALL_PER_COIN_S * self._asked.coins

    def _request(self) -> Request:
        match self.step:
            case Step.STATUS | Step.WATCH:
                return Request(codes.HOPPER_STATUS)
            case Step.COUNT | Step.COUNT_AFTER:
                return Request(codes.DISPENSE_COUNT)
            case Step.TEST | Step.TEST_AFTER:
                return Request(codes.TEST_HOPPER)
            case Step.RESET:
                return Request(codes.RESET)
            case Step.ENABLE:
                return Request(codes.ENABLE_HOPPER, ENABLE)
            case Step.PUMP:
                return Request(codes.PUMP_RNG, self._security.pump())
            case Step.KEY:
                return Request(codes.CIPHER_KEY)
            case Step.STOP:
                return Request(codes.EMERGENCY_STOP, reply_s=SLOW_S)
            case Step.DISPENSE:
                code = self._security.code(self._serial, self._key)
                data = code + bytes((self._asked.coins,))
                return Request(codes.DISPENSE, data, repeat=False, reply_s=SLOW_S)

    # --- hearing --------------------------------------------------------------

    def answered(self, reply: Reply, now: float) -> Outcome | None:
        self.wait_s = 0.0
        if self.step is Step.DISPENSE:
            self._dispensed(reply)
            return None
        if self.step is Step.STOP:
            self._stopped = True
            self._turn_to(Step.WATCH)
            return None
        if self.committed and self._deadline is None:
            self._deadline = now + OVERALL_BASE_S + OVERALL_PER_COIN_S * self._asked.coins
            self._progress_at = now
        if not reply.valid:
            return self._unanswered(reply, now)
        try:
            return self._take(reply.data, now)
        except Malformed:
            return self._unanswered(reply, now)

    def _turn_to(self, step: Step, wait_s: float = 0.0) -> None:
        self.step = step
        self.wait_s = wait_s
        self._failed = 0

    def _unanswered(self, reply: Reply, now: float) -> Outcome | None:
        self.wait_s = WATCH_S
        self._failed += 1
        if self._late(now):
            return self._overdue()
        if self.committed and self.step in (Step.WATCH, Step.TEST_AFTER):
            return None  # bounded by the deadline, and by the silence of the whole device
        if self._failed < (ATTEMPTS if self.committed else QUESTIONS):
            return None
        if self.step is Step.COUNT_AFTER:
            self._counts = False
            return self._decide()
        if self.committed:
            return self.at_least("unclear") if self._asked.seen else self._refused("unanswered")
        return self._refused("busy" if reply == BUSIED else f"no answer to {self.step.value}")

    def _late(self, now: float) -> bool:
        return self._deadline is not None and now > self._deadline

    def _overdue(self) -> Outcome | None:
        """It has to end, one way or the other."""
        if self._stopped:
            return self.at_least("overdue")
        self._turn_to(Step.STOP)
        return None

    def _refused(self, why: str) -> Outcome:
        return Outcome(0, certain=True, why=why, moved=False)

    def _take(self, data: bytes, now: float) -> Outcome | None:
        match self.step:
            case Step.STATUS:
                self._take_baseline(hopper_data.status(data))
            case Step.COUNT:
                return self._count_before(data)
            case Step.TEST:
                return self._tested(hopper_data.flags(data))
            case Step.KEY:
                self._key = data
                self._turn_to(Step.DISPENSE)
            case Step.WATCH:
                return self._watched(hopper_data.status(data), now)
            case Step.TEST_AFTER:
                self.flags = hopper_data.flags(data)
                if not self._counts:
                    return self._decide()
                self._turn_to(Step.COUNT_AFTER)
            case Step.COUNT_AFTER:
                assert self._after is not None
                self._after = replace(self._after, dispensed=hopper_data.dispense_count(data))
                return self._decide()
            case _:
                self._acknowledged()
        return None

    # --- before the command ---------------------------------------------------

    def _take_baseline(self, status: Evidence) -> None:
        before, self._reset_now = (None if self._reset_now else self._asked.before), False
        if self._attempts and before is not None and status.counter != before.counter:
            self._turn_to(Step.WATCH)  # the command counted after all, only late
            return
        if status.remaining:  # it still pays somebody else's coins
            raise Malformed("not idle")
        self._asked = replace(self._asked, before=status, acknowledged=False)
        self._turn_to(Step.COUNT if self._counts else Step.TEST)

    def _count_before(self, data: bytes) -> Outcome | None:
        before = self._asked.before
        assert before is not None
        dispensed = hopper_data.dispense_count(data)
        moved = 0 if self._first is None else (dispensed - self._first) % COUNT_WRAPS
        if moved:  # a command that did not count has paid all the same
            return Outcome(min(moved, self._asked.coins), certain=False, why="not_counted")
        self._first = dispensed
        self._asked = replace(self._asked, before=replace(before, dispensed=dispensed))
        self._turn_to(Step.TEST)
        return None

    def _tested(self, flags: frozenset[str]) -> Outcome | None:
        self.flags = flags
        latched = flags & hopper_data.LATCHED
        if latched and self._was_reset:
            return self._refused(min(latched))
        if latched:
            self._was_reset = True
            self._turn_to(Step.RESET)
        else:
            self._turn_to(Step.ENABLE)
        return None

    def _acknowledged(self) -> None:
        """An ACK, and on to what follows."""
        if self.step is Step.RESET:
            self._reset_now = True
            self._turn_to(Step.STATUS, RESET_S)  # the counter starts anew
            return
        order = (Step.ENABLE, *self._security.steps, Step.DISPENSE)
        self._turn_to(order[order.index(self.step) + 1])

    # --- the command and after ------------------------------------------------

    def _dispensed(self, reply: Reply) -> None:
        if reply.answer is Answer.REPLY:
            self.taken = True
            self._asked = replace(self._asked, acknowledged=True)
        self._turn_to(Step.WATCH, 0.0 if reply.valid else WATCH_S)

    def _watched(self, status: Evidence, now: float) -> Outcome | None:
        self._failed = 0
        self._after = status
        if not status.remaining:
            self._turn_to(Step.TEST_AFTER)
            return None
        found = judge(self._asked, status, frozenset())
        self.taken = self.taken or found.certain
        if found.paid > self._asked.seen:
            self._asked = replace(self._asked, seen=found.paid)
            self._progress_at = now
        self.wait_s = WATCH_S
        if self._late(now):
            return self._overdue()
        if now > self._progress_at + PER_COIN_S:
            self._progress_at = now
            self._turn_to(Step.STOP)
        return None

    def _decide(self) -> Outcome | None:
        assert self._after is not None
        found = judge(self._asked, self._after, self.flags)
        if found.verdict is Verdict.NOT_TAKEN:
            if self._attempts >= ATTEMPTS:
                return self._refused(found.why)
            self._turn_to(Step.STATUS)
            return None
        return Outcome(found.paid, found.certain, self._why(found))

    def _why(self, found: Judgement) -> str:
        if found.why != "short":
            return found.why
        if self._stopped:
            return "stopped"
        jams = self.flags & {"over_current", "reverse_limit", "opto_blocked_payout"}
        if jams:
            return min(jams)
        return "empty" if "payout_timeout" in self.flags else "short"
