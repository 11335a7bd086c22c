"""The cam by its edges and readings, in time and after a stall. Seconds; True is home."""

from collections.abc import Callable, Sequence

import pytest

from vendd.drivers.cam import Cam

Deed = Callable[[Cam], None]


def edge(level: bool, at: float) -> Deed:
    return lambda cam: cam.edge(level, at)


def read(level: bool, at: float) -> Deed:
    return lambda cam: cam.confirm(level, at)


LEFT = (edge(False, 0.1), read(False, 0.105))


@pytest.mark.parametrize(
    ("deeds", "left", "home"),
    [
        pytest.param((), False, False, id="nothing"),
        pytest.param((edge(False, 0.1),), False, False, id="too early to say"),
        pytest.param(LEFT, True, False, id="left"),
        pytest.param((edge(False, 0.1), edge(True, 0.102)), False, False, id="a bounce"),
        pytest.param((*LEFT, edge(True, 2.5), read(True, 2.505)), True, True, id="home"),
        pytest.param((*LEFT, edge(True, 2.5), edge(False, 2.502)), True, False, id="home bounce"),
        pytest.param((*LEFT, edge(True, 2.5), edge(False, 2.6)), True, True, id="passed home"),
        pytest.param(
            (*LEFT, edge(True, 2.5), read(False, 4.0), edge(False, 2.6)),
            True,
            True,
            id="passed home in a stall: the reading is ahead of the second edge",
        ),
        pytest.param(
            (*LEFT, edge(True, 2.5), read(False, 4.0), read(False, 4.005), edge(False, 2.6)),
            True,
            True,
            id="two readings are ahead of the second edge",
        ),
        pytest.param(
            (*LEFT, edge(True, 2.5), read(False, 4.0), read(False, 4.005), edge(False, 2.501)),
            True,
            False,
            id="bounced in a stall",
        ),
        pytest.param(
            (*LEFT, edge(True, 2.5), read(False, 2.505), read(False, 2.51), read(False, 2.52)),
            True,
            False,
            id="a lost edge after a bounce",
        ),
    ],
)
def test_what_the_cam_did(deeds: Sequence[Deed], left: bool, home: bool) -> None:
    cam = Cam(True, 0.0)
    for deed in deeds:
        deed(cam)
    assert (cam.left, cam.home) == (left, home)


def test_a_contradiction_is_read_again_soon() -> None:
    cam = Cam(True, 0.0)
    cam.edge(False, 1.0)
    cam.confirm(True, 1.005)
    assert cam.due == pytest.approx(1.010)
