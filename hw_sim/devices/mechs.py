"""What people and auditors see of any device that takes coins or bills, whatever bus it is on."""

from typing import Protocol

from hw_sim.devices.bill_truth import BillTruth
from hw_sim.devices.coin_truth import CoinTruth


class MoneyDevice(Protocol):
    """Something with a slot, a plug and a technician."""

    @property
    def values(self) -> tuple[int, ...]:
        """What it knows, in minor units, smallest first."""

    @property
    def jammed(self) -> bool:
        """It needs somebody to clear it."""

    @property
    def paying(self) -> bool:
        """Money is on its way out."""

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """Arm one of the device's own faults by name."""

    def unplug(self) -> None:
        """No power, no answer."""

    def plug(self) -> None: ...

    def repair(self) -> None:
        """Jams cleared, armed faults forgotten."""


class CoinMech(MoneyDevice, Protocol):
    """A coin changer, or an acceptor with its hoppers."""

    truth: CoinTruth

    @property
    def untold(self) -> bool:
        """A coin falls, or has fallen and was not reported yet."""

    def insert_coin(self, value: int) -> None: ...

    def press_lever(self) -> None: ...

    @property
    def fillable(self) -> bool:
        """It counts the coins that a technician fills in."""

    def refill(self, low: int, full: int) -> None:
        """A technician fills up what holds less than `low` coins, where it is `fillable`."""


class BillMech(MoneyDevice, Protocol):
    """A bill validator."""

    truth: BillTruth

    def insert_bill(self, value: int) -> bool:
        """False: it was not drawn in."""

    def pull_back(self) -> bool:
        """The customer pulls the bill out of the mouth. False: it can't be held any more."""
