"""Write the schemas: ``python -m vendd.events.schemas``."""

from pathlib import Path

from vendd.events.kinds import BY_TYPE
from vendd.events.schemas.generate import rendered


def main() -> None:
    folder = Path(__file__).parent
    for stale in folder.glob("*.json"):
        if stale.stem not in BY_TYPE:
            stale.unlink()
    for kind in BY_TYPE.values():
        (folder / f"{kind.type}.json").write_text(rendered(kind), encoding="utf-8")


if __name__ == "__main__":
    main()
