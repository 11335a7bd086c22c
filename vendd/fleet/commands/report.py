"""``vendd-fleet report``: what is missing, and whether everything adds up."""

import json
from dataclasses import asdict
from typing import Any

from vendd.fleet.completeness import Completeness, completeness, machines
from vendd.fleet.database import Session, migrate, open_database
from vendd.fleet.reconcile import Difference, differences, stock
from vendd.fleet.settings import Settings


def report(settings: Settings, machine: str | None, *, as_json: bool) -> int:
    """0: all is there and adds up, 1: not, or the machine is unknown."""
    database = open_database(settings.database)
    migrate(database)
    try:
        with database.transaction() as session:
            names = machines(session) if machine is None else [machine]
            try:
                found = [
                    (completeness(session, name), differences(session, name)) for name in names
                ]
            except KeyError:
                raise ValueError(f"machine {machine} was never heard of") from None
            told = [_told(session, *each) for each in found] if as_json else []
    finally:
        database.close()
    if as_json:
        print(json.dumps({"version": 1, "machines": told}))
    else:
        for proof, wrong in found:
            print("\n".join([*proof.lines(), *(str(each) for each in wrong)]))
    return 0 if all(proof.complete and not wrong for proof, wrong in found) else 1


def _told(session: Session, proof: Completeness, wrong: list[Difference]) -> dict[str, Any]:
    return {
        "machine": proof.machine,
        "complete": proof.complete,
        "duplicates": proof.duplicates,
        "conflicts": proof.conflicts,
        "epochs": [asdict(epoch) for epoch in proof.epochs],
        "differences": [asdict(each) for each in wrong],
        "stock": [asdict(slot) for slot in stock(session, proof.machine)],
    }
