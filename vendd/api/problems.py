"""What requests and responses have in common, and how a refusal is told."""

from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vendd.core.operator.verdicts import Refused, Why

VERSION: Final = 1
MEDIA_TYPE: Final = "application/json"
PROBLEM_TYPE: Final = "application/problem+json"


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# --- what went wrong ------------------------------------------------------------------------


class Problem(Response):
    """RFC 9457. `code` is stable; `remedy` says what a person can do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    remedy: str = ""


_STATUS: Final[dict[Why, tuple[int, str]]] = {
    Why.STATE: (409, "Not now"),
    Why.INVALID: (422, "Not possible"),
    Why.NOT_FOUND: (404, "Not there"),
    Why.NOT_ALLOWED: (403, "Not allowed"),
    Why.FAULT: (502, "Hardware fault"),
    Why.STORE: (503, "Books can't be written"),
}


class Failed(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, title: str, detail: str, code: str, remedy: str = "") -> None:
        super().__init__(detail)
        self.problem = Problem(title=title, status=status, detail=detail, code=code, remedy=remedy)


def refused(refusal: Refused) -> Failed:
    """The problem that tells of it."""
    status, title = _STATUS[refusal.why]
    return Failed(status, title, refusal.what, str(refusal.why), refusal.remedy)


_Model = TypeVar("_Model", bound=BaseModel)


def parsed(model: type[_Model], body: bytes) -> _Model:
    """The request in a body. Raises `Failed` with every field that is wrong."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors()
        )
        raise Failed(422, "Not understood", wrong[:500], str(Why.INVALID)) from None
