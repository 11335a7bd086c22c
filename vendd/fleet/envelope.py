"""A Kafka record becomes an event, or is found to be poison.

CloudEvents 1.0 in binary mode: attributes in ``ce_`` headers, JSON data as the value.
A type that nobody here has heard of is an event all the same: its number counts. Another version
of a type that is known is poison: its data means something else, and is kept until somebody can
read it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from vendd.fleet.contract import LARGEST, Check, Others, Violation

DLQ_SUFFIX: Final = ".dlq"
REASON_HEADER: Final = "dlq_reason"
_LONGEST_NAME: Final = 200
_FIRST_MACHINE_MS: Final = 1_704_067_200_000  # 2024-01-01
_VERSIONS: Final = 20  # of one type: more than there will ever be


@dataclass(slots=True)  # not frozen: they are made by the ten thousand, and nobody changes them
class Record:
    """What stands in a topic. `topic` without the deployment's prefix; `arrived_ms`: when the
    broker took it, or we first read it; `stamp_ms`: Kafka's time stamp. ms since 1970."""

    topic: str
    partition: int
    offset: int
    arrived_ms: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    stamp_ms: int = 0

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True)
class Identity:
    """Which event of which life of which machine."""

    machine: str
    bootid: str
    bootcount: int
    seq: int


@dataclass(slots=True)
class Event:
    """One event of a machine. `at_ms` is the machine's time where its clock was synchronised and
    isn't absurd, else when it arrived. `fingerprint` differs when the content does; a new time is
    none."""

    record: Record
    who: Identity
    type: str
    topicseq: int
    uptime_ms: int
    at_ms: int
    fingerprint: int
    data: Mapping[str, Any]
    known: bool
    others: Others = field(default_factory=list)

    @property
    def name(self) -> str:
        """`sale-closed` of ``vend.sale-closed.v1``."""
        return self.type.removeprefix("vend.").removesuffix(".v1")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record on a dead-letter topic. `who` is None where its headers don't say."""

    record: Record
    who: Identity | None
    reason: str


class Poison(Exception):
    """This record will never be an event. `who` as far as its headers tell."""

    def __init__(self, reason: str, who: Identity | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.who = who


def dead_letter(record: Record) -> DeadLetter:
    """Reads what can be read; never fails."""
    headers = dict(record.headers)
    try:
        who: Identity | None = _identity(headers, record.key)
    except Poison:
        who = None
    reason = headers.get(REASON_HEADER, b"no reason given").decode(errors="replace")
    return DeadLetter(record, who, reason.replace("\0", "?"))


def decode(record: Record, checks: Mapping[str, Check]) -> Event:
    """Raises `Poison` for what is no event, or breaks the schema of its type."""
    headers = dict(record.headers)
    version = headers.get("ce_specversion")
    if version != b"1.0":
        raise Poison(f"ce_specversion is {version!r}, not '1.0'")
    who = _identity(headers, record.key)
    type_ = _name(headers, "ce_type", who)
    try:
        others: Others = []
        check = checks.get(type_)
        if check is None:
            _refuse_other_version(type_, checks, who)
        data = _data(record.value, required=check is not None)
        if check is not None:
            check(data, type_, others)
    except Violation as violation:
        raise Poison(f"breaks its schema: {violation}", who) from None
    return Event(
        record=record,
        who=who,
        type=type_,
        topicseq=_number(headers, "ce_topicseq", who),
        uptime_ms=_number(headers, "ce_uptimems", who, least=0),
        at_ms=_at_ms(headers, record),
        fingerprint=_fingerprint(type_, headers["ce_uptimems"], record.value),
        data=data,
        known=check is not None,
        others=others,
    )


def _refuse_other_version(type_: str, checks: Mapping[str, Check], who: Identity) -> None:
    name, _, version = type_.rpartition(".v")
    known = [f"v{number}" for number in range(1, _VERSIONS) if f"{name}.v{number}" in checks]
    if known and version.isdecimal():
        raise Poison(
            f"{type_} is not the version that this vendd-fleet reads ({', '.join(known)}):"
            " install the one that does, then replay this",
            who,
        )


def _identity(headers: Mapping[str, bytes], key: bytes) -> Identity:
    named = tuple(map(headers.get, _LIFE))
    life = _lives.get(named)
    if life is None:
        if len(_lives) >= _MOST_LIVES:
            _lives.clear()
        machine, bootid = _name(headers, "ce_machine"), _name(headers, "ce_bootid")
        life = _lives[named] = (machine, bootid, _number(headers, "ce_bootcount"))
    if named[0] != key:
        raise Poison(f"the key {key!r} is not that of ce_machine {life[0]!r}")
    return Identity(*life, _number(headers, "ce_seq"))


_LIFE: Final = ("ce_machine", "ce_bootid", "ce_bootcount")
_MOST_LIVES: Final = 50_000
_lives: Final[dict[tuple[bytes | None, ...], tuple[str, str, int]]] = {}
"""Checked once per life, not once per event."""


def _name(headers: Mapping[str, bytes], name: str, who: Identity | None = None) -> str:
    raw = headers.get(name, b"")
    if not 0 < len(raw) <= _LONGEST_NAME or b"\0" in raw:
        raise Poison(f"{name} is missing or no name", who)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Poison(f"{name} is not UTF-8: {error.reason}", who) from None


def _number(
    headers: Mapping[str, bytes], name: str, who: Identity | None = None, *, least: int = 1
) -> int:
    digits = headers.get(name, b"")
    if digits.isdigit() and len(digits) < 20:
        number = int(digits)
        if least <= number <= LARGEST:
            return number
    raise Poison(f"{name} is {digits[:40]!r}, not a number from {least}", who)


def _data(value: bytes, *, required: bool) -> dict[str, Any]:
    """JSON as the contract wants it. A type of the future may hold anything: then it is empty."""
    try:
        data = _json(value.decode())
    except (ValueError, RecursionError) as error:
        if not required:
            return {}
        raise Violation(f"the data is not JSON: {error}") from None
    if isinstance(data, dict):
        return data
    if required:
        raise Violation("the data is no object")
    return {}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_json: Final = json.JSONDecoder(parse_constant=_no_constant).decode


def _at_ms(headers: Mapping[str, bytes], record: Record) -> int:
    """A clock that jumped says that it is synchronised all the same: nothing happened after it
    arrived, and nothing before there were such machines."""
    if headers.get("ce_clocksync") != b"true":
        return record.arrived_ms
    at_ms = ms_of(headers.get("ce_time", b"").decode(errors="replace")) or 0
    return min(at_ms, record.arrived_ms) if at_ms >= _FIRST_MACHINE_MS else record.arrived_ms


def ms_of(text: str) -> int | None:
    """RFC 3339 as ms since 1970; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def shown_time(ms: int) -> str:
    """ms since 1970 as RFC 3339."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _fingerprint(type_: str, uptime_ms: bytes, value: bytes) -> int:
    """64 bits of what an event says. Its time is left out: a clock that becomes trustworthy
    re-times events that are still in the outbox, also those sent before."""
    digest = hashlib.blake2b(b"%b %b %b" % (type_.encode(), uptime_ms, value), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)
