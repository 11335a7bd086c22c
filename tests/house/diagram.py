"""README's state diagram, drawn from the rules that the machine is held to.

``python -m tests.house.diagram`` writes it between its two markers in README.md.
"""

from collections.abc import Iterator
from pathlib import Path

from vendd.core.sale.states import (
    Idle,
)
from vendd.core.sale.transitions import TRANSITIONS

START = "<!-- state-diagram:start -->"
END = "<!-- state-diagram:end -->"
README = Path(__file__).parents[2] / "README.md"


def diagram() -> str:
    """Mermaid, fenced, as GitHub shows it."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *_edges(), "```"])


def _edges() -> Iterator[str]:
    yield f"    [*] --> {Idle.__name__}"
    for origin, targets in TRANSITIONS.items():
        for target, why in targets.items():
            # Mermaid takes a second colon or a semicolon for the end of the label.
            label = why.replace(":", ",").replace(";", ",")
            yield f"    {origin.__name__} --> {target.__name__}: {label}"


def placed(text: str) -> str:
    """`text` with the diagram between the markers. ValueError: they are not there."""
    head, rest = text.split(START)
    _, tail = rest.split(END)
    return f"{head}{START}\n{diagram()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(placed(README.read_text(encoding="utf-8")), encoding="utf-8")
