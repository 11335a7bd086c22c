"""``vendd`` as a child that dies with its parent: a simulator that is killed leaves no daemon."""

import ctypes
import os
import signal
import sys

from vendd.__main__ import main

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Linux only, as everything here; see prctl(2)."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before we asked
        os._exit(1)


if __name__ == "__main__":
    die_with_parent()
    sys.exit(main())
