"""A day of customers in virtual time: every promise is kept, and the same seed is the same day."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from day import virtual_day

from hw_sim.shop import report

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("machine", "customers"),
    [("full", 50), ("plain", 40), ("one-tender", 25), ("cctalk", 25), ("waferstar", 25)],
)
def test_a_day_keeps_every_promise(machine: str, customers: int) -> None:
    evidence = virtual_day(customers, 7, machine)
    verdict = evidence.day.verdict
    assert verdict.violations == ()
    assert verdict.customers == customers
    assert verdict.sold > customers / 2
    assert verdict.committed == verdict.delivered > customers
    assert verdict.missing == 0
    assert sum(slot.fell for slot in verdict.slots) == verdict.sold
    assert evidence.shop.trouble.happened
    lines = [line for line in evidence.lines if line.startswith("#")]
    assert [line.split()[0] for line in lines] == [f"#{n}" for n in range(1, customers + 1)]
    assert all(visit.finished for visit in evidence.day.visits)


def test_the_closing_table_says_it_and_the_exit_code_too() -> None:
    evidence = virtual_day(12, 7)
    said: list[str] = []
    assert report(evidence.day, evidence.shop, said.append) == 0
    text = "\n".join(said)
    for word in ("sold", "refused", "refunded", "opening", "closing", "coin box", "before", "fell"):
        assert word in text
    assert "missing seq 0, duplicates seen 0" in text
    assert text.endswith("SIMULATED. Every promise was kept.")


def test_the_same_seed_is_the_same_day_whatever_the_hash_seed() -> None:
    outputs = {_output("--seed", "3", hash_seed=hash_seed) for hash_seed in ("0", "4711")}
    assert len(outputs) == 1
    (output,) = outputs
    assert output.startswith("SIMULATED")
    assert "\nhistory " in output
    assert _history(output) != _history(_output("--seed", "4", hash_seed="0"))


def _history(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("history "))


def _output(*options: str, hash_seed: str) -> str:
    command = [sys.executable, "-m", "hw_sim", "run", "--virtual", "--purchases", "25", *options]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
