"""``vendd-fleet dlq``: look at dead letters, send them home, or drop them."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from vendd.fleet.burial import Burial
from vendd.fleet.clock import WallClock
from vendd.fleet.database import Database, migrate, open_database
from vendd.fleet.deadletters import Filed, State, filed, mark
from vendd.fleet.envelope import Record, shown_time
from vendd.fleet.fetching import Fetcher
from vendd.fleet.replay import Ready, Unplayable, ready, replay
from vendd.fleet.settings import Settings

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant: those named, or all open ones that match."""

    ids: tuple[str, ...] = ()
    topic: str | None = None
    machine: str | None = None
    state: State | None = "open"


@dataclass(frozen=True, slots=True)
class Office:
    """Everything that a command about dead letters needs."""

    database: Database
    fetcher: Fetcher
    cluster: str

    def chosen(self, choice: Choice) -> list[Filed]:
        """Raises `ValueError` for an id that isn't filed."""
        with self.database.transaction() as session:
            if not choice.ids:
                return filed(
                    session,
                    self.cluster,
                    state=choice.state,
                    topic=choice.topic,
                    machine=choice.machine,
                )
            known = {letter.id: letter for letter in filed(session, self.cluster, state=None)}
        unknown = [each for each in choice.ids if each not in known]
        if unknown:
            raise ValueError(
                f"no dead letter {', '.join(unknown)}: vendd-fleet dlq list names those that the"
                " inventory consumer has met"
            )
        return [known[each] for each in choice.ids]

    def record(self, letter: Filed) -> Record | None:
        return self.fetcher.fetch(letter.topic, letter.part, letter.place)

    def mark(self, letter: Filed, state: State) -> None:
        with self.database.transaction() as session:
            mark(session, self.cluster, letter, state, WallClock().now_ms())


def show_list(settings: Settings, choice: Choice, *, as_json: bool) -> int:
    """One line each."""
    with _office(settings) as office:
        letters = office.chosen(choice)
    if as_json:
        _print_json(letters=[{"id": letter.id, **asdict(letter)} for letter in letters])
        return 0
    for letter in letters:
        who = f"{letter.machine}:{letter.number}" if letter.machine else "unknown machine"
        when = shown_time(letter.arrived_ms)
        print(f"{letter.id}  {letter.state}  {who}  {letter.type}  {when}  {letter.reason}")
    print(f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}")
    return 0


def show(settings: Settings, letter_id: str, *, as_json: bool) -> int:
    """Headers and data of one."""
    with _office(settings) as office:
        (letter,) = office.chosen(Choice(ids=(letter_id,)))
        record = office.record(letter)
    if record is None:
        raise ValueError(f"{letter.id}: Kafka has it no longer; {letter.reason}")
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    value = record.value.decode(errors="backslashreplace")
    if as_json:
        _print_json(id=letter.id, **asdict(letter), headers=headers, value=value)
        return 0
    print(f"{letter.id}: {letter.state}")
    for name, text in headers.items():
        print(f"  {name}: {text}")
    print(value or "  (no data)")
    return 0


def replay_chosen(
    settings: Settings, choice: Choice, *, yes: bool, as_json: bool, said: Said
) -> int:
    """Send them to the topics that they were meant for. 1: some could not be, or nobody agreed."""
    with _office(settings) as office:
        playable, problems = _sorted(office, office.chosen(choice))
        for problem in problems:
            said(problem)
        if not playable or not _agreed(len(playable), "replay", yes=yes, said=said):
            return 1 if problems or playable else 0
        kafka = settings.kafka
        burial = Burial(kafka.bootstrap, kafka.topic_prefix, "operator", kafka.options, WallClock())
        for item in playable:
            replay(burial, item)
            office.mark(item.letter, "replayed")
        burial.close()
    _done("replayed", [item.letter for item in playable], as_json=as_json)
    return 1 if problems else 0


def drop(settings: Settings, choice: Choice, *, yes: bool, as_json: bool, said: Said) -> int:
    """They are nobody's business any more; their numbers stay accounted for as dead letters."""
    with _office(settings) as office:
        letters = office.chosen(choice)
        if not letters or not _agreed(len(letters), "drop", yes=yes, said=said):
            return 1 if letters else 0
        for letter in letters:
            office.mark(letter, "dropped")
    _done("dropped", letters, as_json=as_json)
    return 0


def _sorted(office: Office, letters: Sequence[Filed]) -> tuple[list[Ready], list[str]]:
    playable: list[Ready] = []
    problems: list[str] = []
    for letter in letters:
        try:
            playable.append(ready(letter, office.record(letter)))
        except Unplayable as error:
            problems.append(str(error))
    return playable, problems


def _agreed(count: int, what: str, *, yes: bool, said: Said) -> bool:
    """Asks at a terminal; elsewhere only ``--yes`` is a yes."""
    question = f"{what} {count} dead letter{'' if count == 1 else 's'}?"
    if yes:
        return True
    if not sys.stdin.isatty():
        said(f"{question} Nothing was done; say --yes")
        return False
    said(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _done(what: str, letters: Sequence[Filed], *, as_json: bool) -> None:
    if as_json:
        _print_json(**{what: [letter.id for letter in letters]})
    else:
        print(f"{len(letters)} {what}")


def _print_json(**fields: Any) -> None:
    print(json.dumps({"version": 1, **fields}))


@contextmanager
def _office(settings: Settings) -> Iterator[Office]:
    database = open_database(settings.database)
    migrate(database)
    kafka = settings.kafka
    fetcher = Fetcher(kafka.bootstrap, kafka.topic_prefix, kafka.options)
    try:
        yield Office(database, fetcher, fetcher.cluster())
    finally:
        fetcher.close()
        database.close()
