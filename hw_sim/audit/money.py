"""Money: what the coins say and what the ledger says must be one story."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hw_sim.audit.books import Books
from hw_sim.devices.coin_truth import CoinTruth

BOX: Final = "coin_box"
STARTING_FILL: Final = "fill"


@dataclass(frozen=True, slots=True)
class Store:
    """One store of money over the day: counted `opening`, booked `came` and `went`, booked
    `closing`, and `counted` in the end. Minor units."""

    account: str
    opening: int
    came: int
    went: int
    closing: int
    counted: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What really was in the stores when the day began."""

    tubes: dict[int, int]
    box: int
    into_tube: dict[int, int]
    put_in_tube: dict[int, int]
    out_of_tube: dict[int, int]
    into_box: int

    @classmethod
    def of(cls, truth: CoinTruth) -> "Opening":
        return cls(
            tubes={tube: sum(coins) for tube, coins in truth.tubes.items()},
            box=truth.box_total(),
            into_tube=dict(truth.into_tube),
            put_in_tube=dict(truth.put_in_tube),
            out_of_tube=dict(truth.out_of_tube),
            into_box=truth.into_box,
        )


def stores(books: Books, truth: CoinTruth, opening: Opening) -> list[Store]:
    """Per tube and for the box. What the first count of all tubes booked is their opening."""
    found = []
    for tube, coins in sorted(truth.tubes.items()):
        account = f"tube:{tube}"
        first = opening.tubes[tube]
        found.append(
            Store(
                account,
                opening=first,
                came=books.moved(debit=account) - first,
                went=books.moved(credit=account),
                closing=books.closing(account),
                counted=sum(coins),
            )
        )
    return [
        *found,
        Store(
            BOX,
            opening=opening.box,
            came=books.moved(debit=BOX),
            went=books.moved(credit=BOX),
            closing=books.closing(BOX),
            counted=truth.box_total(),
        ),
    ]


def check_stores(found: Sequence[Store], excused_box: int) -> Iterator[str]:
    """M1. `excused_box`: coins that fell into the box while no controller lived: no evidence."""
    for store in found:
        if store.opening + store.came - store.went != store.closing:
            yield (
                f"{store.account}: opening {store.opening} + in {store.came} - out {store.went}"
                f" is not closing {store.closing}"
            )
        excused = excused_box if store.account == BOX else 0
        if store.closing + excused != store.counted:
            yield f"{store.account}: booked {store.closing}, but {store.counted} is in there"


def check_flows(books: Books, truth: CoinTruth, opening: Opening) -> Iterator[str]:
    """What went into and out of each tube by itself, not only what is left. Only for days
    without a power cut: afterwards some coins are known by the tubes' counts alone."""
    for tube in sorted(truth.tubes):
        account = f"tube:{tube}"
        really_in = truth.into_tube[tube] - opening.into_tube.get(tube, 0)
        filled = opening.tubes[tube] + truth.put_in_tube[tube]
        filled -= opening.put_in_tube.get(tube, 0)
        booked_fills = books.moved(debit=account, credit="fills")
        really_out = truth.out_of_tube[tube] - opening.out_of_tube.get(tube, 0)
        booked_in = books.moved(debit=account, credit="customer")
        booked_out = books.moved(debit="change", credit=account)
        booked_out += books.moved(debit="refunds", credit=account)
        if filled != booked_fills:
            yield f"{account}: {filled} was filled in, booked {booked_fills}"
        if really_in != booked_in:
            yield f"{account}: customers' coins in {really_in}, booked {booked_in}"
        if really_out != booked_out:
            yield f"{account}: paid out {really_out}, booked {booked_out}"
    if truth.into_box - opening.into_box != books.moved(debit=BOX, credit="customer"):
        yield f"{BOX}: {truth.into_box - opening.into_box} fell in, not all of it was booked"


def check_ledger(books: Books) -> Iterator[str]:
    """The books within themselves."""
    total = sum(balance.closing for balance in books.balances.values())
    if total:
        yield f"all accounts together are {total}, not 0"
    for account, balance in sorted(books.balances.items()):
        if balance.opening + balance.inflow - balance.outflow != balance.closing:
            yield f"{account}: its balance does not add up: {balance}"
        rows = books.moved(debit=account) - books.moved(credit=account)
        if rows != balance.closing:
            yield f"{account}: the balance says {balance.closing}, the ledger rows {rows}"
    for account in ("customer", "change", "refunds"):
        if books.closing(account):
            yield f"{account}: {-books.closing(account)} still open when everybody has left"
    doubtful = books.moved(debit="unexplained", credit="claims")  # bills nobody could find
    doubtful -= books.moved(credit="unexplained", reason="bill_turned_up")
    doubtful -= min(doubtful, books.found_at_a_start())
    if books.closing("unexplained") != doubtful:
        yield f"unexplained: {books.closing('unexplained') - doubtful}"
    for tube, count in sorted(books.tubes.items()):
        if count * tube != books.closing(f"tube:{tube}"):
            yield f"tube:{tube}: {count} coins counted, {books.closing(f'tube:{tube}')} booked"
    owed = books.owed()
    if owed != -books.closing("claims"):
        yield f"claims: {owed} open, {-books.closing('claims')} booked"


def check_coins(truth: CoinTruth) -> Iterator[str]:
    """The world itself: no coin came from nowhere. A mistake here is the simulator's."""
    if not truth.conserved():
        yield "coins appeared or vanished in the simulated changer"
    if truth.cup_total():
        yield f"{truth.cup_total()} lies in the return cup, and nobody is there"
