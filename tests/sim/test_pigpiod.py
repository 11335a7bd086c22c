"""The pigpiod server by itself: its wire, its limits, its seams, I2C behind it."""

import random
import socket
import statistics
import struct
import time
from typing import Any

import pigpio
import pytest
from gpiozero import DigitalInputDevice, OutputDevice

SPARE, ROW_LINE = 26, 4


def test_edge_latency_is_printed(pigpiod: Any) -> None:
    """For the reader (pytest -s); nothing is asserted about a shared machine's speed."""
    device = DigitalInputDevice(SPARE, pull_up=False, pin_factory=pigpiod.factory)
    seen: list[float] = []
    device.when_activated = lambda: seen.append(time.perf_counter())
    spent = []
    for n in range(100):
        began = time.perf_counter()
        pigpiod.loop.call_soon_threadsafe(pigpiod.cabinet.header.drive, SPARE, 1)
        assert pigpiod.until(lambda n=n: len(seen) > n)
        spent.append(seen[-1] - began)
        pigpiod.on_board(lambda h: h.drive(SPARE, 0))
        assert pigpiod.until(lambda: not device.is_active)
    print(f"\nedge to client: p50 {statistics.median(spent) * 1e3:.2f} ms", end=" ")
    print(f"max {max(spent) * 1e3:.2f} ms over {len(spent)} edges")


def test_ticks_of_notifications_are_loop_time(pigpiod: Any) -> None:
    ticks: list[int] = []
    connection = pigpiod.factory.connection
    connection.callback(SPARE, pigpio.EITHER_EDGE, lambda _g, _l, tick: ticks.append(tick))
    when = pigpiod.on_board(lambda h: (h.drive(SPARE, 1), pigpiod.loop.time())[1])
    assert pigpiod.until(lambda: bool(ticks))
    assert pigpio.tickDiff(ticks[-1], int(when * 1e6) & 0xFFFFFFFF) < 50_000


def test_two_clients_see_the_same_pins(pigpiod: Any) -> None:
    other = pigpio.pi("127.0.0.1", pigpiod.port)
    try:
        out = OutputDevice(ROW_LINE, pin_factory=pigpiod.factory)
        out.on()
        assert other.read(ROW_LINE) == 1
        assert other.get_mode(ROW_LINE) == pigpio.OUTPUT
        assert other.get_hardware_revision() == 0xA02082
        assert pigpiod.on_board(lambda _h: pigpiod.server.clients) == 4
    finally:
        other.stop()
    assert pigpiod.until(lambda: pigpiod.server.clients == 2)


def test_a_new_client_after_a_death_makes_pins_safe(pigpiod: Any) -> None:
    out = OutputDevice(ROW_LINE, initial_value=True, pin_factory=pigpiod.factory)
    pigpiod.kill_client()
    assert not out.closed
    again = pigpio.pi("127.0.0.1", pigpiod.port)
    try:
        assert again.read(ROW_LINE) == 1
        again.set_mode(ROW_LINE, pigpio.INPUT)
        assert again.read(ROW_LINE) == 0
    finally:
        again.stop()


def test_bad_numbers_are_refused_as_pigpio_does(pigpiod: Any) -> None:
    wire = socket.create_connection(("127.0.0.1", pigpiod.port))
    with wire:
        for command, p1, p2, error in (
            (0, 99, 0, -3),
            (0, 4, 9, -4),
            (2, 4, 7, -6),
            (4, 4, 7, -5),
            (19, 25, 1, -25),
            (97, 40, 0, -2),
            (55, 7, 0, -25),
            (250, 0, 0, -88),
        ):
            wire.sendall(struct.pack("<IIII", command, p1, p2, 0))
            answer = struct.unpack("<IIIi", wire.recv(16))
            assert answer == (command, p1, p2, error)


def test_garbage_and_oversize_harm_nobody(pigpiod: Any) -> None:
    rng = random.Random(5)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", pigpiod.port)) as wire:
            wire.sendall(rng.randbytes(rng.randrange(1, 400)))
    with socket.create_connection(("127.0.0.1", pigpiod.port)) as wire:
        wire.sendall(struct.pack("<IIII", 57, 0, 0, 1 << 30))
        assert struct.unpack("<IIIi", wire.recv(16))[3] == -103
        assert wire.recv(16) == b""
    assert pigpiod.factory.connection.get_pigpio_version() == 79


def test_the_gate_stands_before_a_write(pigpiod: Any) -> None:
    out = OutputDevice(ROW_LINE, pin_factory=pigpiod.factory)
    written: list[tuple[int, int]] = []
    pigpiod.server.gate = lambda pin, level: (pin, level) != (ROW_LINE, 1)
    pigpiod.server.wrote = lambda pin, level: written.append((pin, level))
    out.on()
    assert pigpiod.on_board(lambda h: h.level(ROW_LINE)) == 0
    pigpiod.server.gate = lambda _pin, _level: True
    out.on()
    assert written == [(ROW_LINE, 1)]


def test_i2c_reaches_the_device_and_misses_what_is_not_there(pigpiod: Any) -> None:
    connection = pigpiod.factory.connection
    there, nobody = connection.i2c_open(1, 0x27), connection.i2c_open(1, 0x20)
    connection.i2c_write_byte(there, 0x08)
    connection.i2c_write_device(there, b"\x00\x08\x00")
    assert pigpiod.lcd.writes == 4
    assert connection.i2c_read_byte(there) == 0x00
    for attempt in (
        lambda: connection.i2c_write_byte(nobody, 1),
        lambda: connection.i2c_read_byte(nobody),
        lambda: connection.i2c_write_byte(99, 1),
    ):
        with pytest.raises(pigpio.error, match=r"I2C|handle"):
            attempt()
    connection.i2c_close(there)


def test_trigger_watchdog_and_pwm(pigpiod: Any) -> None:
    connection = pigpiod.factory.connection
    levels: list[int] = []
    connection.set_mode(ROW_LINE, pigpio.OUTPUT)
    connection.callback(ROW_LINE, pigpio.EITHER_EDGE, lambda _g, level, _t: levels.append(level))
    connection.gpio_trigger(ROW_LINE, 100, 1)
    assert pigpiod.until(lambda: levels == [1, 0])
    connection.set_watchdog(ROW_LINE, 10)
    assert pigpiod.until(lambda: pigpio.TIMEOUT in levels)
    connection.set_watchdog(ROW_LINE, 0)
    connection.set_PWM_dutycycle(ROW_LINE, 100)
    assert connection.get_PWM_dutycycle(ROW_LINE) == 100
    assert connection.read(ROW_LINE) == 1


def test_a_stalled_listener_does_not_pile_up_memory(pigpiod: Any) -> None:
    wire = socket.create_connection(("127.0.0.1", pigpiod.port))
    with wire:
        wire.sendall(struct.pack("<IIII", 99, 0, 0, 0))
        handle = struct.unpack("<IIII", wire.recv(16))[3]
        wire.sendall(struct.pack("<IIII", 19, handle, 1 << SPARE, 0))
        wire.recv(16)

        def storm(header: Any) -> int:
            for n in range(200_000):
                header.drive(SPARE, n & 1)
            listener = pigpiod.server.listeners[handle]
            return int(listener._transport.get_write_buffer_size())

        assert pigpiod.on_board(storm) <= (1 << 20) + 4096
