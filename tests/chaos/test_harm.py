"""The blows of a campaign, and the preloaded library that strikes some of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hw_sim.chaos_harm import Harm, blows
from hw_sim.harm_board import HarmBoard, compiled

CHILD = """
import errno, json, os, sys, threading, time
folder, port = sys.argv[1], int(sys.argv[2])

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def wrote(path):
    with open(path, "w") as file:
        file.write("x")

def synced():
    began = time.monotonic()
    with open(os.path.join(folder, "..", "elsewhere"), "w") as file:
        os.fsync(file.fileno())
    return time.monotonic() - began

import socket
waited = time.monotonic()
threading.Event().wait(0.05)
print(json.dumps({
    "clock": time.time(),
    "below": tried(lambda: wrote(os.path.join(folder, "x"))),
    "beside": tried(lambda: wrote(os.path.join(folder, "..", "y"))),
    "broker": tried(lambda: socket.create_connection(("127.0.0.1", port), 1)),
    "fsync_s": synced(),
    "waited_s": time.monotonic() - waited,
}))
"""


def test_every_kind_of_blow_comes_in_turn():
    assert set(Counter(blow.harm for blow in blows(len(Harm), 7))) == set(Harm)
    twice = Counter(blow.harm for blow in blows(2 * len(Harm), 7))
    assert set(twice.values()) == {2}
    assert blows(5, 1) == blows(5, 1) != blows(5, 2)


def test_the_library_does_what_the_board_says(tmp_path: Path):
    library = compiled(tmp_path)
    if library is None:
        pytest.skip("no C compiler here")
    state = tmp_path / "state"
    state.mkdir()
    board = HarmBoard(tmp_path / "harm")
    environment = {**os.environ, **board.environment(library, state, "127.0.0.1:9")}

    def told():
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(state), "9"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(child.stdout)

    calm = told()
    assert (calm["below"], calm["beside"], calm["broker"]) == ("done", "done", "ECONNREFUSED")
    board.stall(150)
    board.fill()
    board.set_clock(-86_400_000)
    harmed = told()
    assert (harmed["below"], harmed["beside"]) == ("ENOSPC", "done")
    assert harmed["fsync_s"] >= 0.15
    assert -86_500 < harmed["clock"] - calm["clock"] < -86_300
    assert harmed["waited_s"] < 60
    board.calm()
    assert told()["below"] == "done"
    board.close()
