"""The faults of devices on wires that a good machine gets over: no money and no product is lost."""

from typing import Final

from hw_sim.devices.bill_parts import BillFault
from hw_sim.devices.card_reader_parts import CardFault
from hw_sim.devices.faults import ChangerFault

# Not among them: ACK_LOST. A box coin whose ACK was lost is told twice, in the very words of a
# second coin; MDB numbers neither coins nor answers.
CHANGER: Final = (
    ChangerFault.PAYOUT_RESET,
    ChangerFault.PAYOUT_POWER_CUT,
    ChangerFault.PAYOUT_ENDLESS,
    ChangerFault.DOUBLE_ARRIVAL,
    ChangerFault.DEAF,
    ChangerFault.ANSWER_NAK,
    ChangerFault.BAD_CHK,
    ChangerFault.NOISE,
    ChangerFault.SILENT,
    ChangerFault.BUSY,
    ChangerFault.ACCEPTOR_UNPLUGGED,
    ChangerFault.UNKNOWN_STATUS,
)
BILLS: Final = (
    BillFault.BILL_REJECTED,
    BillFault.BILL_JAM,
    BillFault.RESET_IN_ESCROW,
    BillFault.ESCROW_BOUNCE,
    BillFault.STACK_RETURNS,
    BillFault.STACK_STUCK,
    BillFault.RESET_IN_STACKING,
    BillFault.POWER_CUT_IN_STACKING,
    BillFault.STACKED_UNTOLD,
    BillFault.RANDOM_RESET,
    BillFault.SILENT,
    BillFault.NOISE,
    BillFault.SHORT_ANSWER,
    BillFault.PAYOUT_JAM,
    BillFault.PAYOUT_RESET,
    BillFault.PAYOUT_POWER_CUT,
    BillFault.DEAF,
    BillFault.ANSWER_NAK,
    BillFault.BAD_CHK,
    BillFault.ACK_LOST,
    BillFault.UNKNOWN_STATUS,
)
CARDS: Final = (
    CardFault.REPEAT_BEGIN,
    CardFault.DROP_SESSION,
    CardFault.NEVER_END,
    CardFault.NO_ANSWER,
    CardFault.SILENT_AUTHORISING,
    CardFault.OTHER_AMOUNT,
    CardFault.CROSSING,
    CardFault.REQUEST_OUT_OF_SEQUENCE,
    CardFault.POWER_CUT_APPROVED,
    CardFault.RESET_APPROVED,
    CardFault.REFUND_ERROR,
    CardFault.REFUND_SILENT,
    CardFault.REFUND_SLOW,
    CardFault.DEAF,
    CardFault.ANSWER_NAK,
    CardFault.BAD_CHK,
    CardFault.NOISE,
    CardFault.SILENT,
    CardFault.RANDOM_RESET,
    CardFault.ACK_LOST,
    CardFault.MALFUNCTION,
)
