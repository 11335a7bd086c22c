"""Random walks: what a world may do to the machine, in any state and in any order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from tests.sale.bench import COINS, FREE, PRICES, Bench, tubes_with, world_with
from tests.sale.script import coin
from tests.sale.walk_bills import answer, bill_moves
from tests.sale.walk_cards import answered, card_moves, end_session, settle
from tests.sale.worlds import DEAR, reader, validator
from vendd.core.policy import ForceVend
from vendd.core.sale.card_reports import RefundState
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    CoinAccepted,
    CoinPath,
    CoinRejected,
    DeviceIdentity,
    DoorMoved,
    DropSeen,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    KeyPressed,
    LeftHome,
    LeverPressed,
    ManuallyDispensed,
    PayoutEnded,
    ServiceChanged,
    Timer,
    TimerFired,
    Tube,
    TubesRead,
    TurnEnded,
    TurnResult,
)
from vendd.core.sale.states import (
    Paying,
    Vending,
)

Move = Callable[[Bench], object]

_LEGENDS: Final = ("A", "B", "C", "F", "D", "1", "2", "3", "9", "clear", "")
_SELECTIONS: Final = (*PRICES, "C1", FREE, "D9")
_small = st.integers(0, 3)
_counts = st.fixed_dictionaries({c.value: st.integers(0, 6) for c in COINS if c.to_tube})


def policies() -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "multi_vend": st.booleans(),
            "force_vend": st.sampled_from(ForceVend),
            "overpay_up_to": st.sampled_from((0, 50, 500)),
            "forfeit_idle_credit": st.booleans(),
            "tube_reserve": st.integers(0, 2),
            "max_credit": st.sampled_from((None, 100, 1_000)),
            "accept_unreturnable_up_to": st.sampled_from((0, 100)),
            "return_credit_on_door": st.booleans(),
            "drop_sensor": st.booleans(),
            "home_proves_when_sensor_blocked": st.booleans(),
            "extra_turns": st.integers(0, 2),
            "failures_to_slot_off": st.integers(1, 4),
            "jackpot_refunds": st.integers(0, 3),
            "mixed_tender": st.booleans(),
            "revalue": st.booleans(),
            "hold_last_bill": st.booleans(),
            "card_surcharge": st.sampled_from((0, 20)),
            "card_discount": st.sampled_from((0, 30)),
        },
    )


def _worlds() -> st.SearchStrategy[dict[str, object]]:
    """Which devices the machine has, and what stands in it at which price."""
    features = {"selection_first": st.booleans(), "multi_vend": st.booleans()}
    fitted = st.fixed_dictionaries(features, optional={"wants_cash_sales": st.just(True)})
    one = st.builds(lambda f: (reader(1, **f),), fitted)
    two = st.builds(lambda f, g: (reader(1, **f), reader(2, **g)), fitted, fitted)
    recycler = st.one_of(
        st.none(), st.fixed_dictionaries({500: st.integers(0, 3), 1_000: st.integers(0, 2)})
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "prices": st.just(DEAR),
            "bills": st.builds(lambda e: validator(escrow=e), st.booleans()),
            "recycler": recycler,
            "readers": st.one_of(one, two),
            "ages": st.just({"A3": 18}),
            "cards": st.just({"A1": 120}),
        },
    )


def benches() -> st.SearchStrategy[Bench]:
    return st.builds(
        lambda counts, level, world, policy: Bench(_world(counts, level, world, policy)),
        _counts,
        st.integers(0, 4),
        _worlds(),
        policies(),
    )


def _world(counts, level, world, policy):  # type: ignore[no-untyped-def]
    if "recycler" in world and world["recycler"] is not None:
        world = {**world, "bills": None}  # the one that belongs to it
    return world_with(tubes_with(counts), level, **world, **policy)


# --- the customer -----------------------------------------------------------------------------


def _keyed(selection: str) -> Move:
    return lambda b: b.report(*(KeyPressed(legend) for legend in selection))


def _bought(selection: str) -> Move:
    """With enough money in, whatever the machine makes of it."""

    def buy(bench: Bench) -> None:
        bench.report(coin(200))
        _keyed(selection)(bench)

    return buy


def _touch() -> st.SearchStrategy[Move]:
    return st.one_of(
        st.sampled_from(_LEGENDS).map(lambda k: lambda b: b.report(KeyPressed(k))),
        st.sampled_from(_SELECTIONS).map(_keyed),
        st.sampled_from(_SELECTIONS).map(_bought),
        st.sampled_from([c.value for c in COINS]).map(lambda v: lambda b: b.report(coin(v))),
        st.sampled_from((LeverPressed(), CoinRejected("slug"), CoinRejected("rejected", 2))).map(
            lambda r: lambda b: b.report(r)
        ),
    )


def _odd_coin(type_: int, box: bool) -> Move:
    """Any kind may go either way, whatever its routing bit says."""
    value = COINS[type_].value
    path = CoinPath.BOX if box else CoinPath.TUBE
    return lambda b: b.report(CoinAccepted(type_, value, path, 1))


# --- the vend -----------------------------------------------------------------------------------


def turn_ended(result: TurnResult) -> Move:
    def end(bench: Bench) -> None:
        if isinstance(bench.state.phase, Vending):
            attempt = bench.state.phase.sale.attempt_id
            bench.report(TurnEnded(attempt, result, result is TurnResult.HOME, 2_000))

    return end


def _left(bench: Bench) -> None:
    if isinstance(bench.state.phase, Vending):
        bench.report(LeftHome(bench.state.phase.sale.attempt_id))


def _vended(bench: Bench) -> None:
    _left(bench)
    bench.report(DropSeen())
    turn_ended(TurnResult.HOME)(bench)


def _vend() -> st.SearchStrategy[Move]:
    stale = (LeftHome("s1.1"), LeftHome("s0.9"), TurnEnded("s1.1", TurnResult.HOME, at_home=True))
    return st.one_of(
        st.just(_left),
        st.just(_vended),
        st.just(lambda b: b.report(DropSeen())),
        st.sampled_from(TurnResult).map(turn_ended),
        st.sampled_from(stale).map(lambda r: lambda b: b.report(r)),
    )


# --- money going out ---------------------------------------------------------------------------


def _payout_ended(keep: int, more: int, certain: bool) -> Move:
    """`keep` coins of the first kind stay in the machine, `more` too many leave it."""

    def end(bench: Bench) -> None:
        phase = bench.state.phase
        if not isinstance(phase, Paying) or not phase.payout.asked:
            return
        if phase.payout.out != "coins":
            return
        coins = dict(phase.payout.coins)
        for type_ in list(coins)[:1]:
            coins[type_] = max(0, coins[type_] - keep + more)
        bench.report(PayoutEnded(phase.payout.id, tuple(coins.items()), certain))

    return end


def _tubes(shift: dict[int, int], defective: bool) -> Callable[[Bench], tuple[Tube, ...]]:
    def read(bench: Bench) -> tuple[Tube, ...]:
        tubes = tuple(
            replace(t, count=max(0, t.count + shift.get(t.value, 0)), defective=False)
            for t in bench.world.tubes
        )
        if defective and tubes:
            tubes = (replace(tubes[0], count=0, full=True, defective=True), *tubes[1:])
        return tubes

    return read


def _changer() -> st.SearchStrategy[Move]:
    shifts = st.dictionaries(st.sampled_from([10, 20, 50, 100]), st.integers(-2, 2), max_size=2)
    readings = st.builds(_tubes, shifts, st.booleans())
    return st.one_of(
        st.builds(_payout_ended, _small, st.just(0), st.booleans()),
        st.builds(_payout_ended, st.just(0), st.just(0), st.just(True)),
        st.builds(_payout_ended, st.just(0), _small, st.just(True)),
        st.just(lambda b: b.report(PayoutEnded("p0", ((3, 1),), certain=True))),
        readings.map(
            lambda read: lambda b: b.report(ChangerReady(DeviceIdentity(), COINS, read(b)))
        ),
        readings.map(lambda read: lambda b: b.report(TubesRead(read(b)))),
        readings.map(lambda read: lambda b: b.report(*([TubesRead(read(b))] * 2))),
        st.builds(
            lambda t, n: lambda b: b.report(ManuallyDispensed(t, n, 0)), st.integers(0, 5), _small
        ),
        st.builds(_odd_coin, st.integers(0, 4), st.booleans()),
    )


# --- everything else ---------------------------------------------------------------------------


def _power_cut(off_ms: int, home: bool | None, up: bool) -> Move:
    def cut(bench: Bench) -> None:
        sale = bench.state.sale
        bench.power_cut(off_ms, {sale.selection: home} if sale else {})
        if up:
            all_up(bench)

    return cut


def all_up(bench: Bench) -> None:
    """Every money device of the machine is initialised."""
    if not bench.world.changer.ready:
        bench.changer_up()
    if bench.world.validator.fitted and not bench.world.validator.ready:
        bench.validator_up()
    for fitted in bench.world.readers:
        if not fitted.ready:
            bench.reader_up(fitted.number)


def _refill(bench: Bench) -> None:
    if bench.state.sale is None:
        bench.all_slots(level=5)


_MENDING: Final = (
    ServiceChanged("operator", active=False),
    ServiceChanged("anti_jackpot", active=False),
    FaultEnded("dead", "keypad"),
    DoorMoved(open=False),
    DropSensorChanged(blocked=False),
)
_BREAKING: Final = (
    ServiceChanged("operator", active=True),
    FaultStarted("dead", "keypad"),
    FaultStarted("dead", "display"),
    DoorMoved(open=True),
    DropSensorChanged(blocked=True),
    ChangerLost("silent"),
)


def _mended(bench: Bench) -> None:
    bench.report(*_MENDING)
    all_up(bench)
    _refill(bench)


def _time() -> st.SearchStrategy[Move]:
    fired = st.sampled_from(Timer)  # also those that nobody armed
    return st.one_of(
        st.integers(1, 400_000).map(lambda ms: lambda b: b.wait(ms)),
        st.integers(1, 4_000).map(lambda ms: lambda b: b.wait(ms)),
        fired.map(lambda timer: lambda b: b.report(TimerFired(timer))),
    )


def _around() -> st.SearchStrategy[Move]:
    homes = st.sampled_from((True, False, None))
    return st.one_of(
        st.sampled_from(_BREAKING).map(lambda r: lambda b: b.report(r)),
        st.sampled_from(_MENDING).map(lambda r: lambda b: b.report(r)),
        st.builds(_power_cut, st.sampled_from((1, 60_000, 86_400_000)), homes, st.booleans()),
        st.just(_mended),
        st.just(_mended),
    )


def walks() -> st.SearchStrategy[list[Move]]:
    money = 3 * [_changer()] + 4 * [bill_moves()] + 6 * [card_moves(_SELECTIONS)]
    groups = 6 * [_touch()] + 4 * [_vend()] + money + 2 * [_time()] + 2 * [_around()]
    return st.lists(st.sampled_from(groups).flatmap(lambda group: group), min_size=20, max_size=80)


def calm_down(bench: Bench) -> None:
    """Reports stop: the door is closed, what turns comes to its end, whoever was asked answers,
    time passes."""
    bench.report(DoorMoved(open=False))
    for _ in range(12):
        turn_ended(TurnResult.NEVER_LEFT)(bench)
        answer("as ordered", to_recycler=False)(bench)
        answered(bench)
        settle(RefundState.CONFIRMED)(bench)
        for number in (1, 2):
            end_session(number)(bench)
        bench.wait(600_000)
