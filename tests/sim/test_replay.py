"""Same seed, same history, bit by bit, in processes that hash differently."""

import os
import subprocess
import sys
from pathlib import Path


def history(seed: int, hash_seed: str) -> str:
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, str(here.with_name("replay.py")), str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(here.parents[2])},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_same_seed_same_history() -> None:
    first = history(7, "1")
    assert int(first.split()[0]) > 3
    assert history(7, "2") == first
    assert history(8, "1") != first
