"""PostgreSQL itself: one cluster in a folder of its own, on a unix socket, by an ordinary user."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

from servers import missing

_DEBIAN: Final = Path("/usr/lib/postgresql")
_USERS: Final = ("postgres", "nobody")
_ANSWER_S: Final = 60


def programs() -> Path:
    """The folder with `initdb` and `postgres`; skips where there is none."""
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    onpath = shutil.which("postgres")
    if onpath is None:
        missing("PostgreSQL not installed (Debian: postgresql)")
    return Path(str(onpath)).parent


class PostgresServer:
    """A server with its data under `folder`; can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._programs = programs()
        self._folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            user = next(name for name in _USERS if _exists(name))
            self._as_user = ["runuser", "-u", user, "--"]
            shutil.chown(folder, user)
        folder.chmod(0o755)
        made = self._run("initdb", "-D", str(self._data), "-U", "fleet", "-A", "trust", "-N")
        made.check_returncode()

    def start(self) -> None:
        """Start it and wait until it answers."""
        arguments = ["-D", str(self._data), "-k", str(self._folder), "-c", "listen_addresses="]
        settings = ["-c", "fsync=off", "-c", "max_connections=50"]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, str(self._programs / "postgres"), *arguments, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        ready = ["-h", str(self._folder), "-U", "fleet", "-q", "-d", "postgres"]
        for _ in range(_ANSWER_S * 5):
            if self._run("pg_isready", *ready, "-t", "1").returncode == 0:
                return
            self._process.poll()
            assert self._process.returncode is None, (self._folder / "postgres.log").read_text()
        raise AssertionError("PostgreSQL does not answer")

    def url(self, database: str) -> str:
        return f"postgresql://fleet@/{database}?host={self._folder}"

    def create(self, database: str) -> str:
        """A new, empty database; returns its URL."""
        where = ["-h", str(self._folder), "-U", "fleet"]
        self._run("createdb", *where, database).check_returncode()
        return self.url(database)

    def stop(self, *, kill: bool = False) -> None:
        """By its own pid; `kill`: without a word to anybody, it recovers at the next start."""
        if self._process is None:
            return
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT if kill else signal.SIGINT)  # immediate or fast shutdown
        self._process.wait(_ANSWER_S)
        self._process = None

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._as_user, str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_S,
            cwd=self._folder,
        )


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
