"""A net: a command that has to fail in a tree with a bug, and to pass in a sound one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

LIMIT_S: Final = 900.0
FAILED: Final = 1  # of pytest, of a simulated day and of the crash states alike
_PYTEST: Final = ("-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider")


class NetTorn(Exception):
    """The net itself does not work: it ended otherwise than by passing or failing."""


def command(net: str) -> list[str]:
    """What runs it, without the interpreter."""
    kind, *numbers = net.split()
    if kind == "virtual":
        purchases, seed = numbers
        return ["-m", "hw_sim", "run", "--virtual", "--purchases", purchases, "--seed", seed]
    if kind == "crashstates":
        purchases, states = numbers
        return ["-m", "tests.crashstates", "--purchases", purchases, "--states", states]
    return [*_PYTEST, *net.split()]


def catches(net: str, tree: Path) -> str | None:
    """What the net says of the tree; None when all is well. Raises `NetTorn`."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            [sys.executable, *command(net)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"does not end within {LIMIT_S:.0f} s"
    if run.returncode == 0:
        if "SKIPPED" in run.stdout or " skipped" in run.stdout:
            raise NetTorn(f"{net}: skipped: {run.stdout[-300:]}")
        return None
    if run.returncode != FAILED:
        raise NetTorn(f"{net}: ended with {run.returncode}:\n{(run.stdout + run.stderr)[-2000:]}")
    return _said(f"{run.stdout}\n{run.stderr}")


def _said(output: str) -> str:
    """The line that names what was found."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for begin in ("FAILED", "BROKEN", "- ", "ERROR"):
        found = next((line for line in lines if line.startswith(begin)), None)
        if found is not None:
            at = lines.index(found)
            return found if begin != "BROKEN" or at + 1 == len(lines) else lines[at + 1]
    return lines[-1] if lines else "failed"
