"""What a bill validator at the port is made of: its faults by name, the bill in its path."""

from dataclasses import dataclass
from enum import StrEnum

from hw_sim.devices.bill_truth import Place


class PortBillFault(StrEnum):
    """What it does wrong, and what counts as one opportunity to do it."""

    # each bill that was read
    BILL_REJECTED = "bill_rejected"
    BILL_JAM = "bill_jam"  # sticks until somebody comes
    RESET_IN_ESCROW = "reset_in_escrow"
    # each order to stack
    ESCROW_BOUNCE = "escrow_bounce"  # no effect, asked again
    STACK_RETURNS = "stack_returns"
    STACK_STUCK = "stack_stuck"  # neither effect nor report; a reset gives it back
    RESET_IN_STACKING = "reset_in_stacking"
    POWER_CUT_IN_STACKING = "power_cut_in_stacking"
    # each bill that is stacked
    STACKED_UNTOLD = "stacked_untold"  # in the stacker, and nobody says so
    # each bill that is about to be paid
    PAYOUT_JAM = "payout_jam"
    PAYOUT_RESET = "payout_reset"
    PAYOUT_POWER_CUT = "payout_power_cut"


@dataclass(eq=False)
class Bill:
    """The one in the path. `number` None until this life saw it in escrow; `phase` as in
    `BillInterrupted`."""

    value: int
    type: int | None
    place: Place = Place.ENTRY
    number: int | None = None
    phase: str = "reading"
    told: bool = False  # an interruption with it was told
