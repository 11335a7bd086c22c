"""Who is told what, when: in virtual time, through the watch, to a sender that remembers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from fleet_rig import SetClock
from webhook import Webhook

from vendd.fleet.alarms.book import AlarmBook, acknowledge
from vendd.fleet.alarms.condition import Condition, Severity
from vendd.fleet.alarms.rules import Limits
from vendd.fleet.alarms.sender import AppriseSender, SendFailed
from vendd.fleet.alarms.telling import Admin, Manners
from vendd.fleet.alarms.watch import Watch, Watching
from vendd.fleet.database import migrate
from vendd.fleet.database.sqlite import Sqlite

MIN = 60_000
ANN = Admin(name="ann", url="json://ann")
BOSS = Admin(name="boss", url="json://boss", level=2)


@dataclass
class Mailbox:
    """A sender whose addressees can be out of reach."""

    got: list[tuple[str, str, str]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)

    def send(self, url: str, title: str, body: str) -> None:
        if url in self.away:
            raise SendFailed("nobody there")
        self.got.append((url.removeprefix("json://"), title, body))

    def titles(self, name: str) -> list[str]:
        return [title for to, title, _ in self.got if to == name]


class Desk:
    """A watch over alarms that the test raises, at the test's own time."""

    def __init__(self, database: Sqlite, *admins: Admin, **manners: int) -> None:
        migrate(database)
        self.database = database
        self.clock = SetClock()
        self.mail = Mailbox()
        self.quiet_ms = manners.get("quiet_min", 30) * MIN
        watching = Watching(
            "inventory", Limits(), {}, admins, Manners(**manners), 3_600_000, 90 * 24 * 60 * MIN
        )
        self.said: list[str] = []
        self.watch = Watch(database, watching, self.mail, self.clock, self.said.append)

    def up(self, kind: str = "fault", item: str = "1", severity: int = 2) -> None:
        condition = Condition("m-1", kind, item, Severity(severity), f"{kind} {item}")
        with self.database.transaction() as session:
            AlarmBook(session, self.clock.ms, self.quiet_ms).raise_(condition)

    def over(self, kind: str = "fault", item: str = "1") -> None:
        with self.database.transaction() as session:
            AlarmBook(session, self.clock.ms, self.quiet_ms).clear("m-1", kind, item)

    def ack(self, number: int = 1) -> None:
        with self.database.transaction() as session:
            acknowledge(session, number, "ann", self.clock.ms)

    def later(self, minutes: int = 0, step: int = 1) -> None:
        """Time passes, the watch turns every `step` minutes."""
        self.watch.turn()
        for _ in range(0, minutes, step):
            self.clock.ms += step * MIN
            self.watch.turn()


@pytest.fixture
def database() -> Iterator[Sqlite]:
    opened = Sqlite(":memory:")
    yield opened
    opened.close()


def test_an_admin_is_told_once(database: Sqlite) -> None:
    desk = Desk(database, ANN)
    desk.up()
    desk.later(minutes=50)
    ((name, title, body),) = desk.mail.got
    assert (name, title) == ("ann", "vendd warning: fault m-1")
    assert body == "[1] machine m-1: fault: fault 1\nTake one on with: vendd-fleet ack NUMBER"


def test_what_nobody_takes_on_is_escalated(database: Sqlite) -> None:
    desk = Desk(database, ANN, BOSS, escalate_min=60)
    desk.up()
    desk.later(minutes=59)
    assert desk.mail.titles("boss") == []
    desk.later(minutes=2)
    assert desk.mail.titles("boss") == ["vendd warning: fault m-1"]
    desk.later(minutes=200, step=5)
    assert len(desk.mail.got) == 2


def test_what_somebody_took_on_is_not(database: Sqlite) -> None:
    desk = Desk(database, ANN, BOSS)
    desk.up()
    desk.later(minutes=10)
    desk.ack()
    desk.later(minutes=300, step=5)
    assert desk.mail.titles("boss") == []


def test_the_end_is_told_to_those_who_heard_of_the_beginning(database: Sqlite) -> None:
    desk = Desk(database, ANN, BOSS)
    desk.up()
    desk.later(minutes=1)
    desk.over()
    desk.later(minutes=60)
    assert desk.mail.titles("ann") == ["vendd warning: fault m-1", "vendd over: fault m-1"]
    assert desk.mail.titles("boss") == []


def test_what_flutters_rings_once(database: Sqlite) -> None:
    desk = Desk(database, ANN, quiet_min=30)
    for _ in range(20):
        desk.up()
        desk.later(minutes=5)
        desk.over()
        desk.later(minutes=5)
    desk.later(minutes=60, step=5)
    assert desk.mail.titles("ann") == ["vendd warning: fault m-1", "vendd over: fault m-1"]
    assert "(20 times)" in desk.mail.got[1][2]


def test_what_is_over_before_anybody_was_told_stays_unsaid(database: Sqlite) -> None:
    desk = Desk(database, ANN)
    desk.up()
    desk.over()
    desk.later(minutes=60)
    assert desk.mail.got == []


def test_a_flood_becomes_one_message(database: Sqlite) -> None:
    desk = Desk(database, ANN, max_per_hour=3)
    for item in range(10):
        desk.up(item=str(item))
    desk.later(minutes=5)
    assert desk.mail.titles("ann") == [
        "vendd warning: fault m-1",
        "vendd warning: fault m-1",
        "vendd: 8 alarms",
    ]
    assert desk.mail.got[-1][2].count("\n") == 8
    desk.up(item="later")
    desk.later(minutes=54)
    assert len(desk.mail.got) == 3
    desk.later(minutes=2)
    assert len(desk.mail.got) == 4


def test_an_admin_hears_of_his_own_matters(database: Sqlite) -> None:
    money = Admin(name="money", url="json://money", kinds=("cash_*",))
    north = Admin(name="north", url="json://north", machines=("north-*",))
    grave = Admin(name="grave", url="json://grave", severity="critical")
    desk = Desk(database, ANN, money, north, grave)
    desk.up("cash_short")
    desk.up("security", severity=3)
    desk.up("chatter", severity=1)
    desk.later()
    assert len(desk.mail.titles("ann")) == 2
    assert desk.mail.titles("money") == ["vendd warning: cash short m-1"]
    assert desk.mail.titles("north") == []
    assert desk.mail.titles("grave") == ["vendd critical: security m-1"]


def test_a_message_that_does_not_get_through_is_tried_ever_more_rarely(database: Sqlite) -> None:
    desk = Desk(database, ANN)
    desk.mail.away.add("json://ann")
    desk.up()
    desk.later(minutes=120)
    assert 5 <= len(desk.said) <= 9
    assert desk.said[0] == "ann could not be told: nobody there"
    desk.mail.away.clear()
    desk.later(minutes=60)
    assert desk.mail.titles("ann") == ["vendd warning: fault m-1"]


def test_two_watches_tell_once(database: Sqlite) -> None:
    desk = Desk(database, ANN)
    twin = Desk(database, ANN)
    desk.up()
    for _ in range(10):
        desk.later(minutes=1)
        twin.clock.ms = desk.clock.ms
        twin.later()
    assert len(desk.mail.got) + len(twin.mail.got) == 1


# --- through Apprise, to a server on this computer -----------------------------------------------


def test_apprise_carries_title_and_body(webhook: Webhook) -> None:
    AppriseSender().send(webhook.url, "vendd warning: fault", "[1] machine m-1: it's Köln")
    (got,) = webhook.got
    assert (got["title"], got["message"]) == ("vendd warning: fault", "[1] machine m-1: it's Köln")


def test_a_service_that_refuses_is_a_failure_without_its_address(webhook: Webhook) -> None:
    webhook.status = 500
    with pytest.raises(SendFailed, match="JSON did not take it") as caught:
        AppriseSender().send(webhook.url, "t", "b")
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "unknown://x", "json://", ""])
def test_an_address_that_apprise_does_not_know_is_a_failure(url: str) -> None:
    with pytest.raises(SendFailed):
        AppriseSender().send(url, "t", "b")
