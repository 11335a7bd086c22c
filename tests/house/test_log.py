"""Logging: one JSON line per fact with the journal's priority, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from vendd import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("level", "priority"),
    [("debug", 7), ("info", 6), ("warning", 4), ("error", 3), ("critical", 2)],
)
def test_a_line_is_json_behind_its_priority(level, priority):
    out = io.StringIO()
    log.configure(stream=out, level="debug")
    getattr(structlog.get_logger(), level)("motor turned", motor="A1", ran_ms=2500)
    (line,) = lines(out)
    assert line.startswith(f"<{priority}>")
    assert json.loads(line[3:]) == {
        "event": "motor turned",
        "level": level,
        "motor": "A1",
        "ran_ms": 2500,
    }


def test_what_is_below_the_level_is_not_written():
    out = io.StringIO()
    log.configure(stream=out)
    structlog.get_logger().debug("polled")
    assert lines(out) == []


def test_secrets_are_hidden_whatever_they_are_called():
    out = io.StringIO()
    log.configure(stream=out)
    structlog.get_logger().info(
        "connected", password="a", access_token="b", Authorization="c", client_secret="d", user="e"
    )
    text = lines(out)[0]
    assert json.loads(text[3:]) == {
        "event": "connected",
        "level": "info",
        "password": "(hidden)",
        "access_token": "(hidden)",
        "Authorization": "(hidden)",
        "client_secret": "(hidden)",
        "user": "e",
    }


def test_line_ends_in_values_do_not_forge_lines():
    out = io.StringIO()
    log.configure(stream=out)
    structlog.get_logger().info("scanned", text='x\n<0>{"event":"forged"}')
    assert len(lines(out)) == 1


def test_exceptions_and_odd_values_stay_in_one_line():
    out = io.StringIO()
    log.configure(stream=out)
    try:
        int("wire")
    except ValueError:
        structlog.get_logger().exception("bus stopped", frame=b"\xff\x00")
    (line,) = lines(out)
    written = json.loads(line[3:])
    assert line.startswith("<3>")
    assert "ValueError: invalid literal" in written["exception"]
    assert written["frame"] == repr(b"\xff\x00")


def test_libraries_speak_in_the_same_lines():
    out = io.StringIO()
    log.configure(stream=out)
    logging.getLogger("serial").warning("port %s vanished", "/dev/x")
    logging.getLogger("serial").info("chatter")
    (line,) = lines(out)
    assert json.loads(line[3:])["text"] == "port /dev/x vanished"
    assert line.startswith("<4>")


def test_a_reader_that_went_away_stops_nothing():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    log.configure(stream=Gone())
    structlog.get_logger().info("sold on")


def test_a_terminal_gets_readable_lines_and_a_given_clock_stamps_them():
    out = io.StringIO()
    log.configure(stream=out, console=True, now=lambda: "2026-01-31T12:00:00.000Z")
    structlog.get_logger().info("door opened")
    (line,) = lines(out)
    assert "door opened" in line
    assert "2026-01-31T12:00:00.000Z" in line
    assert not line.startswith("<")
