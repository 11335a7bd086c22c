"""A simulated machine in real time: the world here, the daemon in a process of its own.

The daemon gets what a Pi would give it: a serial line (a pty), GPIO and I2C
(the pigpio daemon's socket protocol), a Kafka address, a state directory. This
side plays systemd too: it hears READY on the notification socket, and after
every exit runs what `ExecStopPost` would (L3).
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hw_sim.consumer import read_all
from hw_sim.devices.coin_changer import CoinChanger
from hw_sim.devices.line import PtyLine
from hw_sim.lcd import Lcd
from hw_sim.pigpiod import PigpioServer
from hw_sim.received import Received
from hw_sim.till import Plug
from hw_sim.world import World
from vendd.config import Config
from vendd.drivers.glass import EURO_GLYPH

READY_S: Final = 20.0
STOP_S: Final = 30.0
_LOOK_S: Final = 0.02
_DIE_WITH_PARENT: Final = "hw_sim.daemon_process"


class ProcessMachine:
    """`open` it, then `start`. `command`: what runs as the daemon, its config file is appended.

    `exec_stop_post` False leaves out what makes the lines safe after an exit, so that a test
    can show that it is needed.
    """

    def __init__(
        self,
        config: Config,
        source: Path,
        bootstrap: str,
        world: World,
        *,
        command: Sequence[str] = (sys.executable, "-m", _DIE_WITH_PARENT),
        exec_stop_post: bool = True,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.world = world
        self.config = config
        self.cabinet = world.cabinet
        self.till = world.till
        self.bootstrap = bootstrap
        self.command = tuple(command)
        self.environment: dict[str, str] = {}  # of the daemon, beside ours
        self._source = source
        self._exec_stop_post = exec_stop_post
        self._folder = tempfile.TemporaryDirectory(prefix="vendd-sim-")
        self.folder = Path(self._folder.name)
        self.lcd = Lcd(config.display.columns, config.display.rows, glyphs={bytes(EURO_GLYPH): "€"})
        self.pigpiod = PigpioServer(
            self.cabinet.header, self.cabinet.clock, {config.display.address: self.lcd}
        )
        self._lines: list[PtyLine] = []
        self._process: asyncio.subprocess.Process | None = None
        self._notify: socket.socket | None = None
        self.died_at: float | None = None
        self.log_path = self.folder / "vendd.log"

    @property
    def changer(self) -> CoinChanger:
        """Of a machine that has one."""
        return self.world.changer

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def open(self) -> None:
        """Plug in the wires and write the configuration that names them."""
        for bus, device in self.till.ports.items():
            line = PtyLine(self.loop, device, self.folder / bus)
            self._lines.append(line)
            self.till.plugs[f"{bus} adapter"] = Plug(line.unplug, line.replug)
        port = await self.pigpiod.start()
        self._write_config(port)

    def _write_config(self, gpio_port: int) -> None:
        (self.folder / "vendd.toml").write_text(self._source.read_text())
        overrides = self.folder / "vendd.toml.d"
        overrides.mkdir()
        (overrides / "90-sim.toml").write_text(
            f'[store]\npath = "{self.books()}"\n'
            f'[kafka]\nbootstrap = "{self.bootstrap}"\n'
            f'[gpio]\nfactory = "pigpio"\nhost = "127.0.0.1"\nport = {gpio_port}\n'
            f'[display]\nbus = "pigpiod"\n'
            f'[api]\nsocket = "{self.folder / "vendd.sock"}"\n'
            + "".join(f'[{bus}]\nport = "{self.folder / bus}"\n' for bus in self.till.ports)
        )

    async def close(self) -> None:
        """Stop everything that runs and remove the folder."""
        if self.running:
            await self.stop()
        await self.pigpiod.close()
        for line in self._lines:
            line.close()
        self._folder.cleanup()

    # --- the front ---------------------------------------------------------------------

    def lines(self) -> tuple[str, ...]:
        return tuple(line.rstrip() for line in self.lcd.text())

    async def until(self, wanted: Callable[[str], bool], seconds: float) -> str:
        end = self.loop.time() + seconds
        last = ""
        while True:
            text = "|".join(self.lines()[:2])
            still = text == last  # a redraw takes some milliseconds: half a text is none
            last = text
            if (still and wanted(text)) or self.loop.time() >= end:
                return text
            if self._process is not None and self._process.returncode not in (None, -9):
                raise RuntimeError(f"the daemon ended by itself:\n{self.log_tail()}")
            await asyncio.sleep(_LOOK_S)

    def books(self) -> Path:
        return self.folder / "state"

    async def events(self) -> list[Received]:
        received = await self.loop.run_in_executor(None, read_all, self.bootstrap)
        name = self.config.machine.id  # a broker of somebody else's has other machines' events too
        return [m for m in received if name in (m.key.decode(), m.headers.get("ce_machine"))]

    def log_tail(self, lines: int = 15) -> str:
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    # --- lives ---------------------------------------------------------------------------

    async def start(self) -> None:
        assert not self.running, "a daemon runs already"
        address = self.folder / "notify"
        address.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(address))
        self._notify.setblocking(False)
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                "--config",
                str(self.folder / "vendd.toml"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(address), **self.environment},
                start_new_session=True,  # Ctrl-C is ours to pass on, in order
            )
        await self._ready(self._process, self._notify)
        self.loop.add_reader(self._notify.fileno(), self._heed, self._notify)

    def _heed(self, notify: socket.socket) -> None:
        """Read what is told, as systemd does: a queue that nobody empties fills up."""
        notify.recv(4096)

    async def _ready(self, process: asyncio.subprocess.Process, notify: socket.socket) -> None:
        end = self.loop.time() + READY_S
        heard = b""
        while b"READY=1" not in heard:
            if process.returncode is not None or self.loop.time() > end:
                raise RuntimeError(f"the daemon did not become ready:\n{self.log_tail()}")
            try:
                heard = notify.recv(4096)
            except BlockingIOError:
                await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise RuntimeError(f"the daemon did not stop:\n{self.log_tail()}") from None
        await self._after_exit()

    async def kill(self) -> None:
        """SIGKILL; then what systemd would run."""
        assert self._process is not None
        if self.running:
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._after_exit()

    async def died(self) -> int:
        """Wait for a daemon that kills itself at a seam; its exit status."""
        assert self._process is not None
        status = await self._process.wait()
        await self._after_exit()
        return status

    async def _after_exit(self) -> None:
        self.died_at = self.loop.time()
        if self._notify is not None:
            self.loop.remove_reader(self._notify.fileno())
            self._notify.close()
            self._notify = None
        if not self._exec_stop_post:
            return
        safe = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vendd",
            "safe",
            "--config",
            str(self.folder / "vendd.toml"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await safe.wait()
