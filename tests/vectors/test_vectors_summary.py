"""The summary over all recordings, and that it notices what is not explained."""

from pathlib import Path

import pytest

from tests.vectors import recordings
from tests.vectors.__main__ import main
from tests.vectors.recordings import MDB, PLACE, Group, Held


def test_what_does_not_hold_has_to_be_explained() -> None:
    whole, broken = Held("a", 3, 3), Held("b", 2, 3)
    assert Group("g", (whole, broken)).unexplained() == ["b"]
    assert Group("g", (whole, Held("b", 2, 3, "why"))).unexplained() == []
    assert Group("g", (Held("a", 3, 3, "why not?"),)).unexplained() == ["a"]
    assert Group("g", (Held("a", 3, 3, sound=False),)).unexplained() == ["a"]
    assert Group("g", (whole, broken)).lines() == [
        "g: 1 of 2 hold, 5 of 6 exchanges",
        "  b: 2 of 3: NOT EXPLAINED",
    ]


def test_where_they_are_not_there_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path))
    assert main() == 2
    assert MDB in capsys.readouterr().out
    with pytest.raises(pytest.skip.Exception, match="transcripts"):
        recordings.load(MDB)
