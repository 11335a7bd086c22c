"""fleet.toml: every mistake at once, secrets elsewhere; and the command's own manners."""

from pathlib import Path

import pytest

from vendd.fleet.__main__ import main
from vendd.fleet.settings import Settings, SettingsError, load

SAMPLE = Path(__file__).parents[2] / "config" / "fleet" / "fleet.toml"


def loaded(folder: Path, text: str, **flags: object) -> Settings:
    path = folder / "fleet.toml"
    path.write_text(text)
    return load(path, {name.replace("__", "."): value for name, value in flags.items()})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    return [each.partition("fleet.toml: ")[2] for each in caught.value.problems]


GOOD = 'database = "sqlite:///x.db"\n[kafka]\nbootstrap = "k:9092"\n'


def test_the_sample_is_correct() -> None:
    settings = load(SAMPLE, {})
    assert [admin.level for admin in settings.admin] == [1, 1, 2]
    assert settings.alarms.hours("demo-0001", "no_sale_h") == 96
    assert settings.sites()["demo-0002"] == {"demo-0001", "demo-0002"}


def test_flags_win(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD, kafka__bootstrap="other:1", database=None, metrics__port=7)
    assert settings.kafka.bootstrap == "other:1"
    assert settings.database == "sqlite:///x.db"
    assert settings.metrics.port == 7


def test_flags_alone_are_enough() -> None:
    settings = load(None, {"database": "sqlite:///x", "kafka.bootstrap": "k:1"})
    assert settings.kafka.group == "vendd-fleet"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "databse = 5\n[kafka]\nbootstrap = 'nowhere'\n[metrics]\nport = 70000\n"
        "[[admin]]\nname = 'a'\n[[admin]]\nname = 'a'\nurl = 'x'\n",
    )
    assert len(found) == 6
    assert "databse: is an unknown key" in found
    assert "database: is missing" in found
    assert "admin.0.url: is missing" in found
    assert "admin: 'a' stands in two of them" in found


def test_a_machine_stands_at_one_site(tmp_path: Path) -> None:
    sites = '[[site]]\nname="a"\nmachines=["m"]\n[[site]]\nname="b"\nmachines=["m"]\n'
    assert problems(tmp_path, GOOD + sites) == ["site: 'm' stands in two of them"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('database = "postgresql://u:hunter2@db/x"\n[kafka]\nbootstrap = "k:1"', "database"),
        (GOOD + '[kafka.options]\n"sasl.password" = "hunter2"', "kafka.options.sasl.password"),
    ],
)
def test_a_secret_in_the_open_is_refused_and_not_shown(tmp_path: Path, line: str, key: str) -> None:
    (found,) = problems(tmp_path, line)
    assert found.startswith(f"{key}: (not shown) is a secret in the open")
    assert "hunter2" not in found


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "db").write_text("postgresql://u:hunter2@db/x\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = loaded(tmp_path, GOOD.replace("sqlite:///x.db", "credential:db"))
    assert settings.database == "postgresql://u:hunter2@db/x"
    text = GOOD.replace("sqlite:///x.db", f"file:{tmp_path}/absent")
    (found,) = problems(tmp_path, text)
    assert found.startswith("database = 'file:")
    assert "can't be read" in found


@pytest.mark.parametrize("text", ["a = ", "\xff", "kafka = 5", "admin = 3\nsite = 'x'"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError):
        load(path, {"kafka.bootstrap": "k:1"})


# --- the command -----------------------------------------------------------------------------


def test_an_empty_database_reports_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["report", "--database", f"sqlite:///{tmp_path}/x.db"]) == 0
    assert main(["alarms", "--database", f"sqlite:///{tmp_path}/x.db"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "--machine", "m-9"], "machine m-9 was never heard of"),
        (["ack", "4"], "there is no alarm 4"),
        (["dlq", "drop", "--bootstrap", "127.0.0.1:1"], "name dead letters, or say --all"),
    ],
)
def test_what_is_not_there_is_said(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--database", f"sqlite:///{tmp_path}/x.db"]) == 1
    assert said in capsys.readouterr().err


def test_a_wrong_url_and_a_missing_broker_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--database", "mysql://x"]) == 1
    assert "postgresql:// or sqlite:///" in capsys.readouterr().err
    assert main(["inventory", "--database", "sqlite:///x"]) == 2
    assert "kafka: is missing" in capsys.readouterr().err
