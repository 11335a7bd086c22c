"""The host's side of one coin acceptor, sans-IO (ccTalk 4.7, part 2, headers 229 to 231).

Whoever owns the wire asks `next(now)` for a request once `wake_at` has come, and hands what
came back to `answered`. A coin is credited once, by the event counter. The acceptor forgets
its inhibits with its power, without any sign before the first event; so they are read back
every few seconds, and at once when a coin is refused as inhibited.

Is NOT responsible for credit, or for which coins are worth taking.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from vendd.wire.cctalk import codes
from vendd.wire.cctalk.coin_codes import COIN_RETURN, INHIBITED, coin_error
from vendd.wire.cctalk.contact import BUSY_S, Contact, Malformed, Question
from vendd.wire.cctalk.event_log import BadReading, EventLog, Events
from vendd.wire.cctalk.exchange import BUSIED, SLOW_S, Reply, Request
from vendd.wire.cctalk.frame import Checksum
from vendd.wire.cctalk.news import (
    CoinIn,
    CoinKind,
    CoinOut,
    CoinsReady,
    EventsLost,
    Lever,
    News,
)

POSITIONS: Final = 16
ADDRESS: Final = 2
VERIFY_S: Final = 5.0  # inhibits are read back
CHECK_S: Final = 60.0  # self-check
CHECK_FAULTY_S: Final = 10.0
_CHECKED: Final = "acceptor_"  # faults of the self-check begin so
_BY_COIN: Final = ("coin_jam", "coin_fraud", "coin_routing", "acceptor_sensor", "credits_lost")
_BY_OK: Final = ("coin_jam", "acceptor_sensor", "acceptor_motor", "acceptor_alarm")


@dataclass(frozen=True, slots=True)
class CoinRules:
    """`country`: the first two letters of the coin ids that count. `unit`: minor units per 1 of
    their value code. `values`: position -> minor units, instead of what the ids say."""

    country: str
    unit: int = 1
    values: Mapping[int, int] = field(default_factory=dict)
    address: int = ADDRESS
    checksum: Checksum = Checksum.SUM
    poll_s: float = 0.1  # a spec-conforming acceptor wants 200 ms or less


class CoinAcceptorMachine(Contact):
    """`counter`: the event counter of an earlier life, when known: coins that came in between
    are credited then. See the module."""

    categories = ("coin acceptor",)

    def __init__(self, rules: CoinRules, counter: int | None = None) -> None:
        super().__init__(rules.address, rules.checksum, rules.poll_s)
        self._rules = rules
        self.log = EventLog(counter)
        self.coins: dict[int, CoinKind] = {}
        self._wanted: frozenset[int] = frozenset()
        self._mask: bytes | None = None  # as the acceptor acknowledged it
        self._enabled = False  # master inhibit lifted
        self._reads_back = False
        self._verify_at = inf
        self._check_at = inf
        self._checks = False
        self._ready_told = False
        self._asked = Request(codes.COIN_EVENTS)

    def accept(self, positions: frozenset[int]) -> None:
        """Exactly these coins from now on, also after resets."""
        self._wanted = positions
        self._hurry()

    # --- start ----------------------------------------------------------------

    def _start(self) -> Iterator[Question]:
        self.coins = {}
        self._mask = None
        self._enabled = False
        self._checks = self._reads_back = False
        # all off until someone wishes otherwise, whatever it remembers
        yield Question(Request(codes.SET_INHIBITS, b"\0\0"), self._all_off)
        for position in range(1, POSITIONS + 1):
            hear = self._hear_coin_id(position)
            yield Question(Request(codes.COIN_ID, bytes((position,))), hear, optional=True)
        yield Question(Request(codes.INHIBITS), self._hear_inhibits, optional=True)
        check = Request(codes.SELF_CHECK, reply_s=SLOW_S)
        yield Question(check, self._hear_check_exists, optional=True)

    def _all_off(self, data: bytes) -> None:
        self._mask = b"\0\0"

    def _hear_coin_id(self, position: int) -> Callable[[bytes], None]:
        def hear(data: bytes) -> None:
            name = "".join(chr(b) if 32 <= b < 127 else "?" for b in data)
            value = codes.coin_value(name, self._rules.unit)
            if name[:2] != self._rules.country:
                value = None
            value = self._rules.values.get(position, value or 0)
            if value > 0:
                self.coins[position] = CoinKind(position, value, name)

        return hear

    def _hear_inhibits(self, data: bytes) -> None:
        self._reads_back = len(data) >= 2

    def _hear_check_exists(self, data: bytes) -> None:
        if not data:
            raise Malformed("self-check without a code")
        self._checks = True

    def _started(self, now: float, news: list[News]) -> None:
        # the answer to the check at the start may be old: it is asked for again right away
        self._check_at = now if self._checks else inf
        self._verify_at = now + VERIFY_S if self._reads_back else inf
        self._ready_told = False

    def _gone(self, why: str, now: float, news: list[News]) -> None:
        self._mask = None

    # --- operation ------------------------------------------------------------

    def _ask(self, now: float) -> Request:
        mask = _mask(self._wanted & self.coins.keys())
        if not self._ready_told:
            self._asked = Request(codes.COIN_EVENTS)
        elif self._mask != mask:
            self._asked = Request(codes.SET_INHIBITS, mask)
        elif not self._enabled:
            self._asked = Request(codes.MASTER_INHIBIT, b"\x01")
        elif self._asked.header == codes.COIN_EVENTS and now >= self._verify_at:
            self._asked = Request(codes.INHIBITS)
        elif self._asked.header == codes.COIN_EVENTS and now >= self._check_at:
            self._asked = Request(codes.SELF_CHECK, reply_s=SLOW_S)
        else:
            self._asked = Request(codes.COIN_EVENTS)
        return self._asked

    def _hear(self, reply: Reply, now: float, news: list[News]) -> float | None:
        asked = self._asked
        match asked.header:
            case codes.COIN_EVENTS:
                return self._hear_events(reply, now, news)
            case codes.SET_INHIBITS if reply.valid:
                self._mask = asked.data
            case codes.MASTER_INHIBIT:
                # an acceptor that does not know it has none; silence costs three attempts once
                self._enabled = reply != BUSIED
            case codes.INHIBITS:
                self._verify_at = now + VERIFY_S
                if reply.valid and reply.data[:2] != self._mask:
                    self._mask = None
                    self._enabled = False
            case codes.SELF_CHECK:
                self._hear_check(reply, now, news)
        return 0.0 if reply.valid else BUSY_S

    def _hear_events(self, reply: Reply, now: float, news: list[News]) -> float | None:
        if not reply.valid:
            return None
        try:
            events = self.log.read(reply.data)
        except BadReading:
            return None
        if events is None:
            return self._poll_s / 4  # it must say so twice
        if not self._ready_told:
            self._ready_told = True
            kinds = tuple(self.coins.values())
            news.append(CoinsReady(self.identity, kinds, self.log.last or 0))
        self._tell(events, now, news)
        if events.restarted:
            news.append(EventsLost(None))
            return self._begin()
        return 0.0 if self._mask != _mask(self._wanted & self.coins.keys()) else None

    def _tell(self, events: Events, now: float, news: list[News]) -> None:
        for (first, second), counter in events.numbered():
            if first:
                self._coin(first, second, counter, news)
            else:
                self._error(second, now, news)
        if events.lost:
            news.append(EventsLost(events.lost))
            news += self.faults.begin("credits_lost", f"{events.lost} events unread")

    def _coin(self, position: int, path: int, counter: int, news: list[News]) -> None:
        kind = self.coins.get(position)
        if kind is None:
            news += self.faults.begin("unknown_coin", f"position {position} has no value")
            return
        news += self.faults.end(_BY_COIN)
        news.append(CoinIn(position, kind.value, path, counter))

    def _error(self, code: int, now: float, news: list[News]) -> None:
        if code == COIN_RETURN:
            news.append(Lever())
            return
        if code in INHIBITED:  # was it we who wished so?
            self._enabled = False
            self._verify_at = now if self._reads_back else inf
        error = coin_error(code)
        if error.out:
            position = code - 127 if code >= 128 else None
            news.append(CoinOut(error.out, position))
        if error.fault:
            news += self.faults.begin(error.fault, f"error {code}")

    def _hear_check(self, reply: Reply, now: float, news: list[News]) -> None:
        if not reply.valid:
            self._check_at = now + CHECK_FAULTY_S
            return
        fault = codes.self_check_fault(reply.data)
        checked = {code for code in self.faults.active if code.startswith(_CHECKED + "self_")}
        current = f"{_CHECKED}self_{fault}"
        news += self.faults.end(checked - {current})
        if fault:
            news += self.faults.begin(current, reply.data.hex())
        else:
            news += self.faults.end(_BY_OK)
        self._check_at = now + (CHECK_FAULTY_S if fault else CHECK_S)


def _mask(positions: frozenset[int]) -> bytes:
    """Two bytes, bit 0 of the first = coin 1; 1 = taken."""
    return sum(1 << p - 1 for p in positions if 1 <= p <= POSITIONS).to_bytes(2, "little")
