"""GPIO pins: one place that knows gpiozero, its factories and their many ways to fail.

Every device gets its pin factory explicitly, so a simulated one can stand in. Edges come on
a foreign thread (lgpio, pigpio) and cross to the loop here, with the loop's time taken at
once. Whatever a factory raises leaves this module as `PinTrouble`.

Is NOT responsible for debouncing or meaning; polarity is the only thing it hides.
"""

import asyncio
import importlib
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, Protocol

import gpiozero

PROMPT_S: Final = 0.005
"""An edge that is handled so soon has the time of its handling."""

TICKS_BELIEVED_S: Final = 60.0
"""Older ones have ticks of another clock than the factory's (it depends on the kernel)."""

Changed = Callable[[bool, float], None]
"""Called on the loop's thread: (active, loop time of the edge)."""


class PinFactory(Protocol):
    """A gpiozero pin factory (`gpiozero.Factory`)."""

    def ticks(self) -> float: ...

    def close(self) -> None: ...


class PinTrouble(OSError):
    """A GPIO line can't be opened, read or written. The text names the line and the cause."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A GPIO line: BCM number, and the name the config gives it (for messages)."""

    number: int
    name: str = ""

    def __str__(self) -> str:
        return f"GPIO{self.number} ({self.name})" if self.name else f"GPIO{self.number}"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A driven line and its polarity. Off = inactive = what the board has while unpowered."""

    pin: Pin
    active_high: bool = True


class Output:
    """A line the machine drives; off from the moment it is opened."""

    def __init__(self, factory: PinFactory, line: OutputLine) -> None:
        self.line = line
        self.on = False  # as last written
        with _trouble("open", line.pin, factory):
            self._device = gpiozero.OutputDevice(
                line.pin.number,
                active_high=line.active_high,
                initial_value=False,
                pin_factory=factory,
            )

    def write(self, on: bool) -> None:
        with _trouble("write", self.line.pin):
            self._device.value = on
        self.on = on

    def close(self) -> None:
        """Drive the line inactive, then release it (it becomes an input; the board's pull
        keeps it inactive, as it does before every start)."""
        with _trouble("close", self.line.pin):
            try:
                if not self._device.closed:
                    self._device.off()
            finally:
                self._device.close()


class Input:
    """A line the machine reads, pulled to its inactive level by the controller.

    `changed` runs on the loop's thread for every edge, in the order of the edges.
    """

    def __init__(
        self,
        factory: PinFactory,
        pin: Pin,
        loop: asyncio.AbstractEventLoop,
        changed: Changed | None = None,
        *,
        active_low: bool = False,
    ) -> None:
        self.pin = pin
        self._loop = loop
        self._changed = changed
        self._context = copy_context()  # edges run as their owner, not as whoever moved the pin
        with _trouble("open", pin, factory):
            self._device = gpiozero.DigitalInputDevice(
                pin.number, pull_up=active_low, pin_factory=factory
            )
            if changed is not None:
                self._device.when_activated = lambda: self._cross(True)
                self._device.when_deactivated = lambda: self._cross(False)

    def active(self) -> bool:
        """The level now, polarity removed."""
        with _trouble("read", self.pin):
            return bool(self._device.is_active)

    def close(self) -> None:
        self._changed = None
        with _trouble("close", self.pin):
            self._device.close()

    def _cross(self, active: bool) -> None:
        if self._loop.is_closed():
            return
        at = self._loop.time() - self._late(active)
        self._loop.call_soon_threadsafe(self._arrive, active, at, context=self._context)

    def _late(self, active: bool) -> float:
        """Seconds since the edge by the factory's own clock, which goes on while the whole
        process is stopped: pulses of that time arrive together and keep their lengths."""
        try:
            device = self._device
            since = device.active_time if active else device.inactive_time
        except _pin_errors():
            return 0.0
        return since if since is not None and PROMPT_S < since < TICKS_BELIEVED_S else 0.0

    def _arrive(self, active: bool, at: float) -> None:
        if self._changed is not None:  # closed while the edge was on its way
            self._changed(active, at)


def try_each(steps: Iterable[Callable[[], None]]) -> None:
    """Take every step, whatever happens to the others; then raise the first trouble."""
    trouble: PinTrouble | None = None
    for step in steps:
        try:
            step()
        except PinTrouble as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble


def open_pin_factory(name: str, host: str = "127.0.0.1", port: int = 8888) -> PinFactory:
    """The factory called `name`: ``lgpio``, ``rpigpio`` or ``pigpio`` (only that one uses
    `host` and `port`). Raises `PinTrouble` saying what is missing or in the way."""
    if name not in _FACTORIES:
        raise PinTrouble(f"no GPIO factory {name!r}; there are: {', '.join(sorted(_FACTORIES))}")
    module_name, class_name, extra = _FACTORIES[name]
    try:
        factory_class = getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise PinTrouble(
            f"GPIO factory {name!r} needs a package that is not installed ({error}): "
            f"pip install 'vendd[{extra}]'"
        ) from error
    where = f" at {host}:{port}" if name == "pigpio" else ""
    try:
        factory: PinFactory = factory_class(host, port) if name == "pigpio" else factory_class()
    except _pin_errors() as error:
        raise PinTrouble(
            f"GPIO factory {name!r}{where} can't be opened: {_words(error)}"
        ) from error
    return factory


def probe(factory: PinFactory) -> None:
    """Raises `PinTrouble` when the factory is gone for good. Only a remote one can be (its
    daemon died): then no edge ever comes again, and nothing else would tell."""
    try:
        factory.ticks()
    except _pin_errors() as error:
        raise PinTrouble(f"GPIO is gone: {_words(error)}") from error


_FACTORIES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory", "pi"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory", "rpigpio"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory", "sim"),
}


@contextmanager
def _trouble(doing: str, pin: Pin, factory: PinFactory | None = None) -> Iterator[None]:
    try:
        yield
    except _pin_errors() as error:
        holder = _holder(factory, pin) if factory is not None else ""
        raise PinTrouble(f"{pin}: can't {doing}: {_words(error)}{holder}") from error


def _pin_errors() -> tuple[type[Exception], ...]:
    """What gpiozero and the library below it raise. AttributeError and struct.error are how
    the pigpio client says that its daemon is gone."""
    errors: list[type[Exception]] = [
        OSError,
        ValueError,
        RuntimeError,
        AttributeError,
        struct.error,
        gpiozero.GPIOZeroError,
    ]
    for library in ("lgpio", "pigpio"):
        error = getattr(sys.modules.get(library), "error", None)
        if isinstance(error, type) and issubclass(error, Exception):
            errors.append(error)
    return tuple(errors)


def _holder(factory: PinFactory, pin: Pin) -> str:
    """Who else holds the line, where the kernel tells (lgpio)."""
    handle = getattr(factory, "_handle", None)
    info = getattr(sys.modules.get("lgpio"), "gpio_get_line_info", None)
    if handle is None or info is None:
        return ""
    try:
        user = info(handle, pin.number)[-1]
    except _pin_errors():
        return ""
    return f" (held by {user!r})" if user else ""


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
