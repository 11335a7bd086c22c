"""How the tests share two processes: a file stays together, and so do those that share servers."""

import pytest

# A server is started once per process: whoever talks to one runs where it is.
_SERVERS = ("tests/kafka/", "tests/fleet/")
# Real processes against real time: one after the other, or they measure each other.
_REAL_TIME = (
    "tests/chaos/",
    "tests/desk/test_vendctl.py",
    "tests/run/test_process_day.py",
    "tests/run/test_supervisor_socket.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.nodeid.partition("::")[0]
        if file.startswith(_SERVERS):
            group = "servers"
        elif file.startswith(_REAL_TIME):
            group = "real time"
        else:
            group = file
        item.add_marker(pytest.mark.xdist_group(group))
