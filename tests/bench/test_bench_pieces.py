"""The bench's own pieces: what it calculates, how it watches, and that its marks hold."""

import asyncio
import os
import subprocess
import sys
import time
import tty
from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.loop import run_virtual
from tests.bench import exchange, fsyncs, polling, selling
from tests.bench.child import Mark, Marks
from tests.bench.customers import NotMeasured, Paid
from tests.bench.footprint import Process
from tests.bench.fsyncs import Fsync, Watch, between
from tests.bench.libraries import libraries
from tests.bench.selling import Run
from tests.bench.shop import Sold
from tests.bench.table import Goal, Row, percentile, render
from tests.bench.tap import POLL, Heard, conversation, free_gaps, poll_gaps, tapped
from vendd.store import Database
from vendd.wire.mdb.changer_news import CoinIn

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
        (Row("f", 9.0, baseline=4.0, goal=Goal("<=", 5, "excess")), "ok"),
        (Row("f", 9.1, baseline=4.0, goal=Goal("<=", 5, "excess")), "MISSED"),
        (Row("f", 9.0, goal=Goal("<=", 5, "excess")), "NOT MEASURED"),
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


def test_a_daemon_that_records_loads_no_decoder_until_somebody_asks():
    program = "import sys, vendd.daemon; print(*sys.modules)"
    plain = (sys.executable, "-c", program)
    ran = subprocess.run(plain, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30)
    loaded = set(ran.stdout.split())
    assert {"vendd.daemon.tracing", "vendd.wire.trace"} <= loaded
    assert not {"vendd.wire.masking", "vendd.wire.words"} & loaded


def test_proc_is_read():
    own = Process(os.getpid())
    assert 5 < own.rss_mib() < 4_000
    assert own.cpu_s() > 0


# --- the bus -------------------------------------------------------------------------------


@pytest.mark.parametrize("adapter", exchange.ADAPTERS)
@pytest.mark.parametrize("case", exchange.CASES, ids=lambda case: case.name)
def test_every_machine_polls_behind_every_adapter_and_hears_what_is_told(case, adapter):
    machine, model = run_virtual(exchange.polling(case))
    news = []
    answered = machine.answered

    def heard(reply, now):
        news.extend(answered(reply, now))

    machine.answered = heard
    turn = exchange.ADAPTERS[adapter](case, machine, model).turn
    for _ in range(50):
        turn()
    assert sum(isinstance(each, CoinIn) for each in news) == (50 if any(case.told) else 0)


def test_an_exchange_costs_more_than_its_checksums():
    ours, plain = exchange.costs(exchange.CASES[0], "Qibixx", exchange.Scale(10, 3))
    assert ours > plain > 0


def test_the_baseline_checks_what_it_parses():
    assert exchange.bare(b"\x0b", "531467")
    assert not exchange.bare(b"\x0b", "531468")
    assert exchange.bare(b"\x0b", "00")


def test_the_size_of_an_adapter_is_that_of_its_files():
    row = exchange.sizes(ROOT)
    assert row.baseline == len((ROOT / "vendd/wire/qibixx.py").read_text().splitlines())
    assert row.value is not None
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "vendd").rglob("*waferstar*.py")}
    assert found == set(exchange.SECOND)


TAP = """\
1.000000 > 562c0a
1.001000 < 762c342e300a702c
1.002000 < 41434b0a
2.000000 > 522c3042
2.000100 > 0a
2.006000 < 702c353331340a
2.010000 > 522c30432c303033463030334630300a
2.100000 > 522c30420a
2.105000 < 702c41434b0a
2.150000 > 522c33330a
2.160000 < 702c4e41434b0a
2.201000 > 522c30420a
"""


def test_a_tap_s_log_is_a_conversation():
    heard = conversation(TAP.splitlines())
    assert [
        (each.asked, each.command.hex(), each.answered, each.answer.hex()) for each in heard
    ] == [
        (2.0001, "0b", 2.006, "5314"),
        (2.01, "0c003f003f00", 0.0, ""),
        (2.1, "0b", 2.105, ""),
        (2.15, "33", 2.16, ""),
        (2.201, "0b", 0.0, ""),
    ]
    assert [each.coin for each in heard] == [True, False, False, False, False]
    assert [round(gap, 4) for gap in poll_gaps(heard)] == [0.0999, 0.101]
    assert [round(gap, 4) for gap in free_gaps(heard)] == [0.101]  # a bill validator is another


@pytest.mark.parametrize(
    ("answer", "coin"),
    [("4205", True), ("5314", True), ("7205", False), ("9105", False), ("", False)],
)
def test_a_coin_on_the_wire_is_one_in_tube_or_box(answer, coin):
    assert Heard(1.0, POLL, 1.1, bytes.fromhex(answer)).coin is coin
    assert not Heard(1.0, b"\x33", 1.1, bytes.fromhex(answer)).coin


def test_a_coin_s_way_is_followed_from_fall_to_wire_to_glass():
    paid = [Paid(1.0, "0.20"), Paid(2.0, "0.40")]
    heard = [Heard(1.3, POLL, 1.31, b"\x52\x15"), Heard(2.5, POLL, 2.51, b"\x52\x16")]
    texts = [(0.5, "0.20"), (1.32, "CREDIT 0.20"), (2.4, "0.40"), (2.55, "CREDIT 0.40")]
    found = polling.coins(paid, heard, [1.25, 2.45], texts)
    assert found == [polling.Coin(1.25, 1.31, 1.32), polling.Coin(2.45, 2.51, 2.55)]
    with pytest.raises(NotMeasured, match=r"0\.40"):
        polling.coins(paid, heard[:1], [1.25, 2.45], texts)


def test_the_goals_of_the_bus_are_about_what_it_adds():
    heard = tuple(Heard(n * 0.1, POLL) for n in range(5))
    late = (*heard, Heard(0.4 + 0.111, POLL), Heard(0.6, POLL))
    coin = polling.Coin(1.0, 1.1, 1.1505)
    run = polling.Run(late, heard, (coin,), (1.0,), 1.0, 100.0)
    assert [row.verdict for row in polling.jitter(run)] == ["-", "MISSED"]
    assert [row.verdict for row in polling.credit(run)] == ["-", "ok", "ok"]
    assert [row.verdict for row in polling.credit(replace(run, bare_ms=(0.4,)))][1] == "MISSED"
    assert polling.longest_gap(run).verdict == "ok"
    assert polling.longest_gap(replace(run, heard=(heard[0], heard[3]))).verdict == "MISSED"


def test_a_goal_is_not_about_one_hiccup_in_a_few_values():
    heard = tuple(Heard(n * 0.1, POLL) for n in range(12))
    late = (*heard[:11], Heard(1.2, POLL))
    run = polling.Run(late, heard, (), (1.0,), 1.0, 100.0)
    assert [(row.verdict, "p90" in row.figure) for row in polling.jitter(run)][1] == ("ok", True)
    many = [Heard(n * 0.1 + (0.2 if n > 197 else 0), POLL) for n in range(201)]
    many += [Heard(many[-1].asked + n * 0.4, POLL) for n in range(1, 4)]
    row = polling.jitter(replace(run, heard=tuple(many)))[1]
    assert (row.verdict, "p99" in row.figure) == ("MISSED", True)


def test_a_tap_passes_everything_on_and_writes_down_when(tmp_path):
    async def story():
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        async with tapped(tmp_path / "log", tmp_path / "host", Path(os.ttyname(theirs))):
            host = os.open(tmp_path / "host", os.O_RDWR | os.O_NOCTTY)
            began = time.monotonic()  # noqa: TID251
            os.write(host, b"R,0B\n")
            assert await asyncio.to_thread(os.read, ours, 100) == b"R,0B\n"
            os.write(ours, b"p,5314\n")
            assert await asyncio.to_thread(os.read, host, 100) == b"p,5314\n"
            ended = time.monotonic()  # noqa: TID251
            os.close(host)
        for end in (ours, theirs):
            os.close(end)
        (heard,) = conversation((tmp_path / "log").read_text().splitlines())
        assert heard.coin
        assert began < heard.asked < heard.answered < ended

    asyncio.run(story())
