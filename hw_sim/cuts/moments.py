"""The moment of a cut, in the words of section 9: from what was durable and what was true.

Written from the rules and not from the daemon's recovery, which it judges.
"""

from collections.abc import Mapping
from typing import Final

from hw_sim.devices.card_reader_parts import Outcome
from hw_sim.stored import Stored
from hw_sim.virtual import VirtualMachine
from vendd.config import Config
from vendd.core import ledger
from vendd.core.facts import Proof
from vendd.core.sale.pieces import Order
from vendd.core.sale.states import (
    Authorising,
    Paying,
    Refunding,
    Returning,
    Stacking,
    Vending,
    WaitingForTap,
)

NOTHING: Final = "nothing"
VENDING: Final = "vending"


def unbooked(machine: VirtualMachine, stored: Stored, filled: int) -> int:
    """Coins of the customer's that are in no book yet. `filled`: what was in there before."""
    truth = machine.changer.truth
    booked = stored.in_tubes + stored.balances.get(ledger.COIN_BOX, 0)
    return filled + truth.inserted - truth.returned - booked if stored.tubes else truth.inserted


def moment(machine: VirtualMachine, stored: Stored, coins: int) -> str:
    """The row's id, at once after the cut; or VENDING. `coins`: in no book yet."""
    state = stored.state
    match state.phase:
        case Vending():
            return VENDING
        case Paying():
            return "payout"
        case Refunding():
            return "card_refunding"
        case WaitingForTap() | Authorising():
            return "card_approved" if _approved(machine) else "card_asked"
        case Stacking() | Returning():
            return "bill"
        case _ if state.bill is not None or _bill_inside(machine):
            return "bill"
        case _ if any(vend.order is Order.CONFIRM for vend in state.open_vends):
            return "card_delivered"
        case _ if coins > 0:
            return "coin"
        case _:
            return "credit" if state.credit else NOTHING


def vending(stored: Stored, config: Config, homes: Mapping[str, bool], *, doubted: bool) -> str:
    """The row's id of a cut in the middle of a vend. `homes`: the switches, when the motors stand
    still. `doubted`: there was one today already."""
    sale = stored.state.sale
    assert sale is not None
    if sale.delivered is not Proof.NONE:
        return "card_delivered" if sale.card is not None else "dropped"
    if not all(homes[motor] for motor in config.slots()[sale.selection].motors):
        return "not_home"
    if not sale.left_home:
        return "at_home"
    if sale.decides is Proof.HOME:
        return "no_sensor"
    return "home_again_twice" if doubted else "home_again"


def _approved(machine: VirtualMachine) -> bool:
    """The machine has heard of an approval that nothing became of yet."""
    charges = [c for reader in machine.till.readers.values() for c in reader.truth.charges]
    return any(c.heard and c.outcome is Outcome.HELD for c in charges)


def _bill_inside(machine: VirtualMachine) -> bool:
    return machine.till.bills is not None and machine.till.bills.truth.in_path() > 0
