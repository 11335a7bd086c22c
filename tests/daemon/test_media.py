"""Card ids: a keyed hash outside the driver, one key per machine, kept where only we read it."""

import os
import random
import re
import stat
from pathlib import Path

import pytest

from vendd.core.sale.card_reports import SessionBegun, SessionEnded
from vendd.core.sale.reports import Report
from vendd.daemon.media import FILE, MediaSink, hashed, media_key


class Told:
    def __init__(self) -> None:
        self.reports: list[Report] = []

    def put(self, report: Report) -> None:
        self.reports.append(report)

    def crowded(self) -> bool:
        return True


def test_only_the_hash_of_a_card_passes() -> None:
    told = Told()
    sink = MediaSink(told, b"k" * 32)
    for report in (SessionBegun(1, 500, media_id="04A2B3C4"), SessionBegun(1, None)):
        sink.put(report)
    sink.put(SessionEnded(1, "completed"))
    first, unknown, ended = told.reports
    assert isinstance(first, SessionBegun)
    assert re.fullmatch(r"[0-9a-f]{16}", first.media_id)
    assert first.media_id == hashed("04A2B3C4", b"k" * 32)
    assert first.media_id != hashed("04A2B3C4", b"x" * 32)
    assert first.funds == 500
    assert (unknown, ended) == (SessionBegun(1, None), SessionEnded(1, "completed"))
    assert sink.crowded()


def test_the_key_is_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    key = media_key(tmp_path, random.Random(1))
    assert len(key) == 32
    assert media_key(tmp_path, random.Random(2)) == key
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_name_of_the_key_is_durable_before_a_card_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[tuple[str, ...]] = []  # what the folder held when it was synced

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            there.append(tuple(os.listdir(descriptor)))

    monkeypatch.setattr(os, "fsync", fsync)
    media_key(tmp_path, random.Random(1))
    assert there == [(FILE,)]


def test_a_first_start_that_was_cut_off_leaves_no_half_a_key(tmp_path: Path) -> None:
    (tmp_path / FILE).with_suffix(".part").write_bytes(b"half")
    key = media_key(tmp_path, random.Random(1))
    assert (tmp_path / FILE).read_bytes() == key


def test_a_key_that_can_not_be_kept_or_read_stops_nothing(tmp_path: Path) -> None:
    assert len(media_key(tmp_path / "nowhere", random.Random(1))) == 32
    (tmp_path / FILE).mkdir()
    assert len(media_key(tmp_path, random.Random(1))) == 32


def test_a_damaged_key_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"short")
    key = media_key(tmp_path, random.Random(1))
    assert (len(key), media_key(tmp_path, random.Random(2))) == (32, key)
