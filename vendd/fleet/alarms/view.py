"""What the rules look at, read from the projection in one go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from vendd.events.kinds import BY_TYPE
from vendd.fleet.completeness import Completeness, completeness
from vendd.fleet.database import Session
from vendd.fleet.reconcile import Difference, differences
from vendd.fleet.spans import Range

CASH: Final = frozenset({"coin", "bill", "token"})
CARD: Final = frozenset({"card", "app"})
_ANNOUNCES: Final = {"reboot", "restart", "update"}


@dataclass(frozen=True, slots=True)
class Matter:
    """A claim, refund due or doubtful sale that nobody has closed. `kind` as in `MATTERS`."""

    kind: str
    ref: str
    opened_ms: int
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """What became of a slot's sales lately: `tried`, and of them `failed`."""

    machine: str
    slot: str
    tried: int
    failed: int


@dataclass(frozen=True, slots=True)
class MachineView:
    """One machine. Times are ms since 1970, None: never. `heartbeat_s`: when it said to be heard
    of next; `announced_ms`: when it said that it would go away. `proof` and `differences` are of
    machines that may have something to tell; `unripe` gaps may still be on their way."""

    machine: str
    last_ms: int
    heartbeat_s: int | None = None
    announced_ms: int | None = None
    sold_ms: int | None = None
    cash_ms: int | None = None
    card_ms: int | None = None
    matters: tuple[Matter, ...] = ()
    proof: Completeness | None = None
    differences: tuple[Difference, ...] = ()
    unripe: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetView:
    """All machines, up to `horizon_ms`: what happened later isn't consumed yet. None: no consumer
    was ever at the end of its partitions. `slots` failed more than once; `tried` and `failed` are
    the fleet's. `unknown`: types of events that nobody here knows."""

    now_ms: int
    horizon_ms: int | None
    machines: tuple[MachineView, ...] = ()
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    slots: tuple[SlotRecord, ...] = ()
    tried: int = 0
    failed: int = 0
    unknown: tuple[str, ...] = ()


def look(
    session: Session, now_ms: int, group: str, ripe_ms: int, lately_ms: int = 7 * 86_400_000
) -> FleetView:
    """The fleet as the projection of `group` has it. A gap is ripe when the event after it came
    `ripe_ms` before the horizon: topics and brokers don't keep step. `lately_ms`: how far back
    the slots' records go."""
    horizon_ms = _horizon(session, group)
    beats, announced = _last_words(session)
    sold = _sold(session)
    matters = open_matters(session)
    suspects = _suspects(session)
    views = []
    for name, last_ms in session.rows("SELECT machine, last_ms FROM machines ORDER BY machine"):
        of_tender = sold.get(name, {})
        suspect = name in suspects
        proof = completeness(session, name) if suspect else None
        views.append(
            MachineView(
                machine=name,
                last_ms=last_ms,
                heartbeat_s=beats.get(name),
                announced_ms=announced.get(name),
                sold_ms=max(of_tender.values(), default=None),
                cash_ms=_newest(of_tender, CASH),
                card_ms=_newest(of_tender, CARD),
                matters=tuple(matters.get(name, ())),
                proof=proof,
                differences=tuple(differences(session, name)) if suspect else (),
                unripe=_unripe(session, proof, (horizon_ms or now_ms) - ripe_ms),
            )
        )
    letters = session.rows(
        "SELECT topic, count(*) FROM dead_letters WHERE state = 'open' GROUP BY topic"
    )
    since_ms = now_ms - lately_ms
    slots = tuple(SlotRecord(*row) for row in session.rows(_FAILING, (since_ms, since_ms)))
    outcomes: dict[str, int] = dict(session.rows(_OUTCOMES, (since_ms,)))
    tried = sum(outcomes.values())
    failed = tried - outcomes.get("sold", 0)
    types = session.rows(
        "SELECT DISTINCT member FROM unknowns WHERE field = 'type' ORDER BY member"
    )
    unknown = tuple(name for (name,) in types if name not in BY_TYPE)  # it may be known by now
    return FleetView(now_ms, horizon_ms, tuple(views), dict(letters), slots, tried, failed, unknown)


_OUTCOMES: Final = """
    SELECT outcome, count(*) FROM sales
    WHERE outcome IN ('sold', 'refunded', 'partly_refunded', 'doubtful') AND closed_ms >= ?
    GROUP BY outcome
"""
_FAILING: Final = """
    SELECT f.machine, f.slot, count(*), f.failed
    FROM (SELECT machine, slot, count(*) AS failed
          FROM sales
          WHERE outcome IN ('refunded', 'partly_refunded', 'doubtful') AND closed_ms >= ?
          GROUP BY machine, slot HAVING count(*) > 1) f
    JOIN sales s ON s.machine = f.machine AND s.slot = f.slot
    WHERE s.outcome IN ('sold', 'refunded', 'partly_refunded', 'doubtful') AND s.closed_ms >= ?
    GROUP BY f.machine, f.slot, f.failed ORDER BY f.machine, f.slot
"""
"""Slots that failed more than once, of a fleet whose slots may be millions."""


def _suspects(session: Session) -> set[str]:
    """Machines with gaps, epochs, conflicts, or sums that don't chain: few of many."""
    return {name for statement in _SUSPECTS for (name,) in session.rows(statement)}


GAPS: Final = """
    SELECT e.machine
    FROM (SELECT machine, epoch, min(low) AS low, max(high) AS high
          FROM lives GROUP BY machine, epoch) e
    LEFT JOIN (SELECT l.machine, l.epoch, sum(s.last_seq - s.first_seq + 1) AS seen
               FROM lives l JOIN spans s ON s.machine = l.machine AND s.life = l.life
               GROUP BY l.machine, l.epoch) n
    ON n.machine = e.machine AND n.epoch = e.epoch
    WHERE e.low > 1 OR n.seen IS NULL OR n.seen <> e.high - e.low + 1
"""
"""Epochs with fewer events than their numbers have room for."""

_TOTALS: Final = """
    SELECT machine
    FROM (SELECT t.machine,
                 t.opening_count + t.sold - t.reported_count AS off,
                 t.opening_value + t.value - t.reported_value AS off_value,
                 t.opening_count - lag(t.reported_count) OVER w AS jump,
                 t.opening_value - lag(t.reported_value) OVER w AS jump_value
          FROM totals t JOIN lives l ON l.machine = t.machine AND l.life = t.life
          WINDOW w AS (PARTITION BY t.machine, l.epoch ORDER BY l.bootcount)) c
    WHERE off <> 0 OR off_value <> 0 OR jump <> 0 OR jump_value <> 0
"""
"""Lives that don't add up, or don't begin where the one before them ended."""

_STOCK: Final = """
    SELECT machine
    FROM (SELECT t.machine,
                 t.opening + t.moved - t.level AS off,
                 t.opening - lag(t.level) OVER w AS jump
          FROM slot_levels t JOIN lives l ON l.machine = t.machine AND l.life = t.life
          WINDOW w AS (PARTITION BY t.machine, l.epoch, t.slot ORDER BY l.bootcount)) c
    WHERE off <> 0 OR jump <> 0
"""

_SUSPECTS: Final = (
    "SELECT machine FROM machines WHERE conflicts > 0",
    "SELECT machine FROM lives WHERE epoch > 1 GROUP BY machine",
    GAPS,
    _TOTALS,
    _STOCK,
)


def _unripe(session: Session, proof: Completeness | None, before_ms: int) -> tuple[Range, ...]:
    if proof is None:
        return ()
    young = []
    for epoch in proof.epochs:
        for gap in epoch.missing:
            later = session.rows(
                "SELECT i.arrived_ms FROM inbox i JOIN lives l"
                " ON l.machine = i.machine AND l.life = i.life"
                " WHERE i.machine = ? AND l.epoch = ? AND i.seq = ?",
                (proof.machine, epoch.number, gap[1] + 1),
            )
            if later and later[0][0] > before_ms:
                young.append(gap)
    return tuple(young)


def open_matters(session: Session) -> dict[str, list[Matter]]:
    """By machine. A closing closes what was opened before it under its reference or sale; the few
    references are used again, so one that was opened later stays open."""
    found: dict[str, list[Matter]] = {}
    for machine, *matter in session.rows(_OPEN):
        found.setdefault(machine, []).append(Matter(*matter))
    return found


_OPEN: Final = """
    SELECT m.machine, m.kind, m.ref, m.opened_ms, m.amount, m.currency
    FROM matters m JOIN lives l ON l.machine = m.machine AND l.life = m.life
    WHERE NOT EXISTS (
        SELECT 1 FROM closings c JOIN lives k ON k.machine = c.machine AND k.life = c.life
        WHERE c.machine = m.machine AND (c.ref = m.ref OR c.ref = m.sale_id)
        AND (k.epoch, k.bootcount, c.seq) > (l.epoch, l.bootcount, m.seq))
    ORDER BY m.machine, m.opened_ms, m.seq
"""


def _last_words(session: Session) -> tuple[dict[str, int], dict[str, int]]:
    """When each machine promised to be heard of next, and when it said that it would go away."""
    beats: dict[str, int] = dict(
        session.rows(
            "SELECT b.machine, b.next_s FROM beats b"
            " JOIN lives l ON l.machine = b.machine AND l.life = b.life"
            " ORDER BY l.epoch, l.bootcount"
        )
    )
    announced: dict[str, int] = {}
    for machine, at_ms, text in session.rows(
        "SELECT l.machine, l.at_ms, l.data FROM latest l"
        " JOIN lives v ON v.machine = l.machine AND v.life = l.life"
        " WHERE l.subject IN ('command', 'software-changed')"
        " ORDER BY v.epoch, v.bootcount, l.last_seq"
    ):
        data = json.loads(text)
        if data.get("kind") in _ANNOUNCES or data.get("state") == "started":
            announced[machine] = at_ms
    return beats, announced


def _sold(session: Session) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for machine, tender, at_ms in session.rows("SELECT machine, tender, at_ms FROM last_sales"):
        found.setdefault(machine, {})[tender] = at_ms
    return found


def _newest(of_tender: Mapping[str, int], kinds: frozenset[str]) -> int | None:
    return max((at for tender, at in of_tender.items() if tender in kinds), default=None)


def _horizon(session: Session, group: str) -> int | None:
    """The partition that is furthest behind decides. A dead-letter topic need not exist."""
    rows = session.rows(
        "SELECT cluster, min(caught_up_ms), max(caught_up_ms) FROM offsets"
        " WHERE group_id = ? AND topic NOT LIKE ? GROUP BY cluster ORDER BY 3 DESC",
        (group, "%.dlq"),
    )
    return rows[0][1] or None if rows else None  # of the cluster that is in use
