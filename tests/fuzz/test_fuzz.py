"""A short campaign over everything, and that a campaign finds what is planted."""

import re
import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.fuzz import campaign as campaigns
from tests.fuzz.__main__ import main
from tests.fuzz.campaign import campaign
from tests.fuzz.counts import Counts
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.telling import failure
from vendd.wire.cctalk.event_log import EventLog, Events
from vendd.wire.cctalk.frame import BadLength, Checksum, Frame
from vendd.wire.mdb import changer_data
from vendd.wire.mdb.bill_validator_news import Stacked
from vendd.wire.mdb.bill_validator_path import BillPath
from vendd.wire.mdb.exchange import LOST, Answer, Reply
from vendd.wire.qibixx import QibixxCodec


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_a_short_campaign(target: Target) -> None:
    (result,) = campaign([replace(target, batch=max(4, target.batch // 4))], 1, 0.0)
    assert result.failure is None, "\n".join(failure(result.failure, 1))
    assert result.counts.cases > 0


ACTIVITIES, ITEM = changer_data.activities, QibixxCodec._item


def trusting(data: bytes) -> list[Any]:
    """Every deposit is believed to have its count behind it."""
    at = 0
    while at < len(data):
        at += 2 if data[at] >= 0x40 and data[at + 1] < 256 else 1
    return list(ACTIVITIES(data))


def any_checksum(raw: bytes, checksum: Checksum = Checksum.SUM) -> Frame:
    if len(raw) < 5 or len(raw) != 5 + raw[1]:
        raise BadLength
    return Frame(raw[0], raw[3], bytes(raw[4:-1]), raw[2])


def endless(data: bytes) -> list[Any]:
    while data:
        pass
    return []


def all_is_news(self: EventLog, data: bytes) -> Events:
    return Events(tuple((data[at], data[at + 1]) for at in range(1, len(data) - 1, 2)))


def credits_escrow(self: BillPath, type_: int, value: int, now: float) -> list[Any]:
    return [Stacked(None, type_, 500, recycled=False)]


def generous(self: QibixxCodec, line: bytes) -> Any:
    """A line that can't be read is a coin."""
    item = ITEM(self, line)
    return Reply(Answer.DATA, b"\x41\x05") if item is LOST else item


# (target, what is broken and how, what the campaign has to say)
PLANTED: list[tuple[str, Any, str, Any, str]] = [
    ("decode mdb changer", changer_data, "activities", trusting, "IndexError"),
    ("decode mdb changer", changer_data, "activities", endless, "Hung"),
    ("decode cctalk frame", Frame, "from_bytes", staticmethod(any_checksum), "AssertionError"),
    ("decode cctalk events", EventLog, "read", all_is_news, "AssertionError"),
    ("mdb bills", BillPath, "_escrow", credits_escrow, "credit out of nothing"),
    ("decode qibixx", QibixxCodec, "_item", generous, "data from a line that is none"),
]


@pytest.mark.parametrize(("target", "where", "name", "broken", "says"), PLANTED)
def test_what_is_planted_is_found_and_found_again(
    target: str,
    where: Any,
    name: str,
    broken: Any,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, the smallest input, and a command that shows the same once more."""
    monkeypatch.setattr(campaigns, "CASE_S", 0.1)
    monkeypatch.setattr(campaigns, "SHRINK_S", 0.2)
    with monkeypatch.context() as planted:
        planted.setattr(where, name, broken)
        assert main(["--only", target, "--seed", "3", "--seconds", "30"]) == 1
        told = capsys.readouterr().out
        (failed,) = re.findall("^FAILED .*$", told, re.MULTILINE)
        assert says in failed
        assert "smallest input:" in told
        (again,) = re.findall(r"^  again: make fuzz SEED=(\d+) FUZZ_ARGS=(.*)$", told, re.MULTILINE)
        (arguments,) = shlex.split(again[1])
        command = [*shlex.split(arguments), "--seed", again[0], "--seconds", "5"]
        assert main(command) == 1
        assert failed in capsys.readouterr().out
    assert main(command) == 0, "without the bug it holds"


def test_the_smallest_input_is_small(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(changer_data, "activities", trusting)
    assert main(["--only", "decode mdb changer", "--seed", "1", "--seconds", "5"]) == 1
    assert "    bytes 40\n" in capsys.readouterr().out


def test_one_target_that_fails_does_not_end_the_campaign() -> None:
    def bad(case: int, counts: Counts) -> None:
        assert case < 10

    def good(case: int, counts: Counts) -> None:
        counts.bytes += 1

    ticks = iter(range(1_000_000))
    targets = [Target("bad", st.integers(), bad, 20), Target("good", st.integers(), good, 20)]
    failed, held = campaign(targets, 1, 60.0, clock=lambda: float(next(ticks)))
    assert failed.failure is not None
    assert failed.failure.case == 10
    assert held.failure is None
    assert held.batches > 1
    assert held.counts == Counts(cases=held.counts.cases, bytes=held.counts.cases)


def test_batches_repeat_by_seed_and_number_alone() -> None:
    def drawn(seed: int, number: int) -> list[int]:
        seen: list[int] = []
        target = Target("t", st.integers(), lambda case, counts: seen.append(case), 20)
        campaign([target], seed, 0.0, first=number, batches=1)
        return seen

    assert drawn(1, 4) == drawn(1, 4)
    assert drawn(1, 4) != drawn(1, 5)
    assert drawn(1, 4) != drawn(2, 4)
