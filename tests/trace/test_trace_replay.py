"""Recordings played against the drivers: the same reports, and what differs is told."""

import json
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from recorded_bus_rig import recorded

from hw_sim.__main__ import main
from hw_sim.loop import run_virtual
from hw_sim.opening import SAMPLE
from hw_sim.recorded_bus import some_customers
from hw_sim.replay.exchanges import GAP_S, recording_of
from hw_sim.replay.script import Divergence
from hw_sim.replay.stage import Stage
from vendd.core.sale.reports import Report
from vendd.wire.trace import Header, Line, Piece, Trace, Way, texts


def replayed(trace: Trace) -> tuple[Divergence | None, list[str]]:
    """The divergence, and the reports up to the recording's end."""
    recording = recording_of(trace, 0)
    told: list[tuple[float, Report]] = []

    async def run() -> Divergence | None:
        stage = Stage(trace, 0, recording, lambda _: None)
        heard = stage.audience.put
        stage.audience.put = lambda r: (told.append((stage._loop.time(), r)), heard(r))[1]
        return await stage.play()

    found = run_virtual(run(), start=recording.start)
    return found, [repr(report) for at, report in told if at <= recording.end]


def saved(trace: Trace, path: Path) -> Path:
    path.write_text("\n".join(texts(trace)) + "\n")
    return path


@cache
def sales() -> Trace:
    return run_virtual(some_customers(SAMPLE, 1, 3, say=lambda _: None))


@pytest.mark.parametrize("seed", range(6))
def test_the_drivers_report_what_they_reported(seed):
    """Coins, bills and cards, masked; the id of the card is the only thing that is missing."""
    trace, reports = recorded(seed)
    found, told = replayed(trace)
    assert found is None
    expected = [repr(report).replace("01020304", "EEEEEEEE") for _, report in reports]
    assert len(expected) > 5
    assert Counter(told) == Counter(expected)


@pytest.mark.parametrize("seed", range(0, 10, 2))
def test_with_power_cuts_and_a_pulled_plug(seed):
    trace, reports = recorded(seed, trouble=True)
    found, told = replayed(trace)
    assert found is None
    money = ("CoinAccepted", "BillStacked", "VendApproved", "PayoutEnded", "VendFailureSettled")
    expected = [repr(report) for _, report in reports]
    assert len(told) > 3
    assert Counter(r for r in told if r.startswith(money)) == Counter(
        r for r in expected if r.startswith(money)
    )


def test_recorded_sales_of_the_whole_daemon(tmp_path, capsys):
    assert main(["replay", str(saved(sales(), tmp_path / "sales.jsonl"))]) == 0
    told = capsys.readouterr().out
    assert "ChangerReady(" in told
    assert told.count("CoinAccepted(") == 8
    assert "PayoutEnded(payout_id='payout-1', paid=((3, 1),), certain=True" in told
    assert "no divergence: " in told.splitlines()[-1]


def tampered(trace: Trace, old: bytes, new: bytes, *, at: int = 0) -> Trace:
    """The `at`-th piece that holds `old`, changed."""
    pieces = list(trace.pieces)
    places = [n for n, piece in enumerate(pieces) if old in piece.data]
    piece = pieces[places[at]]
    pieces[places[at]] = Piece(piece.at, piece.line, piece.way, piece.data.replace(old, new))
    return Trace(trace.header, tuple(pieces))


def test_another_currency_is_where_they_part(tmp_path, capsys):
    """The changer says francs: the driver stops there, the recording goes on."""
    trace = tampered(sales(), b"p,031978", b"p,031756")
    assert main(["replay", str(saved(trace, tmp_path / "other.jsonl"))]) == 5
    *_, title, sent, recorded_was = capsys.readouterr().out.splitlines()
    assert title == "DIVERGENCE"
    assert sent.endswith("the driver sent: nothing of the kind")
    assert "recorded was:    CHANGER IDENT -> SIM CHANGER-1" in recorded_was


def test_a_driver_that_sends_something_else_is_caught(tmp_path, capsys):
    """As if an older software had asked for the diagnostics in place of enabling features."""
    trace = tampered(sales(), b"R,0F,0100000007\n", b"R,0F,0100000001\n")
    assert main(["replay", str(saved(trace, tmp_path / "other.jsonl"))]) == 5
    told = capsys.readouterr().out
    assert (
        "the driver sent: CHANGER FEATURE ENABLE alternative payout, extended diagnostics,"
        " manual fill and payout" in told
    )
    assert "recorded was:    CHANGER FEATURE ENABLE alternative payout -> ACK" in told


def test_a_driver_that_sent_a_payout_twice_is_not_ours(tmp_path, capsys):
    trace, _ = recorded(3)
    dispense = next(p.data for p in trace.pieces if p.data.startswith((b"R,0F,02", b"R,0D")))
    twice = [one for p in trace.pieces for one in ([p, p] if p.data == dispense else [p])]
    path = saved(Trace(trace.header, tuple(twice)), tmp_path / "twice.jsonl")
    assert main(["replay", str(path)]) == 5
    assert "recorded was:    CHANGER DISPENSE" in capsys.readouterr().out


def test_what_was_overwritten_in_the_middle_is_left_out():
    """A ring that ran over: the start, a gap of hours, the newest minutes."""
    trace = sales()
    second = [p.at for p in trace.pieces if b"R,0C," in p.data][2]  # after the first sale
    before = [p for p in trace.pieces if p.at < second]
    later = [Piece(p.at + 9_000, p.line, p.way, p.data) for p in trace.pieces if p.at >= second]
    gap = Piece(later[0].at, 0, Way.GAP)
    cut = Trace(trace.header, (*before, gap, *later))
    recording = recording_of(cut, 0)
    assert recording.end < trace.pieces[-1].at + GAP_S + 1
    assert recording.recorded_time(recording.end) == pytest.approx(later[-1].at)
    found, told = replayed(cut)
    assert found is None
    assert Counter(told) == Counter(replayed(trace)[1])


HEADER = Header(lines=(Line("/dev/x", 115200),), currency="EUR")


@pytest.mark.parametrize(
    ("header", "pieces", "says"),
    [
        (HEADER, (), "/dev/x (nothing was sent)"),
        (HEADER, ((Way.SENT, b"\x09"),), "/dev/x (waferstar)"),
        (HEADER, ((Way.SENT, b"R,0B\n"), (Way.RECEIVED, b"p,ACK\n")), "no RESET of CHANGER"),
        (HEADER, ((Way.SENT, b"R,18\n"), (Way.RECEIVED, b"p,ACK\n")), "GATEWAY was spoken to"),
        (HEADER, ((Way.SENT, b"R,08\n"), (Way.SENT, b"R,0D\n"), (Way.RECEIVED, b"p,ACK\n")),
         "0d, which is too short"),
        (Header(lines=HEADER.lines, currency="XXY"), ((Way.SENT, b"R,08\n"),
         (Way.RECEIVED, b"p,ACK\n")), "the header's currency: "),
        (Header(lines=HEADER.lines, currency="EUR", payout="all"), ((Way.SENT, b"R,08\n"),
         (Way.RECEIVED, b"p,ACK\n")), "the header's payout 'all'"),
    ],
)  # fmt: skip
def test_what_can_not_be_played_is_refused(tmp_path, capsys, header, pieces, says):
    made = tuple(Piece(at / 100, 0, way, data) for at, (way, data) in enumerate(pieces))
    path = saved(Trace(header, made), tmp_path / "some.jsonl")
    assert main(["replay", str(path)]) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.startswith(f"hw_sim: {path}: ")


@pytest.mark.parametrize("seed", range(12))
def test_a_spoiled_recording_never_crashes(tmp_path, capsys, seed):
    """Lines lost, doubled, swapped, digits and times changed: played, told or refused."""
    rng = random.Random(seed)
    lines = list(texts(recorded(seed % 3, 3)[0]))
    for _ in range(rng.randrange(1, 30)):
        at = rng.randrange(1, max(2, len(lines) - 1))
        if at >= len(lines):
            break
        match rng.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines[at] = lines[at][: rng.randrange(len(lines[at]))]
                lines = lines if rng.random() < 0.3 else lines[:at]
            case 3:
                told = json.loads(lines[at])
                told["hex"] = rng.randbytes(rng.randrange(12)).hex()
                lines[at] = json.dumps(told) if told["dir"] != "lost" else lines[at]
            case _:
                told = json.loads(lines[at])
                command = bytes([rng.choice((8, 0x10, 0x30)) | rng.randrange(8)])
                text = b"R," + (command + rng.randbytes(rng.randrange(5))).hex().encode() + b"\n"
                lines[at] = json.dumps({"t": told["t"], "dir": "tx", "hex": text.hex()})
    path = tmp_path / "spoiled.jsonl"
    path.write_text("\n".join(lines))
    assert main(["replay", str(path)]) in (0, 2, 5)
    assert main(["bus", "--trace", str(path)]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err
