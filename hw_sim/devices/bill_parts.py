"""What a bill validator is made of: its fixed properties, its memory, its faults by name."""

import asyncio
import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from hw_sim.devices.bill_truth import BillTruth
from hw_sim.devices.changer_parts import Activity
from hw_sim.devices.faults import Faults

TYPES = 16
MAX_ACTIVITY = 16  # bytes in one POLL answer
OPTION_RECYCLING = 0x02  # FEATURE ENABLE (37 01) byte 4


class BillFault(StrEnum):
    """What a validator does wrong, and what counts as one opportunity to do it."""

    # each bill that was read
    BILL_REJECTED = "bill_rejected"  # `0B`, and it comes back
    BILL_JAM = "bill_jam"  # `05`, it stays in the path
    # each bill that reaches the escrow
    RESET_IN_ESCROW = "reset_in_escrow"
    # each order to stack
    ESCROW_BOUNCE = "escrow_bounce"  # field note 1: it stands in escrow again, `9x` again
    STACK_RETURNS = "stack_returns"  # it comes back instead: `Ax`
    STACK_STUCK = "stack_stuck"  # field note 5: neither moves nor tells, until a reset
    RESET_IN_STACKING = "reset_in_stacking"
    POWER_CUT_IN_STACKING = "power_cut_in_stacking"  # field note 2
    STACKED_UNTOLD = "stacked_untold"  # stacked and counted, never reported
    # each bill that was stacked
    CREDITED_REMOVAL = "credited_removal"  # pulled out on a string: `0C`
    # each bill that is about to be paid
    PAYOUT_JAM = "payout_jam"  # field note 3: `27`, the rest stays unpaid
    PAYOUT_RESET = "payout_reset"
    PAYOUT_POWER_CUT = "payout_power_cut"
    # each half second after the last bill was paid
    PAYOUT_ENDLESS = "payout_endless"  # field note 4: busy, value polls go on with zeros
    # each block that arrives
    SILENT = "silent"  # not answered, not carried out
    DEAF = "deaf"  # carried out, answered too late for the master
    ANSWER_NAK = "answer_nak"  # not carried out
    RANDOM_RESET = "random_reset"  # resets itself instead of answering
    # each data answer
    BAD_CHK = "bad_chk"
    NOISE = "noise"  # random bytes with a wrong CHK
    SHORT_ANSWER = "short_answer"  # cut in the middle, its CHK right
    ACK_LOST = "ack_lost"  # does not hear the master's ACK: the same activity comes again
    # each poll
    UNKNOWN_STATUS = "unknown_status"  # status bytes that nobody has defined


@dataclass(frozen=True)
class BillModel:
    """The fixed properties of one validator. Defaults: level 1 with escrow for EUR bills.

    `credits` are in scaling units per bill type, 0 = unused, 255 = token; a bill's value in
    minor units is credit * scale (times 10^(2 - decimals)). Times in seconds.
    """

    level: int = 1
    currency: int = 0x1978
    scale: int = 500
    decimals: int = 2
    minor_per_unit: int = 1  # minor units that `scale` counts in; 10 with decimals 1
    capacity: int = 600  # of the stacker; 0: not told, and never full
    escrow: bool = True
    credits: tuple[int, ...] = (1, 2, 4, 10, 20)
    recycled: int = 0x0007  # types the recycler takes, level 2
    recycler_capacity: int = 30  # bills per type
    manufacturer: str = "SIM"
    serial: str = "000000000007"
    model: str = "BILLS-1"
    software: int = 0x0120
    options: int = OPTION_RECYCLING  # told at level 2 only
    after_reset: Literal["return", "stack"] = "return"  # what becomes of a bill in escrow
    remembers: bool = True  # untold bill movements survive a power cut
    says_disabled: bool = True  # `09` with each poll while no bill can be taken
    busy_style: Literal["busy", "silent"] = "busy"  # what polls get while a bill moves
    reads_s: tuple[float, float] = (0.9, 1.5)
    stacks_s: tuple[float, float] = (0.7, 1.3)
    returns_s: tuple[float, float] = (0.5, 0.9)
    pays_s: tuple[float, float] = (1.0, 2.0)
    takes_s: tuple[float, float] = (0.4, 1.5)  # until a customer takes a paid bill
    retracts_s: float = 60.0  # then a bill nobody took is drawn in
    answer_s: tuple[float, float] = (0.0008, 0.0035)
    reset_s: float = 0.3
    boot_s: float = 2.0

    def value(self, bill_type: int) -> int:
        """Minor units; 0 for an unused type or a token."""
        credit = self.credits[bill_type] if bill_type < len(self.credits) else 0
        return 0 if credit == 0xFF else credit * self.scale * self.minor_per_unit

    def type_of(self, value: int) -> int | None:
        for bill_type in range(len(self.credits)):
            if value > 0 and self.value(bill_type) == value:
                return bill_type
        return None

    def stacker_full(self, stacked: int) -> bool:
        return 0 < self.capacity <= stacked

    def recycled_types(self) -> list[int]:
        if self.level < 2 or not self.options & OPTION_RECYCLING:
            return []
        return [t for t in range(TYPES) if self.recycled >> t & 1 and self.value(t)]

    def setup(self) -> bytes:
        """The answer to SETUP (31), 27 bytes."""
        head = bytes([self.level]) + self.currency.to_bytes(2, "big")
        head += self.scale.to_bytes(2, "big") + bytes([self.decimals])
        head += self.capacity.to_bytes(2, "big") + bytes(2)
        return head + bytes([0xFF if self.escrow else 0]) + bytes(self.credits).ljust(TYPES, b"\0")

    def identification(self) -> bytes:
        """The answer to IDENT (37 00), 29 bytes; 37 02 has four more."""
        text = f"{self.manufacturer:<3.3}{self.serial:<12.12}{self.model:<12.12}"
        return text.encode("ascii") + self.software.to_bytes(2, "big")


@dataclass
class BillMemory:
    """What the validator believes and was told. Counts survive a power cut."""

    stacked: int = 0  # since the stacker was emptied
    counted: list[int] = field(default_factory=lambda: [0] * TYPES)  # in the recycler
    defective: set[int] = field(default_factory=set)
    activity: Activity = field(default_factory=Activity)
    enabled: int = 0
    held: int = 0
    manual: int = 0
    options: int = 0
    running: bool = False
    box_out: bool = False

    def forget(self) -> None:
        """The power-on state: bills off."""
        self.enabled = self.held = self.manual = self.options = 0


@dataclass(frozen=True)
class BillWorks:
    """What all parts of one validator share."""

    loop: asyncio.AbstractEventLoop
    rng: random.Random
    model: BillModel
    memory: BillMemory
    truth: BillTruth
    faults: Faults[BillFault]
