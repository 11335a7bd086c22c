"""``vendd audit``: a file that anybody can read, and words for everything that is in the way."""

import shutil
from pathlib import Path

import pytest

from vendd.__main__ import main
from vendd.store import Database
from vendd.wire.evadts.reader import read
from vendd.wire.evadts.report import write

SAMPLE = Path(__file__).parents[2] / "config" / "snack-4x6.toml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A machine with books in the folder ``state``, and a plate."""
    file = tmp_path / "vendd.toml"
    shutil.copy(SAMPLE, file)
    drop_ins = tmp_path / "vendd.toml.d"
    drop_ins.mkdir()
    (drop_ins / "state.toml").write_text(
        f'[store]\npath = "{tmp_path / "state"}"\n'
        '[audit]\ncommunication_id = "ACM1234567"\nlocation = "Hall 3"\nasset_no = "A-77"\n'
    )
    return file


@pytest.fixture
def books(config: Path) -> Database:
    return Database.open(config.parent / "state")


def test_export_to_a_file_and_verify_it(config, books, tmp_path, capsys):
    books.close()
    out = tmp_path / "audit.dts"
    assert main(["audit", "export", "--config", str(config), "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"{out}: {out.stat().st_size} bytes\n"
    report = read(out.read_bytes())
    assert report.element("DXS", 1) == "ACM1234567"
    assert report.of("ID1")[0][4:] == ("Hall 3", "", "A-77")
    assert report.of("ID4") == [("ID4", "2", "1978", "EUR")]
    assert len(report.of("PA1")) == 23
    assert main(["audit", "verify", str(out)]) == 0
    assert capsys.readouterr().out.endswith("segments, sound\n")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_export_to_stdout_is_the_report_and_nothing_else(config, books, capfdbinary):
    books.close()
    assert main(["audit", "export", "--config", str(config)]) == 0
    printed = capfdbinary.readouterr()
    assert read(printed.out).findings == ()
    assert printed.err == b""


def test_export_changes_no_counter(config, books, capsys):
    books.close()
    folder = config.parent / "state"
    for _ in range(2):
        assert main(["audit", "export", "--config", str(config)]) == 0
    database = Database.open(folder)
    assert database.connection.execute("SELECT boot_count FROM meta").fetchone() == (0,)
    assert database.connection.execute("SELECT reads FROM audit_reads").fetchone() == (0,)
    database.close()


def test_books_that_are_in_use(config, books, capsys):
    assert main(["audit", "export", "--config", str(config)]) == 1
    books.close()
    assert "the books are in use; stop the daemon first" in capsys.readouterr().err


def test_a_machine_without_books_gets_none_by_asking(config, capsys):
    assert main(["audit", "export", "--config", str(config)]) == 1
    assert "there are no books" in capsys.readouterr().err
    assert not (config.parent / "state").exists()


def test_damaged_books(config, books, capsys):
    books.close()
    (config.parent / "state" / "vendd.db").write_bytes(b"")
    assert main(["audit", "export", "--config", str(config)]) == 1
    assert "the books can't be opened" in capsys.readouterr().err


def test_a_place_that_can_not_be_written(config, books, tmp_path, capsys):
    books.close()
    out = tmp_path / "nowhere" / "audit.dts"
    assert main(["audit", "export", "--config", str(config), "--out", str(out)]) == 1
    assert capsys.readouterr().err == f"{out}: No such file or directory; nothing was written\n"


def test_a_configuration_that_is_wrong(config, capsys):
    drop_in = config.parent / "vendd.toml.d" / "wrong.toml"
    drop_in.write_text('[audit]\ncommunication_id = "too short"\nasset = "XX"\n')
    assert main(["audit", "export", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "audit.communication_id" in said
    assert "audit.asset" in said


def test_verify_says_what_and_where(tmp_path, capsys):
    file = tmp_path / "audit.dts"
    made = write("VND0000001", [("VA1", "40", "1", "40", "1")])
    file.write_bytes(made.replace(b"*40*1*", b"*48*1*"))
    assert main(["audit", "verify", str(file)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("line 4: error: G85 says ")
    assert said[-1] == f"{file}: 6 segments, NOT SOUND: do not rely on its figures"


def test_verify_of_something_else_is_short(tmp_path, capsys):
    file = tmp_path / "noise"
    file.write_bytes(b"\x00\xff\n" * 4_000)
    assert main(["audit", "verify", str(file)]) == 1
    assert len(capsys.readouterr().out.splitlines()) < 60


@pytest.mark.parametrize("name", ["missing", "."])
def test_verify_of_what_can_not_be_read(tmp_path, capsys, name):
    assert main(["audit", "verify", str(tmp_path / name)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_without_an_action(capsys):
    with pytest.raises(SystemExit) as end:
        main(["audit"])
    assert end.value.code == 2
