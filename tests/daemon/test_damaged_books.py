"""Books that can't be opened: out of service for as long as it takes, and the files stay."""

import asyncio

from hw_sim.loop import run_virtual
from hw_sim.virtual import VirtualMachine
from tests.daemon.virtual import config
from vendd.daemon import Daemon, StartRefused
from vendd.health import Supervisor


class _Told(Supervisor):
    def __init__(self) -> None:
        super().__init__("")
        self.lines: list[str] = []

    def tell(self, text: str) -> None:
        self.lines.append(text)


def test_the_supervisor_does_not_kill_what_can_only_say_out_of_service() -> None:
    async def run() -> None:
        machine = VirtualMachine(config(), 1)
        machine.books().mkdir()
        damaged = machine.books() / "vendd.db"
        damaged.write_bytes(b"no database at all" * 1_000)
        told, stop = _Told(), asyncio.Event()
        machine.daemon = Daemon(machine.config, machine._edge(), told)
        running = asyncio.ensure_future(machine.daemon.run(stop))
        await asyncio.sleep(300)
        assert machine.lines()[0] == "OUT OF SERVICE"
        assert told.lines[0].startswith("READY=1")
        assert told.lines.count("WATCHDOG=1") >= 300 / 30 * 2  # twice within each WatchdogSec
        stop.set()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
        assert isinstance(ended, StartRefused)
        assert damaged.read_bytes().startswith(b"no database")
        machine.close()

    run_virtual(run())
