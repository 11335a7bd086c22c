"""What a card reader at the port is made of: its faults by name, the request under way."""

from dataclasses import dataclass
from enum import StrEnum

from hw_sim.devices.card_reader_parts import Charge


class PortCardFault(StrEnum):
    """What it does wrong, and what counts as one opportunity to do it."""

    DROP_SESSION = "drop_session"  # a session: ended by the reader a second later
    NEVER_END = "never_end"  # the end of a session: only a reset ends it
    # each request to pay
    NO_ANSWER = "no_answer"
    OTHER_AMOUNT = "other_amount"  # approves four fifths
    CROSSING = "crossing"  # has approved when it is taken back
    OUT_OF_SEQUENCE = "request_out_of_sequence"
    # each approval that the machine has heard of
    POWER_CUT_APPROVED = "power_cut_approved"  # it counts as a success
    RESET_APPROVED = "reset_approved"
    # each refund
    REFUND_ERROR = "refund_error"  # the holder has paid, and it says so
    REFUND_SILENT = "refund_silent"  # the holder has paid, and it says nothing
    REFUND_UNHEARD = "refund_unheard"  # the holder has the money, and it says nothing
    REFUND_SLOW = "refund_slow"  # takes most of its time


@dataclass(eq=False)
class Vend:
    """A request under way."""

    id: str
    price: int
    item: int
    charge: Charge | None = None
    settling: bool = False
    cancelled: bool = False
