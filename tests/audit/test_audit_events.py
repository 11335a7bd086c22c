"""Events of the audit from our own facts: begun, ended with a duration, counted."""

import pytest
from audit_books import book, report

from vendd.core.audit.happenings import eva_code, of_fact
from vendd.core.facts import Door, Fault, MachineStarted, Security, Severity
from vendd.core.policy import Policy
from vendd.core.sale.reports import FaultEnded, FaultStarted
from vendd.core.snapshot import Snapshot
from vendd.services.notification import Notification
from vendd.store.counters import figures

DAY = "2026-03-01T{}:00.000Z"


def fault(state: str, code: str = "coin_jam", device: str = "changer", **more) -> Fault:
    return Fault(f"{code}:{device}", state, code, device, Severity.NO_CASH, (), 1, **more)


def started(cause: str) -> MachineStarted:
    return MachineStarted(cause, None, None, None, 0, "ok", None, "0.9.0")


def test_a_fault_is_active_until_it_ends_and_then_in_the_log(books):
    book(books, fault("started"), at=DAY.format("08:10"))
    assert report(books).of("EA2") == [("EA2", "EAA", "1", "1", "", "1")]
    book(books, fault("ended"), at=DAY.format("08:55"))
    made = report(books)
    assert made.of("EA2") == [("EA2", "EAA", "1", "1", "", "0")]
    assert made.of("EA1") == [("EA1", "EAA", "260301", "081000", "45")]


def test_what_was_too_often_to_be_told_is_counted_all_the_same(books):
    book(books, fault("started", suppressed=4))
    assert figures(books).events[0].counts.total == 5


def test_one_code_is_active_while_any_of_its_sources_is(books):
    book(books, fault("started", "changer_lost"), fault("started", "changer_rom"))
    book(books, fault("ended", "changer_lost"))
    (event,) = figures(books).events
    assert (event.code, event.counts.total, event.active) == ("EAR", 2, True)


def test_an_end_without_a_beginning_is_nothing(books):
    book(books, fault("ended"), Door("closed", 0, sale_in_flight=False))
    assert (figures(books).events, figures(books).ended) == ((), ())


def test_a_clock_that_was_set_back_makes_no_negative_duration(books):
    book(books, fault("started"), at=DAY.format("08:10"))
    book(books, fault("ended"), at=DAY.format("07:10"))
    assert figures(books).ended[0].minutes == 0


def test_the_log_is_bounded(books):
    for number in range(130):
        book(books, fault("started"), at=DAY.format("08:10"))
        book(books, fault("ended"), at=DAY.format(f"09:{number % 60:02}"))
    assert len(figures(books).ended) == 100
    assert figures(books).events[0].counts.total == 130


def test_power_cuts_are_ea7(books):
    book(books, started("power_loss"))
    book(books, started("planned"))
    assert report(books).of("EA7") == [("EA7", "1", "1")]


def test_mischief(books):
    facts = (
        Security("coin_slug", "changer", 3, "no_credit"),
        Security("drop_without_sale", "drop_sensor", 1, "recorded"),
        Security("beam_flickers", "drop_sensor", 1, "recorded"),
    )
    assert [(h.code, h.count) for fact in facts for h in of_fact(fact)] == [("OCI", 3), ("OCA", 1)]


@pytest.mark.parametrize(
    ("device", "code", "eva"),
    [
        ("changer", "changer_lost", "EAR"),
        ("hopper_3", "hopper_lost", "EAB"),
        ("bill_validator", "stacker_full", "ENE"),
        ("bill_validator", "bill_sensor", "ENK"),
        ("card_reader_1", "card_reader_lost", "EKM"),
        ("card_reader_2", "card_reader_lost", "EK2M"),
        ("drop_sensor", "beam_blocked", "EJL"),
        ("motors", "gpio", "EJB"),
        ("kafka", "broker_lost", "EIE"),
        ("keypad", "key_stuck", "ECD"),
        ("something new", "odd", "ECD"),
    ],
)
def test_every_fault_has_a_code(device, code, eva):
    assert eva_code(device, code) == eva


def test_what_the_device_itself_reported_is_the_code():
    assert eva_code("changer", "changer_cassette_00", "EAU_1500") == "EAU_1500"
    assert eva_code("changer", "changer_cassette_00", "cassette is out") == "EAR"


def test_the_fault_that_is_published_carries_the_code():
    told = Notification()
    world = Snapshot({}, Policy())
    (begun, _) = told.records(FaultStarted("changer_cassette_00", "changer", "EAU_1500"), world)
    (ended, _) = told.records(FaultEnded("changer_cassette_00", "changer"), world)
    assert [(fault.state, fault.eva_code) for fault in (begun, ended)] == [
        ("started", "EAU_1500"),
        ("ended", "EAU_1500"),
    ]
