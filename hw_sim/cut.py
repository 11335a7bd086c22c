"""The instant at which a daemon died: what was durable, what was true, and what the two must
have to do with each other.

Decide, commit, act: whatever moved has a committed decision before it, and whatever was seen
long enough before the end is on record. Both hold at every instant, so every cut is checked.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_sim.cabinet import Cabinet
from hw_sim.devices.mechs import CoinMech
from hw_sim.section9 import Ruling, rule
from hw_sim.stored import Stored, read
from hw_sim.witness import Turn, Witness
from vendd.config import Config
from vendd.core.facts import Proof
from vendd.core.sale.states import (
    Paying,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """`began`: READY of the life that ended; `at`: its end (loop seconds). Money: minor units.

    `grace_s`: what was seen so shortly before the end need not be on record yet.
    """

    how: str
    began: float
    at: float
    stored: Stored
    turns: tuple[Turn, ...]  # begun in that life
    drops: tuple[float, ...]  # past the beam in that life
    in_tubes: int  # what the tubes really held
    tube_counts: Mapping[int, int]  # coin value -> count, really
    in_box: int
    grace_s: float


def take(
    how: str,
    books: Path,
    witness: Witness,
    changer: CoinMech,
    lived: tuple[float, float],
    grace_s: float,
) -> Cut:
    """Call it at once after the death, while no daemon runs."""
    began, at = lived
    truth = changer.truth
    return Cut(
        how=how,
        began=began,
        at=at,
        stored=read(books),
        turns=tuple(turn for turn in witness.turns(began) if turn.begin <= at),
        drops=tuple(drop for drop in witness.drops if began <= drop <= at),
        in_tubes=truth.tubes_total(),
        tube_counts=truth.counts(),
        in_box=truth.box_total(),
        grace_s=grace_s,
    )


def ruling(cut: Cut, config: Config, cabinet: Cabinet, before: int) -> Ruling:
    """What section 9 says; call it when the motors stand still and no sale began since."""
    homes = {motor.name: motor.contact for motor in cabinet.motors}
    sale = cut.stored.state.sale
    motors = config.slots()[sale.selection].motors if sale is not None else ()
    return rule(cut.stored.state, homes, motors, before)


def unrecorded(cut: Cut, config: Config) -> list[str]:
    """What moved without a decision, and what was seen in time without a record. Empty when the
    promise was kept."""
    return [
        *_motors_without_intent(cut, config),
        *_coins_without_decision(cut),
        *_unseen_marks(cut, config),
    ]


def _motors_without_intent(cut: Cut, config: Config) -> list[str]:
    stored, slots = cut.stored, config.slots()
    allowed = _turns_closed(stored, config)
    sale = stored.state.sale
    if sale is not None:
        allowed.update(dict.fromkeys(slots[sale.selection].motors, sale.turn))
    turned = Counter(turn.motor for turn in cut.turns)
    return [
        f"motor {motor} turned {count} times, committed intents: {allowed[motor]}"
        for motor, count in sorted(turned.items())
        if count > allowed[motor]
    ]


def _turns_closed(stored: Stored, config: Config) -> Counter[str]:
    """Turns per motor of the sales that began and ended in that life."""
    turns: Counter[str] = Counter()
    for sold in _begun_and_closed(stored):
        turns.update(dict.fromkeys(config.slots()[sold["slot"]].motors, sold["attempts"]))
    return turns


def _begun_and_closed(stored: Stored) -> list[dict[str, Any]]:
    """The sales of that life alone; the one it found in flight had its turns before."""
    found = {e.data.get("sale_in_flight") for e in stored.of("machine-started", stored.boot)}
    closed = [e.data for e in stored.of("sale-closed", stored.boot)]
    return [sale for sale in closed if sale["sale_id"] not in found]


def _coins_without_decision(cut: Cut) -> list[str]:
    """Coins that left a tube and that the books still have there: only under a payout."""
    phase = cut.stored.state.phase
    decided = phase.payout.amount if isinstance(phase, Paying) and phase.payout.asked else 0
    left = sum(
        value * max(0, count - cut.tube_counts.get(value, 0))
        for value, count in cut.stored.tubes.items()
    )
    if left > decided:
        return [f"coins worth {left} left the tubes, a committed payout has {decided} of them"]
    return []


def _unseen_marks(cut: Cut, config: Config) -> list[str]:
    stored = cut.stored
    findings = []
    sale = stored.state.sale
    if sale is not None and sale.delivered is Proof.NONE and not sale.left_home:
        seen = Counter(t.motor for t in cut.turns if t.left_at and t.left_at < cut.at - cut.grace_s)
        closed = _turns_closed(stored, config)
        findings += [f"the cam of {motor} left home, not on record" for motor in seen - closed]
    fell = sum(drop < cut.at - cut.grace_s for drop in cut.drops)
    booked = _booked_drops(stored)
    if fell > booked:
        findings.append(f"{fell} products passed the beam, {booked} on record")
    return findings


def _booked_drops(stored: Stored) -> int:
    """Of that life. A drop is a delivery, or a security event that says what else it was."""
    proven = [e for e in stored.of("item-dispensed", stored.boot) if e.data["proof"] == "drop"]
    others = [e for e in stored.of("security", stored.boot) if "drop" in e.data["kind"]]
    return len(proven) + len(others)
