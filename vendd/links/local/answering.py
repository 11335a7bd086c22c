"""From a request's words to the words of its answer. Never raises what a request can cause."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import structlog

from vendd.api.problems import MEDIA_TYPE, PROBLEM_TYPE, Failed, Problem
from vendd.links.local.routes import ROUTES, Call, Services
from vendd.ports import StoreFailed
from vendd.ports.desk import Person

__all__ = ["Reply", "Services", "answer"]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    media_type: str
    body: bytes


async def answer(
    person: Person, services: Services, method: str, target: str, body: bytes
) -> Reply:
    """Refused before anything is looked at, unless the person has a role here."""
    try:
        return await _answer(person, services, method, target, body)
    except Failed as failed:
        return _problem(failed.problem)


async def _answer(
    person: Person, services: Services, method: str, target: str, body: bytes
) -> Reply:
    parts = urlsplit(target)
    if person.role is None:
        services.desk.turn_away(person, f"{method} {parts.path}"[:60])
        _log.warning("caller_refused", uid=person.uid, user=person.user, path=parts.path[:60])
        raise Failed(
            403,
            "Not allowed",
            f"{person.user} is neither a technician nor an owner of this machine",
            "not_allowed",
            "an owner adds people to the groups that [api] names",
        )
    handler = ROUTES.get((method, parts.path))
    if handler is None:
        known = any(path == parts.path for _, path in ROUTES)
        raise Failed(
            405 if known else 404,
            "No such request",
            f"{method[:10]} {parts.path[:60]} is nothing this vendd knows",
            "unknown_request",
            "vendctl and vendd are of different versions",
        )
    call = Call(person, services, dict(parse_qsl(parts.query)), body)
    try:
        response = await handler(call)
    except StoreFailed as failure:
        raise Failed(503, "Books can't be read", str(failure), "store") from failure
    return Reply(200, MEDIA_TYPE, response.model_dump_json().encode())


def _problem(problem: Problem) -> Reply:
    return Reply(problem.status, PROBLEM_TYPE, problem.model_dump_json().encode())
