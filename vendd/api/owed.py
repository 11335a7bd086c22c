"""What is owed and what is unknown, as lists."""

import json
from typing import Any

from vendd.api.looking import Money, money
from vendd.api.problems import Response
from vendd.core.operator.sight import ClaimLine, DoubtLine, Sight


class Claim(Response):
    ref: str
    amount: int
    reason: str
    sale_id: str | None
    opened_at: str
    closed_how: str | None
    closed_by: str | None
    changed_at: str


class Claims(Response):
    """Newest first. `owed`: of the open ones among these."""

    money: Money
    owed: int
    claims: tuple[Claim, ...]


class Doubt(Response):
    number: int
    at: str
    sale_id: str
    amount: int
    tender: str
    policy: str
    booked_as: str
    evidence: dict[str, Any]
    decision: str | None
    decided_at: str | None
    decided_by: str | None
    why: str | None


class Doubts(Response):
    """Newest first."""

    money: Money
    doubts: tuple[Doubt, ...]


def claims(sight: Sight, lines: list[ClaimLine]) -> Claims:
    return Claims(
        money=money(sight),
        owed=sum(line.amount for line in lines if line.closed_how is None),
        claims=tuple(
            Claim(**{name: getattr(line, name) for name in Claim.model_fields}) for line in lines
        ),
    )


def doubts(sight: Sight, lines: list[DoubtLine]) -> Doubts:
    return Doubts(money=money(sight), doubts=tuple(_doubt(line) for line in lines))


def _doubt(line: DoubtLine) -> Doubt:
    values = {name: getattr(line, name) for name in Doubt.model_fields}
    return Doubt(**values | {"evidence": json.loads(line.evidence)})
