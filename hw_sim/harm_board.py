"""What a preloaded library does to one daemon: a page of memory that it and the simulator share.

`harm_shim.c` is compiled where there is a C compiler; where there is none, what needs it can't
be done, and whoever wanted it says so.
"""

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("harm_shim.c")
_SIZE: Final = 24
_WORD: Final = struct.Struct("<I")
_WIDE: Final = struct.Struct("<q")
_STALL, _FULL, _CUT, _CLOCK = 0, 4, 8, 16


def compiled(folder: Path) -> Path | None:
    """The library, in `folder`; None where it can't be made."""
    compiler = next((found for name in ("cc", "gcc") if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    library = folder / "harm.so"
    options = ("-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl")
    done = subprocess.run((compiler, *options), capture_output=True, check=False)
    return library if done.returncode == 0 else None


class HarmBoard:
    """The simulator's side. Everything is calm at first, and after `calm`."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_SIZE))
        self._path = path
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)

    def environment(self, library: Path, state: Path, bootstrap: str) -> Mapping[str, str]:
        """What the daemon has to be started with."""
        ports = ",".join(address.rpartition(":")[2] for address in bootstrap.split(","))
        return {
            "LD_PRELOAD": str(library),
            "HARM_PAGE": str(self._path),
            "HARM_FOLDER": str(state),
            "HARM_PORTS": ports,
        }

    def stall(self, ms: int) -> None:
        """Every fsync takes so much longer."""
        _WORD.pack_into(self._page, _STALL, ms)

    def fill(self, full: bool = True) -> None:
        """The state directory takes no more bytes."""
        _WORD.pack_into(self._page, _FULL, full)

    def cut_broker(self, cut: bool = True) -> None:
        """Connections to the broker are reset, and new ones refused."""
        _WORD.pack_into(self._page, _CUT, cut)

    def set_clock(self, wrong_ms: int) -> None:
        """The wall clock goes wrong by so much."""
        _WIDE.pack_into(self._page, _CLOCK, wrong_ms)

    def calm(self) -> None:
        """Nothing is wrong but the clock, which nobody sets back by itself."""
        self.stall(0)
        self.fill(False)
        self.cut_broker(False)

    def close(self) -> None:
        self._page.close()
