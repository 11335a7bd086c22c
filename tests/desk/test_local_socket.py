"""The unix socket: whoever calls is known, whatever comes in is answered, and it stays bounded."""

import asyncio
import json
import os
import socket
import stat
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.desk.test_orders import WORLD
from vendd.cli import vendctl
from vendd.core.facts import OutboxLoad
from vendd.core.operator.kept import Kept
from vendd.core.operator.orders import Order
from vendd.core.operator.people import Person, Role
from vendd.core.operator.sight import ClaimLine, DoubtLine, Identity, JournalLine, Sight
from vendd.core.operator.verdicts import Decided, Refused, Why
from vendd.core.sale.states import State
from vendd.links.local import server
from vendd.links.local.peers import Groups, person_at, role_of
from vendd.links.local.server import LocalServer, Place, SocketFailed
from vendd.ports import StoredEvent, StoreFailed

GROUPS = Groups("root", "vendd-no-such-group")


class FakeDesk:
    """Answers what it is told to, and remembers who asked for what."""

    def __init__(self) -> None:
        self.answer: Decided | Refused | type[Exception] = Decided(said="done")
        self.orders: list[tuple[Person, Order, str, bool]] = []
        self.turned_away: list[str] = []
        self.stalls = False

    def sight(self) -> Sight:
        identity = Identity("snack-0001", "0.1.0", "abc", 3)
        return Sight(
            identity, "2026-01-31T12:00:00.000Z", 61_000, True, State(), WORLD, Kept(), (),
            OutboxLoad(0, 0, 0),
        )  # fmt: skip

    async def order(
        self, person: Person, order: Order, why: str = "", *, preview: bool = False
    ) -> Decided | Refused:
        self.orders.append((person, order, why, preview))
        if self.stalls:
            await asyncio.Event().wait()
        if isinstance(self.answer, type):
            raise self.answer
        return self.answer

    async def replay(self, from_seq: int, to_seq: int) -> int | None:
        return None

    def turn_away(self, person: Person, action: str) -> None:
        self.turned_away.append(action)


class FakeRecords:
    def __init__(self) -> None:
        self.fails = False

    async def journal(self, before_id: int | None, limit: int) -> list[JournalLine]:
        if self.fails:
            raise StoreFailed("disk I/O error")
        line = JournalLine(
            7, "2026-01-31T12:00:00.000Z", 1, 9, 0, "root", "owner", "x", "A1", "", "{}", "{}",
            "done",
        )  # fmt: skip
        return [line][:limit]

    async def claims(self, *, closed: bool, limit: int) -> list[ClaimLine]:
        return []

    async def doubts(self, *, closed: bool, limit: int) -> list[DoubtLine]:
        return []

    async def events(self, after: int, limit: int, **_: Any) -> list[StoredEvent]:
        return []

    async def delivered(self) -> int:
        return 0

    async def dead_letters(self, limit: int) -> list[tuple[StoredEvent, str]]:
        return []

    async def boxes(self) -> list[tuple[str, int, int]]:
        return []


Rig = SimpleNamespace  # path, desk, records


def served(
    folder: Path, scenario: Callable[[Any], Awaitable[None]], groups: Groups = GROUPS
) -> None:
    """Run a scenario beside a server on a socket of its own."""

    async def run() -> None:
        rig = Rig(path=folder / "s", desk=FakeDesk(), records=FakeRecords())
        local = LocalServer(Place(rig.path, 0o666, groups), rig.desk, rig.records)
        task = asyncio.create_task(local.run())
        for _ in range(100):
            await asyncio.sleep(0)
            if rig.path.exists():
                break
        try:
            await scenario(rig)
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert not rig.path.exists()

    asyncio.run(run())


async def raw(rig: Any, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(rig.path))
    try:
        writer.write(data)
        writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def request(method: str, target: str, body: bytes = b"") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def status_of(answer: bytes) -> int:
    return int(answer.split()[1])


def problem(answer: bytes) -> dict[str, Any]:
    return json.loads(answer.partition(b"\r\n\r\n")[2])  # type: ignore[no-any-return]


def envelope_in(capsys: Any) -> dict[str, Any]:
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return json.loads(line)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\xff\x00 garbage\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
        (b"GET /v1/status HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 60_000 + b"\r\n\r\n", 431),
        (request("POST", "/v1/inhibit", b"x" * 300_000), 413),
        (request("POST", "/v1/inhibit", b"not json"), 422),
        (request("POST", "/v1/inhibit", b'{"on": true, "more": 1}'), 422),
        (request("POST", "/v1/inhibit", b'{"on": "yes"}'), 422),
        (request("GET", "/v1/nothing"), 404),
        (request("GET", "/v1/inhibit"), 405),
        (request("GET", "/v1/journal?limit=x"), 422),
        (request("GET", "/v1/journal?limit=501"), 422),
        (request("GET", "/v1/journal?before=" + "9" * 5_000), 422),
        (request("GET", "/v1/journal?limit=1"), 200),
        (request("GET", "/v1/status?x=%00"), 200),
    ],
)
def test_whatever_comes_in_is_answered(tmp_path: Path, data: bytes, status: int) -> None:
    async def scenario(rig: Any) -> None:
        assert status_of(await raw(rig, data)) == status
        assert status_of(await raw(rig, request("GET", "/v1/status"))) == 200
        assert rig.desk.orders == []

    served(tmp_path, scenario)


def test_a_problem_says_every_field_that_is_wrong(tmp_path: Path) -> None:
    async def scenario(rig: Any) -> None:
        found = problem(await raw(rig, request("POST", "/v1/service", b'{"state": "x", "y": 1}')))
        assert found["code"] == "invalid"
        assert "state" in found["detail"]
        assert "y" in found["detail"]

    served(tmp_path, scenario)


@pytest.mark.parametrize("data", [b"", b"GET /v1/sta", request("POST", "/", b"x")[:-1]])
def test_who_hangs_up_early_is_let_go(tmp_path: Path, data: bytes) -> None:
    async def scenario(rig: Any) -> None:
        assert b"200" not in await raw(rig, data)
        assert status_of(await raw(rig, request("GET", "/v1/status"))) == 200

    served(tmp_path, scenario)


def test_who_says_nothing_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ARRIVES_S", 0.05)
    monkeypatch.setattr(server, "CONNECTIONS", 3)

    async def scenario(rig: Any) -> None:
        silent = [await asyncio.open_unix_connection(str(rig.path)) for _ in range(3)]
        assert await raw(rig, request("GET", "/v1/status")) == b""  # all places are taken
        assert [await reader.read() for reader, _ in silent] == [b""] * 3
        assert status_of(await raw(rig, request("GET", "/v1/status"))) == 200
        for _, writer in silent:
            writer.close()

    served(tmp_path, scenario)


# --- who calls -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uid", "gids", "role"),
    [
        (0, {0}, Role.OWNER),
        (1000, {1000}, None),
        (1000, {1000, 4}, Role.TECHNICIAN),
        (1000, {24}, Role.OWNER),
        (1000, {4, 24}, Role.OWNER),
    ],
)
def test_roles_follow_from_groups(uid: int, gids: set[int], role: Role | None) -> None:
    assert role_of(uid, gids, Groups("adm", "cdrom")) is role  # 4 and 24 on every Debian


def test_the_kernel_says_who_is_there() -> None:
    here, there = socket.socketpair()
    with here, there:
        person = person_at(here, GROUPS)
    assert person.uid == os.getuid()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(
    ("user", "group", "extra", "status"),
    [(65534, 65534, [], 403), (65534, 65534, [4], 200), (65534, 4, [], 200)],
)
def test_a_customer_s_uid_is_refused_and_a_group_lets_in(
    user: int, group: int, extra: list[int], status: int
) -> None:
    ask = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(b'GET /v1/status HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n');"
        "print(s.recv(99999).decode())"
    )

    async def scenario(rig: Any) -> None:
        child = await asyncio.create_subprocess_exec(
            *("/usr/bin/env", "python3", "-c", ask, str(rig.path)),
            stdout=asyncio.subprocess.PIPE,
            user=user,
            group=group,
            extra_groups=extra,
        )
        answer, _ = await child.communicate()
        assert status_of(answer) == status
        assert rig.desk.turned_away == (["GET /v1/status"] if status == 403 else [])

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # unlike pytest's own
        served(Path(folder), scenario, Groups("adm", "vendd-no-such-group"))


# --- the socket itself -----------------------------------------------------------------------


def test_its_mode_and_that_it_takes_the_place_of_one_left_over(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "s"))
    left_over.close()
    listener = server.open_socket(Place(tmp_path / "s", 0o660, GROUPS))
    listener.close()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SocketFailed, match="missing"):
        server.open_socket(Place(tmp_path / "missing" / "s", 0o660, GROUPS))


# --- what becomes of it at the command ---------------------------------------------------------


async def run(rig: Any, *words: str) -> int:
    return await asyncio.to_thread(vendctl.main, [*words, "--socket", str(rig.path)])


@pytest.mark.parametrize(
    ("answer", "exit_"),
    [
        (Decided(), 0),
        (Refused(Why.STATE, "not now"), 4),
        (Refused(Why.INVALID, "never"), 2),
        (Refused(Why.NOT_FOUND, "no such slot"), 10),
        (Refused(Why.NOT_ALLOWED, "owners only"), 6),
        (Refused(Why.FAULT, "motor"), 5),
        (Refused(Why.STORE, "disk full"), 1),
        (TimeoutError, 3),
    ],
)
def test_every_answer_has_its_exit_code(
    tmp_path: Path, capsys: Any, answer: Any, exit_: int
) -> None:
    async def scenario(rig: Any) -> None:
        rig.desk.answer = answer
        assert await run(rig, "service", "enter", "--why", "refill", "--json") == exit_
        ((person, _, why, preview),) = rig.desk.orders
        assert (person.uid, why, preview) == (os.getuid(), "refill", False)

    served(tmp_path, scenario)
    envelope = envelope_in(capsys)
    assert envelope["schema"] == "vendctl/1"
    assert envelope["ok"] is (exit_ == 0)
    if exit_:
        assert envelope["error"]["exit"] == exit_


def test_a_daemon_that_hangs(tmp_path: Path, capsys: Any) -> None:
    async def scenario(rig: Any) -> None:
        rig.desk.stalls = True
        assert await run(rig, "service", "enter", "--timeout", "0.2") == 3

    served(tmp_path, scenario)
    assert "did not answer" in capsys.readouterr().err


def test_no_daemon_and_something_else_in_its_place(tmp_path: Path, capsys: Any) -> None:
    missing = str(tmp_path / "none")
    assert vendctl.main(["status", "--socket", missing, "--json"]) == 8
    assert envelope_in(capsys)["error"]["code"] == "not_running"

    async def other() -> None:
        async def speak(_: Any, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            writer.close()

        listening = await asyncio.start_unix_server(speak, str(tmp_path / "other"))
        async with listening:
            rig = Rig(path=tmp_path / "other")
            assert await run(rig, "status") == 1

    asyncio.run(other())


def test_books_that_can_t_be_read(tmp_path: Path) -> None:
    async def scenario(rig: Any) -> None:
        rig.records.fails = True
        assert await run(rig, "journal") == 1

    served(tmp_path, scenario)


@pytest.mark.parametrize(
    "words", [["nonsense"], ["status", "--more"], ["inhibit", "perhaps"], ["inhibit", "on"]]
)
def test_wrong_usage_and_a_script_that_does_not_say_yes(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115

    async def scenario(rig: Any) -> None:
        assert await asyncio.to_thread(vendctl.main, [*words, "--json"]) == 2
        assert rig.desk.orders == []

    served(tmp_path, scenario)
    assert envelope_in(capsys)["error"]["exit"] == 2
