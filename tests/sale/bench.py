"""A bench for the purchase machine: state, books and timers in memory, and a moment that is told.

Nothing is faked: `report` does what the engine does (service, snapshot, step, commit, acts), in
that order, with dictionaries for the books. After every report the promises that hold at every
commit are checked, so each table row and each random walk checks them all.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from vendd.core import ledger
from vendd.core.facts import SaleClosed
from vendd.core.planogram import Product, Slot, SlotState
from vendd.core.policy import Policy
from vendd.core.rows import (
    ClaimSet,
    LevelChanged,
    Posted,
    Record,
    Released,
    Reserved,
    TubeSet,
)
from vendd.core.sale import outputs, persist
from vendd.core.sale.acts import Acknowledge, Act, Arm, Disarm, PayOut, TurnMotor
from vendd.core.sale.machine import step
from vendd.core.sale.reports import (
    ChangerReady,
    Coin,
    CoinAccepted,
    CoinRejected,
    DeviceIdentity,
    KeyPressed,
    LeverPressed,
    Report,
    Started,
    Timer,
    TimerFired,
    Tube,
)
from vendd.core.sale.states import (
    EPHEMERAL,
    Paying,
    State,
)
from vendd.core.service import Service, observe
from vendd.core.snapshot import Changer, Moment, SlotView, Snapshot

COINS = tuple(
    Coin(type_, value, to_tube)
    for type_, value, to_tube in (
        (0, 10, True),
        (1, 20, True),
        (2, 50, True),
        (3, 100, True),
        (4, 200, False),
    )
)
"""Four kinds have a tube; 2.00 goes to the box."""
TYPE_OF = {c.value: c.type for c in COINS}
PRICES = {"A1": 100, "A2": 150, "A3": 150, "B1": 250}
FREE = "F1"
DAY_MS = 86_400_000
_EPOCH_DAY = 20_000  # days since 1970: some day in 2024


def tubes_with(counts: Mapping[int, int]) -> tuple[Tube, ...]:
    """Tubes by coin value; values that are not named hold nothing."""
    return tuple(Tube(c.type, c.value, counts.get(c.value, 0)) for c in COINS if c.to_tube)


FULL_TUBES = tubes_with({10: 20, 20: 20, 50: 20, 100: 20})


def world_with(
    tubes: tuple[Tube, ...] = FULL_TUBES,
    level: int = 5,
    prices: Mapping[str, int] | None = None,
    **policy: Any,
) -> Snapshot:
    """A machine that is in service, its changer ready."""
    slots = {
        selection: SlotView(_slot(selection, n, {"cash": price}), level)
        for n, (selection, price) in enumerate((PRICES if prices is None else prices).items(), 1)
    }
    slots[FREE] = SlotView(_slot(FREE, 99, {}, free=True), level)
    return Snapshot(slots, Policy(**policy), tubes, Changer(ready=True, coins=COINS))


def _slot(selection: str, no: int, prices: dict[str, int], *, free: bool = False) -> Slot:
    product = Product(f"p-{selection}", f"Product {selection}", "A")
    return Slot(selection, no, product, (selection,), 10, 10, 1, prices, free)


def moment(now_ms: int, wall_ms: int) -> Moment:
    days, ms = divmod(wall_ms, DAY_MS)
    day = f"2024-10-{4 + days:02d}" if days < 27 else f"2025-{1 + (days - 27) // 28:02d}-01"
    seconds, ms = divmod(ms, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
    return Moment(now_ms, f"{day}T{clock}Z")


@dataclass
class Bench:
    """One machine on the bench. `records` and `acts` are those of the last report."""

    world: Snapshot = field(default_factory=world_with)
    state: State = field(default_factory=State)
    service: Service = field(default_factory=Service)
    now_ms: int = 1_000
    wall_ms: int = 0
    timers: dict[Timer, int] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    acts: tuple[Act, ...] = ()
    history: list[Record] = field(default_factory=list)
    done: list[Act] = field(default_factory=list)
    accounts: Counter[str] = field(default_factory=Counter)
    reserved: dict[str, str] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    phases: list[tuple[type, type]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for tube in self.world.tubes:
            self._post(ledger.tube(tube.value), ledger.FILLS, tube.value * tube.count)
        if self.state.credit:  # a test that starts with credit has it in the coin box
            self._post(ledger.COIN_BOX, ledger.CUSTOMER, self.state.credit)
        if self.state.sale is not None:  # or in the middle of a sale
            reserved = Reserved(self.state.sale.id, self.state.sale.selection)
            self.world = self.world.after((reserved,))
            self.history.append(reserved)
            self._book(reserved)
        self.check()

    # --- what a test says -----------------------------------------------------------

    def report(self, *reports: Report) -> "Bench":
        """Each in turn, and the time stands still."""
        for report in reports:
            self._one(report)
        return self

    def wait(self, ms: int) -> "Bench":
        """Let time pass; timers fire when they are due. Their records and acts add up."""
        end, records, acts = self.now_ms + ms, (), ()
        while self.timers and min(self.timers.values()) <= end:
            timer = min(self.timers, key=lambda t: (self.timers[t], t.value))
            self._pass_to(max(self.now_ms, self.timers.pop(timer)))
            self._one(TimerFired(timer))
            records, acts = records + self.records, acts + self.acts
        self._pass_to(end)
        self.records, self.acts = records, acts
        return self

    def power_cut(
        self, off_ms: int = 60_000, homes: Mapping[str, bool | None] | None = None
    ) -> "Bench":
        """What is not committed is gone; the machine starts, the changer does not yet."""
        self.state = persist.load(persist.dump(self.state))
        self.timers.clear()
        self.service = Service(self.service.reasons, self.service.door_open)
        self.world = replace(self.world, changer=Changer(), drop_sensor_blocked=False)
        self.now_ms, self.wall_ms = 1_000, self.wall_ms + off_ms
        return self.report(Started("power_loss", tuple((homes or {}).items())))

    def changer_up(self, tubes: tuple[Tube, ...] | None = None) -> "Bench":
        """Its initialisation is over. Without `tubes` it holds what the books say."""
        now = self.world.tubes if tubes is None else tubes
        return self.report(ChangerReady(DeviceIdentity("SIM", "1"), COINS, now))

    def change(self, **changes: Any) -> "Bench":
        """Something about the world is different from now on."""
        self.world = replace(self.world, **changes)
        return self

    def slot(self, selection: str, **changes: Any) -> "Bench":
        slots = dict(self.world.slots)
        slots[selection] = replace(slots[selection], **changes)
        return self.change(slots=slots)

    def all_slots(self, **changes: Any) -> "Bench":
        for selection in self.world.slots:
            self.slot(selection, **changes)
        return self

    # --- what a test sees -----------------------------------------------------------

    @property
    def screen(self) -> str:
        """Both lines with their trailing blanks gone: ``CREDIT      1.00 | MAKE SELECTION``."""
        first, second = outputs.screen(self.state, self.world)
        return f"{first.rstrip()} | {second.rstrip()}"

    @property
    def coins(self) -> set[int]:
        """Values of the coins that are taken now."""
        accepted = outputs.accepted_coins(self.state, self.world)
        return {c.value for c in COINS if c.type in accepted}

    @property
    def payout(self) -> PayOut:
        """The newest payout that was asked for."""
        return next(a for a in reversed(self.done) if isinstance(a, PayOut))

    @property
    def turn(self) -> TurnMotor:
        """The newest turn that was asked for."""
        return next(a for a in reversed(self.done) if isinstance(a, TurnMotor))

    def level(self, selection: str) -> int:
        return self.world.slots[selection].level

    def slot_state(self, selection: str) -> SlotState:
        return self.world.slots[selection].state

    def all(self, kind: type) -> list[Any]:
        """Every record of that kind, in order, since the beginning."""
        return [r for r in self.history if isinstance(r, kind)]

    # --- the engine -------------------------------------------------------------------

    def _one(self, report: Report) -> None:
        before = self.screen
        phase = type(self.state.phase)
        service = self.service.step(report)
        world = observe(self.world, service, report)
        world = replace(world, now=moment(self.now_ms, self.wall_ms))
        self.state, self.records, self.acts = step(self.state, report, world)
        self.service, self.world = service, world.after(self.records)
        self.history.extend(self.records)
        self.done.extend(self.acts)
        self.phases.append((phase, type(self.state.phase)))
        for record in self.records:
            self._book(record)
        for act in self.acts:
            self._perform(act)
        if isinstance(report, KeyPressed | LeverPressed | CoinAccepted | CoinRejected):
            noticed = any(isinstance(a, Acknowledge) for a in self.acts)
            assert noticed or self.screen != before, f"R9: nothing shows {report}"
        self.check()

    def _book(self, record: Record) -> None:
        match record:
            case Posted(debit, credit, amount):
                self._post(debit, credit, amount)
            case Reserved(sale_id, selection, 1):
                assert sale_id not in self.reserved
                self.reserved[sale_id] = selection
            case Released(sale_id, selection, 1):
                assert self.reserved.pop(sale_id) == selection
            case ClaimSet(ref, amount):
                assert ref not in self.claims, "a reference names one claim"
                self.claims[ref] = amount
            case TubeSet() as tube:
                assert tube.count >= 0
            case _:
                pass

    def _post(self, debit: str, credit: str, amount: int) -> None:
        if amount:
            assert amount > 0
            self.accounts[debit] += amount
            self.accounts[credit] -= amount

    def _perform(self, act: Act) -> None:
        match act:
            case Arm(timer, ms):
                assert ms > 0
                self.timers[timer] = self.now_ms + ms
            case Disarm(timer):
                self.timers.pop(timer, None)
            case TurnMotor(attempt_id):
                assert attempt_id.split(".")[0] in self.reserved, "a turn nobody reserved for"
            case PayOut(_, coins, amount):
                values = {t.type: t.value for t in self.world.tubes}
                assert sum(values[type_] * n for type_, n in coins) == amount
            case _:
                pass

    def _pass_to(self, at_ms: int) -> None:
        self.wall_ms += at_ms - self.now_ms
        self.now_ms = at_ms

    # --- what must hold after every report ------------------------------------------------

    def check(self) -> None:
        state, accounts = self.state, self.accounts
        assert sum(accounts.values()) == 0, "M1"
        assert state.credit >= 0
        assert -accounts[ledger.CUSTOMER] == state.credit
        going = state.phase.payout.amount if isinstance(state.phase, Paying) else 0
        assert -(accounts[ledger.CHANGE] + accounts[ledger.REFUNDS]) == going
        assert -accounts[ledger.CLAIMS] == sum(self.claims.values())
        stored: Counter[str] = Counter()
        for tube in self.world.tubes:
            stored[ledger.tube(tube.value)] += tube.value * tube.count
        for account in {*stored, *(a for a in accounts if a.startswith("tube:"))}:
            assert accounts[account] == stored[account], account
        assert state.credit == 0 or state.customer is not None
        self._check_stock()
        kept = {n: getattr(state, n) for n in _DURABLE}
        loaded = persist.load(persist.dump(state))
        assert {n: getattr(loaded, n) for n in _DURABLE} == kept, "M4"

    def _check_stock(self) -> None:
        speaking = Counter(self.reserved.values())
        for selection, view in self.world.slots.items():
            assert 0 <= view.reserved <= view.level, "S2"
            assert view.reserved == speaking[selection], "S1"
        closed = Counter(r.sale_id for r in self.history if isinstance(r, SaleClosed))
        assert all(n == 1 for n in closed.values()), "one outcome per sale"
        begun = {r.sale_id for r in self.history if isinstance(r, Reserved)}
        open_sale = {self.state.sale.id} if self.state.sale else set()
        assert begun == set(closed) | open_sale
        assert not (set(closed) & open_sale)
        assert all(r.delta == -1 for r in self.history if isinstance(r, LevelChanged))


_DURABLE = tuple(f.name for f in fields(State) if f.name not in EPHEMERAL)
