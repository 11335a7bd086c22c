"""What the tests of this folder need from outside, and how they say that it is missing."""

import os
import shutil

import pytest


def missing(reason: str) -> None:
    """Skip with the reason; where servers are required (CI) that is a failure."""
    if os.environ.get("VENDD_REQUIRE_SERVERS") == "1":
        pytest.fail(f"required: {reason}")
    print(f"skipped: {reason}")
    pytest.skip(reason)


def need(*programs: str) -> None:
    """Skip unless all programs are on the PATH."""
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        missing(f"{', '.join(absent)} not installed")
