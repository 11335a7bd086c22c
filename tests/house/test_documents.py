"""README, CHANGELOG, Makefile and CI say what is true."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.diagram import placed
from vendd import __version__

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_state_diagram_is_that_of_the_code():
    assert placed(README) == README, "python -m tests.house.diagram draws it again"


def test_every_make_target_that_is_mentioned_exists():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    for text in (README, (ROOT / ".ci/run").read_text(encoding="utf-8"), MAKEFILE):
        assert set(re.findall(r"(?:^|[`$#] +|step \d+ |`)make ([a-z-]+)", text)) <= targets


def test_every_file_that_is_mentioned_exists():
    named = re.findall(r"`((?:vendd|hw_sim|tests|config|systemd)/[\w./-]*)`", README)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_extra_that_is_mentioned_exists():
    extras = set(PROJECT["optional-dependencies"])
    assert set(re.findall(r"vendd\[(\w+)\]", README)) <= extras
    assert {"pi", "rpigpio", "fleet", "sim", "test"} <= extras


def test_every_dependency_has_a_lower_bound():
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    names = [entry for entries in lists for entry in entries if not entry.startswith("vendd[")]
    assert [name for name in names if ">=" not in name] == []


def test_the_lock_pins_every_dependency_and_names_no_host():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = [line for line in lock.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in entries), entries
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in entries}
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    wanted = {re.split(r"[\[>]", entry)[0].lower() for entries in lists for entry in entries}
    assert wanted - {"vendd"} <= pinned


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("run", "-m hw_sim run"),
        ("run PURCHASES=20 SEED=7", "-m hw_sim run --purchases '20' --seed '7'"),
        ("run VIRTUAL=1 PURCHASES=5", "-m hw_sim run --purchases '5' --virtual"),
        ("run VIRTUAL=0", "-m hw_sim run"),
        ("run KAFKA_BOOTSTRAP=h:9092", "-m hw_sim run --bootstrap 'h:9092'"),
        ("chaos KILLS=50 SEED=1", "-m hw_sim chaos --kills '50' --seed '1'"),
        ("test-kafka PYTEST_ARGS=-q", '-m pytest -m "real_server or campaign" -q'),
        ("demo-fleet PURCHASES=2", "-m hw_sim demo-fleet --purchases '2'"),
        ("test PYTEST_ARGS=-q", "-m pytest -n 2 --dist loadgroup -q"),
        ("bench", "-m tests.bench"),
        (
            "bench-stream BENCH_ARGS=--quick",
            "-m tests.bench.stream --quick; stream=$?;"
            " .venv/bin/python -m tests.bench.consuming --quick && exit $stream",
        ),
    ],
)
def test_make_hands_its_variables_on(command, expected):
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "--no-print-directory", *command.split()],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    last = done.stdout.replace("\\\n", " ").strip().splitlines()[-1]
    assert " ".join(last.split()) == f".venv/bin/python {expected}"


def test_make_says_what_is_missing_when_python_is_too_old(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), "test", f"PYTHON={old}", "VENV=venv"],
        cwd=_bare(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "PYTHON=/path/to/python3" in done.stderr


def _bare(folder: Path) -> Path:
    """A folder with what the stamp depends on, and nothing installed."""
    for name in ("pyproject.toml", "requirements.lock"):
        (folder / name).write_text("")
    return folder


def test_the_changelog_keeps_its_form():
    lines = CHANGELOG.splitlines()
    assert lines[0] == "# Changelog"
    releases = [line for line in lines if line.startswith("## ")]
    assert releases[0] == "## [Unreleased]"
    dated = re.compile(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d")
    assert all(dated.fullmatch(line) for line in releases[1:])
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_ci_calls_the_test_command_of_the_readme_and_requires_servers():
    run = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "make test" in run
    assert "make lint" in run
    assert "VENDD_REQUIRE_SERVERS=1" in run
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
