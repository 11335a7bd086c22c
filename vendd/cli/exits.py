"""How a command ends when it does not end well."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `vendctl`."""

    OK = 0
    ERROR = 1
    USAGE = 2
    TIMEOUT = 3
    REFUSED = 4  # by the machine's state
    FAULT = 5  # of the hardware
    NOT_AUTHORISED = 6
    NOT_RUNNING = 8
    NOT_FOUND = 10


CODES = {
    Exit.ERROR: "error",
    Exit.USAGE: "invalid",
    Exit.TIMEOUT: "timeout",
    Exit.REFUSED: "state",
    Exit.FAULT: "fault",
    Exit.NOT_AUTHORISED: "not_allowed",
    Exit.NOT_RUNNING: "not_running",
    Exit.NOT_FOUND: "not_found",
}


class Failure(Exception):
    """A command can't do what it was asked. `what` and `remedy` in the person's words."""

    def __init__(self, exit_: Exit, what: str, remedy: str = "", code: str = "") -> None:
        super().__init__(what)
        self.exit = exit_
        self.what = what
        self.remedy = remedy
        self.code = code or CODES.get(exit_, "error")
