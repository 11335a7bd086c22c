"""``vendd-fleet alarms`` and ``vendd-fleet ack``: what is wrong, and who takes care of it."""

import json
from dataclasses import asdict

from vendd.fleet.alarms.book import acknowledge, open_alarms
from vendd.fleet.alarms.condition import Severity
from vendd.fleet.clock import WallClock
from vendd.fleet.database import migrate, open_database
from vendd.fleet.envelope import shown_time
from vendd.fleet.settings import Settings


def alarms(settings: Settings, *, as_json: bool) -> int:
    """What is raised. 0: nothing that nobody has taken on, 1: something."""
    database = open_database(settings.database)
    migrate(database)
    with database.transaction() as session:
        found = open_alarms(session)
    database.close()
    if as_json:
        print(json.dumps({"version": 1, "alarms": [asdict(alarm) for alarm in found]}))
    else:
        for alarm in found:
            taken = f", taken on by {alarm.acked_by}" if alarm.acked_ms is not None else ""
            since = shown_time(alarm.raised_ms)
            print(f"[{alarm.id}] {Severity(alarm.severity).name.lower()} {alarm} ({since}{taken})")
    return 1 if any(alarm.acked_ms is None for alarm in found) else 0


def ack(settings: Settings, number: int, by: str, *, as_json: bool) -> int:
    """Somebody takes care of an alarm: nobody else is told of it."""
    database = open_database(settings.database)
    migrate(database)
    try:
        with database.transaction() as session:
            alarm = acknowledge(session, number, by, WallClock().now_ms())
    except KeyError:
        raise ValueError(f"there is no alarm {number}: vendd-fleet alarms lists them") from None
    finally:
        database.close()
    if as_json:
        print(json.dumps({"version": 1, "alarm": asdict(alarm)}))
    else:
        print(f"[{alarm.id}] {alarm}: taken on by {alarm.acked_by}")
    return 0
