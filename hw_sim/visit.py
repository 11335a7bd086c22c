"""What happened to one customer, told by what went through their hands."""

from dataclasses import dataclass, field

from hw_sim.devices.card_reader_parts import Card
from hw_sim.habits import Habit
from hw_sim.signs import LETS_GO, sign, words
from vendd.core.money import format_amount


@dataclass(slots=True)
class Visit:
    """`inserted`: every coin and bill that left the hand. `returned`: every one that came back,
    `rejected` those of them that the machine had never credited; `bills` and `bills_back` are the
    bills among them. `cards`: those held to a reader. `products`: selections of what was taken
    from the tray. Minor units; loop seconds.

    `disturbed`: the controller died while this customer stood there. `claim`: the reference
    that the display showed when the machine could not pay, `references` are all it showed.
    `lies`: what the display said although it was not so (behaviour.md R6). `pulled`: devices that
    lost their plug meanwhile.
    """

    number: int
    habit: Habit
    wants: str
    price: int
    began: float = 0.0
    ended: float = 0.0
    inserted: list[int] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)
    bills: list[int] = field(default_factory=list)
    bills_back: list[int] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    keyed: list[str] = field(default_factory=list)
    said: str = ""
    claim: str | None = None
    references: list[str] = field(default_factory=list)
    disturbed: bool = False
    gave_up: str = ""  # waited in vain; what the display said then
    lies: list[str] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """Cash that the machine kept."""
        return sum(self.inserted) - sum(self.returned)

    @property
    def finished(self) -> bool:
        """The display let the customer go: nothing of theirs is pending."""
        return not self.gave_up and sign(self.said) in LETS_GO

    def line(self, names: dict[str, str], exponent: int) -> str:
        """One line: `#7 wants B2 1.30: 1.00+0.50 -> Cola, change 0.20, THANK YOU`."""

        def money(amount: int) -> str:
            return format_amount(amount, exponent)

        put_in = "+".join(map(money, self.inserted)) or ("card" if self.cards else "no money")
        if self.inserted and self.cards:
            put_in += "+card"
        if self.rejected:
            put_in += f" ({'+'.join(map(money, self.rejected))} spat out)"
        got = [names.get(selection, selection) for selection in self.products]
        back = sum(self.returned) - sum(self.rejected)
        if back:
            got.append(f"{'change' if self.products else 'back'} {money(back)}")
        if self.claim:
            got.append(f"is owed money, ref {self.claim}")
        got.append(words(self.gave_up or self.said) or "a dark display")
        if self.gave_up:
            got.append("WAITED IN VAIN")
        got += [f"LIE: {lie}" for lie in self.lies]
        others = [selection for selection in self.keyed if selection != self.wants]
        wish = " then ".join([f"{self.wants} {money(self.price)}", *dict.fromkeys(others)])
        pulled = "".join(f" [{device} pulled]" for device in self.pulled)
        return (
            f"#{self.number} wants {wish} ({self.habit.value}): {put_in} -> "
            f"{', '.join(got)}{pulled}"
        )
