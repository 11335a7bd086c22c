"""What the answers to a changer's POLL amount to: coins, levers, faults, and what is noise."""

from typing import Final

from vendd.wire.mdb import changer_data as cd
from vendd.wire.mdb.changer_data import Activity, Deposit, Dispensed, Slugs, Status, TubeLevels
from vendd.wire.mdb.changer_faults import ChangerFaults
from vendd.wire.mdb.changer_news import ByHand, CoinIn, CoinOut, Lever, News
from vendd.wire.mdb.exchange import Answer, Reply
from vendd.wire.mdb.tubes import SATURATED

_NOBODY: Final[frozenset[int]] = frozenset()
_NO_VALUES: Final = (0,) * cd.TYPES
_EARLY: Final = 16  # coins kept until it is known what they are worth
_MOST_LOST: Final = 4  # coins of one type in one answer; more is a hand that fills


class Repeats:
    """Recognises an activity that a changer sends again because it never heard our ACK.

    Proof is a tube count: a second coin would have raised it. Without one (coin box,
    saturated count) a repeat is believed only when the wire lost something in between.
    """

    def __init__(self) -> None:
        self._last = b""
        self._lossy = False
        self.count = 0

    def failed(self) -> None:
        """A POLL went unanswered or came back garbled."""
        self._lossy = True

    def nothing(self) -> None:
        """A POLL was answered by a plain ACK: all earlier activity is settled."""
        self._last = b""
        self._lossy = False

    def fresh(self, data: bytes) -> bytes:
        """The part of `data` that is new."""
        last, lossy = self._last, self._lossy
        self._last, self._lossy = data, False
        if last and data.startswith(last):
            proof = _proves_repeat(cd.activities(last))
            if proof or (proof is None and lossy):
                self.count += 1
                return data[len(last) :]
        return data


def _proves_repeat(happened: list[Activity]) -> bool | None:
    """True: coins can't have come twice with these counts. None: nothing speaks either way.

    False: there is nothing in it that must not be taken twice.
    """
    counted = False
    for one in happened:
        match one:
            case Deposit(_, cd.TUBE, int(count)) | Dispensed(_, _, int(count)):
                if 0 < count < SATURATED:
                    return True
                counted = True
            case Deposit() | Dispensed() | Status(cd.LEVER) | Slugs():
                counted = True
            case _:
                pass
    return None if counted else False


class PollReader:
    """Turns POLL answers into news. `values`: minor units per type, set after SETUP (`priced`).

    After `read`: `happened` has the new activities, `reset_seen` tells of JUST RESET,
    `tubes_doubtful` asks for a TUBE STATUS. `unknown` counts bytes without a meaning,
    `unpriced` coins that came in with no known value.
    """

    def __init__(self, faults: ChangerFaults) -> None:
        self._faults = faults
        self._repeats = Repeats()
        self._early: list[Deposit] | None = []  # of an earlier life: not forgotten
        self.values: tuple[int, ...] = _NO_VALUES
        self.levels = TubeLevels(0, (0,) * cd.TYPES)
        self.happened: list[Activity] = []
        self.reset_seen = False
        self.tubes_doubtful = False
        self.unknown = 0
        self.unpriced = 0
        self._lost = False  # the answer to a POLL was lost behind the adapter
        self._found = [0] * cd.TYPES  # coins told because of that, that a POLL may still tell

    @property
    def repeats(self) -> int:
        return self._repeats.count

    def read(self, reply: Reply, now: float) -> list[News]:
        self.happened = []
        self.reset_seen = False
        if reply.answer is Answer.ACK:
            self._repeats.nothing()
            self._found = [0] * cd.TYPES
            return [*self._faults.polled(_NOBODY, now)]
        if reply.answer is Answer.LOST:
            # Whatever it was, it won't come again; a coin in it shows in the tubes at best.
            self.tubes_doubtful = self._lost = True
            return []
        if reply.answer is not Answer.DATA:
            self._repeats.failed()
            return []
        news: list[News] = []
        statuses = frozenset(b.code for b in cd.activities(reply.data) if isinstance(b, Status))
        self.happened = cd.activities(self._repeats.fresh(reply.data))
        for one in self.happened:
            self._one(one, news)
        news += self._faults.polled(statuses, now)
        if statuses & {cd.TUBE_JAM, cd.TUBE_SENSOR, cd.ROUTING_ERROR}:
            self.tubes_doubtful = True
        return news

    def tubes_read(self, levels: TubeLevels, types: frozenset[int]) -> list[News]:
        """A TUBE STATUS; `types` have a tube. After a lost answer, coins that only the tubes can
        tell of; one that was out of use, or is, says nothing."""
        before, self.levels = self.levels, levels
        lost, self._lost = self._lost, False
        if not lost:
            return []
        news: list[News] = []
        for type_ in sorted(types):
            old, now = before.counts[type_], levels.counts[type_]
            if before.defective(type_) or levels.defective(type_):
                continue
            if self.values[type_] and old < now < SATURATED and now - old <= _MOST_LOST:
                value = self.values[type_]
                news += [CoinIn(type_, value, True, n) for n in range(old + 1, now + 1)]
                self._found[type_] += now - old
        return news

    def _one(self, one: Activity, news: list[News]) -> None:
        match one:
            case Status():
                self._status(one, news)
            case Slugs(count):
                if count:
                    news.append(CoinOut("slug", None, count))
            case Deposit(type_, cd.REJECT, _):
                news.append(CoinOut("rejected", type_))
            case Deposit(type_, cd.UNUSED, _):
                self.unknown += 1
            case Deposit():
                self._deposit(one, news)
            case Dispensed(type_, coins, count):
                count = self._count(type_, count, -coins)
                if coins:
                    news.append(ByHand(type_, coins, count))

    def priced(self, values: tuple[int, ...]) -> list[News]:
        """What coins are worth, none of them anything where the changer can't be used; and the
        coins that it told of before that was known."""
        self.values = values
        early, self._early = self._early or [], None
        news: list[News] = []
        for coin in early if any(values) else ():
            self._deposit(coin, news)
        return news

    def _deposit(self, coin: Deposit, news: list[News]) -> None:
        if self._early is not None:
            self._early = [*self._early, coin][-_EARLY:]
            return
        in_tube = coin.routing == cd.TUBE
        if in_tube and self._was_found(coin):
            return
        count = self._count(coin.type, coin.count, int(in_tube))
        value = self.values[coin.type]
        if value == 0:
            self.unpriced += 1
            self.tubes_doubtful = True
            return
        news += self._faults.coin_came()
        news.append(CoinIn(coin.type, value, in_tube, count))

    def _was_found(self, coin: Deposit) -> bool:
        """It was in the tube already when that was looked at, and told then."""
        known = self.levels.counts[coin.type]
        if not self._found[coin.type] or coin.count is None or coin.count > known:
            return False
        self._found[coin.type] -= 1
        return True

    def _count(self, type_: int, told: int | None, change: int) -> int:
        """The tube's count after a movement; what we knew plus the change when it was not sent."""
        if told is None:
            self.tubes_doubtful = True
            told = min(SATURATED, max(0, self.levels.counts[type_] + change))
        counts = list(self.levels.counts)
        counts[type_] = told
        self.levels = TubeLevels(self.levels.full, tuple(counts))
        return told

    def _status(self, status: Status, news: list[News]) -> None:
        match status.code:
            case cd.LEVER:
                news.append(Lever())
            case cd.NO_CREDIT:
                news.append(CoinOut("lost"))
            case cd.DOUBLE_ARRIVAL:
                news.append(CoinOut("double_arrival"))
            case cd.JUST_RESET:
                self.reset_seen = True  # from here on the start compares the tubes
                self._lost = False
                self._found = [0] * cd.TYPES
            case _ if not status.defined:
                self.unknown += 1
