"""No card number, PIN or secret can reach an event or a log, whoever tries to say one."""

import asyncio
import io
from collections.abc import Iterator

import pytest
import structlog

from hw_sim.audit.events import text_of
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import of_type, play, seen, select
from vendd import log
from vendd.core.privacy import card_numbers, masked
from vendd.core.sale.reports import FaultEnded, FaultStarted

CARD = "4111 1111 1111 1111"
PLAIN = "5555555555554444"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, as the journal gets it."""
    stream = io.StringIO()
    log.configure(level="debug", stream=stream, console=False, masked=masked)
    yield stream
    structlog.reset_defaults()


def test_a_device_that_talks_of_cards_is_not_believed_to_the_letter(lines: io.StringIO) -> None:
    async def day(machine: VirtualMachine) -> None:
        assert machine.daemon is not None
        inbox = machine.daemon._inbox
        inbox.put(FaultStarted("reader_error", "cashless1", f"card {CARD} refused"))
        inbox.put(FaultStarted("track", "cashless2", f"%B{PLAIN}^DOE/J^2512", PLAIN))
        machine.changer.insert_coin(200)
        await seen(machine, "CREDIT")
        await select(machine, "A3")
        await seen(machine, "THANK YOU")
        inbox.put(FaultEnded("reader_error", "cashless1"))
        await asyncio.sleep(120)
        details = [fault["detail"] for fault in await of_type(machine, "fault")]
        assert "card 4000 0000 0000 1111 refused" in details
        for message in await machine.events():
            assert card_numbers(text_of(message)) == []

    play(day)
    written = lines.getvalue()
    assert "fault_started" in written
    assert card_numbers(written) == []
    assert CARD not in written
    assert PLAIN not in written


def test_a_field_that_sounds_secret_is_never_written(lines: io.StringIO) -> None:
    structlog.get_logger().info("tried", password="hunter2", pin_code="1234", user="m")
    assert "hunter2" not in lines.getvalue()
    assert "1234" not in lines.getvalue()
    assert '"user": "m"' in lines.getvalue()
