"""Imports point one way; and the check itself sees every way to import."""

from pathlib import Path

import pytest

from tests.house.imports import ALLOWED, violations

ROOT = Path(__file__).parents[2]


def test_imports_point_one_way():
    assert violations(ROOT) == []


def test_the_table_names_what_exists():
    exists = {
        path.stem for path in (ROOT / "vendd").iterdir() if path.is_dir() or path.suffix == ".py"
    }
    assert exists - {"__pycache__", "__init__", "py"} <= ALLOWED.keys()


# (file, its text, what must be said; "" = nothing)
ROWS = [
    ("vendd/daemon.py", "import hw_sim", "vendd must not import hw_sim"),
    ("vendd/core/sale/x.py", "import hw_sim.loop", "vendd must not import hw_sim.loop"),
    ("vendd/daemon.py", "def f():\n    from hw_sim import loop", "must not import hw_sim.loop"),
    ("vendd/daemon.py", "import importlib\nimportlib.import_module('hw_sim.loop')", "hw_sim.loop"),
    ("vendd/links/x.py", "from tests.kafka import servers", "must not import tests"),
    ("vendd/core/x.py", "import asyncio", "core is pure: asyncio"),
    ("vendd/core/x.py", "import time", "core is pure: time"),
    ("vendd/core/x.py", "from time import monotonic", "core is pure: time.monotonic"),
    ("vendd/core/sale/x.py", "import sqlite3", "core is pure: sqlite3"),
    ("vendd/core/x.py", "import random", "core is pure: random"),
    ("vendd/core/x.py", "import logging", "core is pure: logging"),
    ("vendd/core/x.py", "import structlog", "core is pure: structlog"),
    ("vendd/core/x.py", "from datetime import datetime\ndatetime.fromisoformat('x')", ""),
    (
        "vendd/core/x.py",
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "core is pure: datetime.now",
    ),
    (
        "vendd/core/x.py",
        "import datetime\nx = datetime.date.today",
        "core is pure: datetime.today",
    ),
    (
        "vendd/core/x.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio",
        "core is pure: asyncio",
    ),
    ("vendd/core/x.py", "import re\nfrom vendd.core import money", ""),
    ("vendd/core/x.py", "from vendd.ports import Sink", "core must not import vendd.ports.Sink"),
    ("vendd/core/x.py", "from vendd import ports", "core must not import vendd.ports"),
    ("vendd/core/sale/x.py", "from ...ports import Sink", "core must not import vendd.ports.Sink"),
    ("vendd/core/sale/x.py", "from ..money import Currency", ""),
    ("vendd/wire/x.py", "from vendd.core.money import Currency", "wire must not import vendd.core"),
    ("vendd/wire/x.py", "import serial", "wire is pure: serial"),
    ("vendd/guard.py", "from vendd.ports import Sink", "guard must not import"),
    ("vendd/services/x.py", "from vendd.store import writer", "services must not import"),
    ("vendd/services/x.py", "from vendd.drivers import pins", "services must not import"),
    ("vendd/services/x.py", "import sqlite_utils", "sqlite_utils belongs to store alone"),
    ("vendd/store/x.py", "import sqlite_utils", ""),
    ("vendd/drivers/x.py", "from vendd.services import payment", "drivers must not import"),
    ("vendd/links/x.py", "from vendd.core.facts import Fact", "links must not import"),
    ("vendd/health.py", "from vendd.ports import Sink", ""),
    ("vendd/cli/x.py", "from vendd.daemon import main", "cli must not import vendd.daemon.main"),
    ("vendd/fleet/x.py", "from vendd.ports import Sink", "fleet must not import"),
    ("vendd/daemon.py", "from vendd.store import writer", ""),
    ("vendd/shortcuts.py", "import re", "shortcuts is not in the table"),
    ("hw_sim/devices/x.py", "from vendd.wire.mdb import frames", "must not use vendd.wire.mdb"),
    ("hw_sim/devices/x.py", "from vendd import wire", "must not use vendd.wire"),
    ("hw_sim/shopper.py", "from vendd.core.money import Currency", ""),
]


@pytest.mark.parametrize(("file", "text", "said"), ROWS)
def test_a_planted_import_is_judged(tmp_path: Path, file, text, said):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = violations(tmp_path)
    if not said:
        assert found == []
    else:
        assert len(found) == 1, found
        assert said in found[0]
        assert found[0].startswith(f"{file}:")
