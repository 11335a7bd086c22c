"""README's state diagram, drawn from the rules that the machine is held to.

``python -m tests.house.diagram`` writes it between its two markers in README.md. Phases that mean
the same to a newcomer are one box: the whole table has over a hundred edges, and nobody would
look at them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)
from vendd.core.sale.transitions import TRANSITIONS

START = "<!-- state-diagram:start -->"
END = "<!-- state-diagram:end -->"
README = Path(__file__).parents[2] / "README.md"


BOXES: Final[dict[str, tuple[type, ...]]] = {
    "Idle": (Idle,),
    "CreditStands": (Credit, OverpayAsked, ChooseAgain, Hold, Owed),
    "AtTheReader": (SessionOpen, AgeCheck, WaitingForTap, Authorising, Revaluing),
    "Stacking": (Stacking,),
    "Vending": (Vending,),
    "Refunding": (Refunding,),
    "MoneyOut": (Paying, Returning),
    "ClaimShown": (ClaimShown,),
}


def diagram() -> str:
    """Mermaid, fenced, as GitHub shows it."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *_boxes(), *_edges(), "```"])


def _boxes() -> Iterator[str]:
    for name, phases in BOXES.items():
        if len(phases) > 1:
            yield f"    {name}: " + ", ".join(phase.__name__ for phase in phases)


def _edges() -> Iterator[str]:
    yield "    [*] --> Idle"
    box_of = {phase: name for name, phases in BOXES.items() for phase in phases}
    drawn: set[tuple[str, str]] = set()
    for origin, targets in TRANSITIONS.items():
        for target, why in targets.items():
            edge = (box_of[origin], box_of[target])
            if edge[0] == edge[1] or edge in drawn:
                continue
            drawn.add(edge)
            # Mermaid takes a second colon or a semicolon for the end of the label.
            label = why.replace(":", ",").replace(";", ",")
            yield f"    {edge[0]} --> {edge[1]}: {label}"


def placed(text: str) -> str:
    """`text` with the diagram between the markers. ValueError: they are not there."""
    head, rest = text.split(START)
    _, tail = rest.split(END)
    return f"{head}{START}\n{diagram()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(placed(README.read_text(encoding="utf-8")), encoding="utf-8")
