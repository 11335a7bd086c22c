"""The bench's own pieces: what it calculates, how it watches, and that its marks hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import fsyncs, selling
from tests.bench.child import Mark, Marks
from tests.bench.footprint import Process
from tests.bench.fsyncs import Fsync, Watch, between
from tests.bench.libraries import libraries
from tests.bench.selling import Run
from tests.bench.shop import Sold
from tests.bench.table import Goal, Row, percentile, render
from vendd.store import Database

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 99, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        (list(range(1, 101)), 50, 50),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 31)), 99, 30),  # of few values the p99 is the worst
        ([5.0, 1.0, 3.0], 1, 1.0),
    ],
)
def test_percentiles_are_nearest_ranks(values, share, expected):
    assert percentile(values, share) == expected


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("f", 1.0), "-"),
        (Row("f", 1.0, goal=Goal("<=", 1)), "ok"),
        (Row("f", 1.01, goal=Goal("<=", 1)), "MISSED"),
        (Row("f", 80.0, goal=Goal("<", 80)), "MISSED"),
        (Row("f", 1.2, baseline=1.0, goal=Goal(">=", 1, "ratio")), "ok"),
        (Row("f", 0.9, baseline=1.0, goal=Goal(">=", 1, "ratio")), "MISSED"),
        (Row("f", 9.0, baseline=1.0, goal=Goal("<", 10)), "ok"),
        (Row("f", 9.0, goal=Goal("<=", 1, "ratio")), "NOT MEASURED"),
        (Row("f", None), "NOT MEASURED"),
    ],
)
def test_a_goal_is_judged_by_what_it_is_about(row, verdict):
    assert row.verdict == verdict


def test_the_table_names_baseline_ratio_goal_and_verdict_and_numbers_its_notes():
    table = render(
        [
            Row("drain", 40_000.0, "events/s", 50_000.0, "plain loop", Goal(">=", 1, "ratio"), "N"),
            Row("lag", 2.5, "ms", note="N"),
            Row("broken", None, note="why"),
        ]
    )
    head, rule, drain, lag, broken, *notes = table.splitlines()
    assert head.startswith("figure")
    assert head.endswith("ok?")
    assert set(rule) == {"-"}
    assert [cell.strip() for cell in drain.split("  ") if cell.strip()] == [
        "drain [1]",
        "40,000 events/s",
        "plain loop: 50,000 events/s",
        "0.80",
        "ratio >= 1",
        "MISSED",
    ]
    assert lag.split() == ["lag", "[1]", "2.50", "ms", "-"]
    assert broken.split() == ["broken", "[2]", "NOT", "MEASURED"]
    assert notes == ["[1] N", "[2] why"]


def sold(from_key_ms: float, commits: int = 1, fsyncs: int = 1) -> Sold:
    return Sold(from_key_ms + 30, from_key_ms, commits, fsyncs)


def run(sales: tuple[Sold, ...], fsyncs: int = 0, events: int = 100) -> Run:
    return Run(sales, 6.0, fsyncs, events, 0, (1.0, 2.0))


def test_the_worst_sale_decides_how_many_commits_there_are():
    rows = selling.counted([sold(3.0), sold(3.0, commits=2, fsyncs=3), sold(3.0)])
    assert [(row.value, row.verdict) for row in rows] == [(2, "MISSED"), (3, "MISSED")]


def test_slow_fsyncs_are_judged_by_their_p99():
    rows = selling.latencies(run((sold(30.0), sold(81.0))), ", slow", Goal("<", 80))
    assert [(row.value, row.baseline, row.verdict) for row in rows] == [
        (30.0, 1.0, "-"),
        (81.0, 2.0, "MISSED"),
    ]


@pytest.mark.parametrize(("on", "verdict"), [(60, "ok"), (65, "ok"), (66, "MISSED")])
def test_delivery_may_add_one_fsync_in_twenty_events(on, verdict):
    row = selling.added(run((sold(1.0),), fsyncs=on), run((sold(1.0),), fsyncs=60))
    assert row.verdict == verdict


# --- watching fsyncs -------------------------------------------------------------------

STRACE = """\
4711 1000.500000 fdatasync(5</state/vendd.db-wal>) = 0 (DELAYED) <0.026000>
4711 1000.600000 write(2</dev/pts/0>, "x", 1) = 1 <0.000010>
4712 1000.700000 fsync(6</state> <unfinished ...>
4713 1000.710000 fdatasync(5</state/vendd.db-wal>) = -1 EIO (Input/output error) <0.001000>
4712 1000.730000 <... fsync resumed>) = 0 <0.030000>
"""


def test_strace_is_understood_also_when_threads_interrupt_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(fsyncs.time, "time", lambda: 1_000.0)
    monkeypatch.setattr(fsyncs.time, "monotonic", lambda: 0.0)
    (tmp_path / "log").write_text(STRACE)
    seen = Watch("strace").read(tmp_path / "log")
    assert [(round(f.begin, 3), round(f.end, 3), f.path) for f in seen] == [
        (0.5, 0.526, "/state/vendd.db-wal"),
        (0.71, 0.711, "/state/vendd.db-wal"),
        (0.7, 0.73, ""),
    ]
    assert between(seen, 0.6, 0.72) == 1


def test_the_seam_writes_what_the_library_writes(tmp_path):
    fsyncs.note(Fsync(1.5, 1.75, "/a b"), str(tmp_path / "log"))
    assert Watch("seam").read(tmp_path / "log") == [Fsync(1.5, 1.75, "/a b")]
    assert Watch("seam").read(tmp_path / "none") == []


def test_this_machine_s_watch_sees_every_fsync_of_a_child_and_slows_it(tmp_path):
    watch = Watch.find(tmp_path)
    if watch.way == "seam":
        pytest.skip("neither a compiler nor strace here")
    program = (
        "import os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        " [os.fsync(fd) for _ in range(3)]; os.fdatasync(fd)"
    )
    plain = (sys.executable, "-c", program, str(tmp_path / "file"))
    log = tmp_path / "log"
    subprocess.run(watch.command(plain, log, delay_ms=5), check=True, timeout=30)
    seen = watch.read(log)
    assert len(seen) == 4
    assert {fsync.path for fsync in seen} == {str(tmp_path / "file")}
    assert all(fsync.end - fsync.begin >= 0.005 for fsync in seen)


def test_a_commit_is_seen_through_sqlite(tmp_path):
    watch = Watch.find(tmp_path)
    if watch.way == "seam":
        pytest.skip("neither a compiler nor strace here")
    program = (
        "import sys; from vendd.store import Database; d = Database.open(sys.argv[1]);"
        " print(d.transact([lambda c: c.execute('UPDATE meta SET clean = 1 - clean')]))"
    )
    Database.open(tmp_path / "books").close()
    plain = ("env", f"PYTHONPATH={ROOT}", sys.executable, "-c", program, str(tmp_path / "books"))
    subprocess.run(watch.command(plain, tmp_path / "log"), check=True, timeout=30)
    assert "vendd.db-wal" in {Path(fsync.path).name for fsync in watch.read(tmp_path / "log")}


# --- marks, libraries, /proc --------------------------------------------------------------


def test_marks_come_back_in_order(tmp_path):
    marks = Marks(tmp_path / "marks")
    assert marks.read() == []
    marks.add("key", 3)
    marks.add("turn", 4)
    first, second = marks.read()
    assert (first.what, first.commits, second.what, second.commits) == ("key", 3, "turn", 4)
    assert isinstance(first, Mark)
    assert first.at <= second.at


def test_the_floor_has_every_library_that_the_daemon_imports(tmp_path):
    source = tmp_path / "vendd"
    (source / "cli").mkdir(parents=True)
    (source / "a.py").write_text("import json\nfrom os import path\nfrom vendd.b import c\n")
    (source / "b.py").write_text("def f():\n    from os import sep\n    import serial.rfc2217\n")
    (source / "cli" / "d.py").write_text("import click\n")
    found = dict(libraries(source))
    assert found.pop("gpiozero.pins.pigpio") == []
    assert found == {"json": [], "os": ["path", "sep"], "serial.rfc2217": []}
    assert {"confluent_kafka", "gpiozero", "pydantic", "sqlite_utils"} <= dict(
        libraries(ROOT / "vendd")
    ).keys()


def test_proc_is_read():
    own = Process(os.getpid())
    assert 5 < own.rss_mib() < 4_000
    assert own.cpu_s() > 0
