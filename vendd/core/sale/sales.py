"""How a sale begins: what it will cost, what proves it, and the committed intent to turn."""

from vendd.core.facts import Channel, Proof
from vendd.core.rows import Reserved
from vendd.core.sale.acts import TurnMotor
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.states import (
    Vending,
)
from vendd.core.sale.tariff import Tariff, for_cash


def proof_that_decides(d: Draft) -> Proof:
    """The drop sensor, unless there is none, it can't be believed, or the home switch stands in."""
    policy = d.policy
    until = d.state.home_decides_until
    jackpot = until is not None and d.now_ms < until
    blind = d.world.drop_sensor_blocked and policy.home_proves_when_sensor_blocked
    return Proof.HOME if not policy.drop_sensor or jackpot or blind else Proof.DROP


def new_sale(d: Draft, selection: str, tariff: Tariff | None = None, *, overpay: int = 0) -> Sale:
    """A sale with the next number. `tariff` None: the cash price. Reserves nothing yet."""
    slot = d.world.slots[selection].slot
    no = d.number("sale")
    customer = d.state.customer
    tariff = tariff or for_cash(slot)
    return Sale(
        id=f"s{no}",
        no=no,
        session_id=customer.id if customer else f"c{d.number('session')}",
        selection=selection,
        channel=Channel.FREE if slot.free else Channel.KEYPAD,
        price=tariff.price,
        price_list=tariff.price_list,
        list_price=tariff.listed,
        discount=tariff.discount,
        surcharge=tariff.surcharge,
        overpay=overpay,
        started_ms=d.now_ms,
        started_at=d.world.now.wall,
        decides=proof_that_decides(d),
        credit_before=d.state.credit,
        bills_before=d.state.credit_bills,
        exact_change=d.state.exact_change,
    )


def begin(d: Draft, selection: str, tariff: Tariff | None = None, *, overpay: int = 0) -> None:
    """Reserve and commit the intent to turn; the motor starts after that commit (S1)."""
    sale = new_sale(d, selection, tariff, overpay=overpay)
    d.clear_entry()
    d.hush()
    d.record(Reserved(sale.id, selection))
    start_vending(d, sale)


def start_vending(d: Draft, sale: Sale) -> None:
    """Everything it needs is reserved and paid or in the credit: turn."""
    d.set(last_vend=None)
    d.go(Vending(sale))
    d.do(TurnMotor(sale.attempt_id, d.world.slots[sale.selection].slot.motors, sale.turn))
