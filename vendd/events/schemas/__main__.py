"""Write what is generated from the fact classes: ``python -m vendd.events.schemas``.

That is one JSON Schema per type beside this file, and the AsyncAPI document above it. With
``--release FILE`` the present schemas become what later ones are compared with; refused when
they break what FILE promises.
"""

import argparse
import json
import sys
from pathlib import Path

from vendd.events.kinds import BY_TYPE
from vendd.events.schemas import asyncapi
from vendd.events.schemas.compatibility import breaks
from vendd.events.schemas.generate import catalogue, rendered


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m vendd.events.schemas")
    parser.add_argument("--release", type=Path, metavar="FILE")
    release = parser.parse_args().release
    _write()
    return 0 if release is None else _release(release)


def _write() -> None:
    folder = Path(__file__).parent
    for stale in folder.glob("*.json"):
        if stale.stem not in BY_TYPE:
            stale.unlink()
    for kind in BY_TYPE.values():
        (folder / f"{kind.type}.json").write_text(rendered(kind), encoding="utf-8")
    asyncapi.FILE.write_text(asyncapi.rendered(), encoding="utf-8")


def _release(file: Path) -> int:
    current = catalogue()
    released = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    broken = list(breaks(released, current))
    if broken:
        sys.stderr.write("Not released; these changes need a new version of their type:\n")
        sys.stderr.writelines(f"  {line}\n" for line in broken)
        return 1
    text = json.dumps(current, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
