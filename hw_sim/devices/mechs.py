"""What people and auditors see of any device that takes money, whatever bus it is on."""

from typing import Protocol

from hw_sim.devices.bill_truth import BillTruth
from hw_sim.devices.card_reader_parts import Card, CardTruth, Charge, ReaderModel
from hw_sim.devices.card_reader_session import Stage
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


class Holding(Protocol):
    """What a reader has to do with a card now."""

    @property
    def card(self) -> Card | None: ...

    @property
    def charge(self) -> Charge | None:
        """Approved, not settled."""

    @property
    def stage(self) -> Stage: ...

    @property
    def mute(self) -> bool:
        """It answers nobody: authorising, or refunding."""


class CardMech(Protocol):
    """A card reader."""

    truth: CardTruth
    model: ReaderModel

    @property
    def session(self) -> Holding: ...

    def tap(self, card: Card) -> bool:
        """A card is held to it. False: it takes no notice."""

    def remove(self) -> None:
        """The card is taken away."""

    def press_cancel(self) -> None: ...

    def inject(self, fault: str, times: int = 1, after: int = 0) -> None:
        """Arm one of the device's own faults by name."""
