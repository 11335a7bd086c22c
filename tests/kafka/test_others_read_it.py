"""What we publish is what others take for CloudEvents and for AsyncAPI: their programs say so."""

import asyncio
import contextlib
import json
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from servers import missing, need
from store_to_kafka import SAMPLES, machine

from hw_sim.consumer import read_all
from vendd.events import TOPICS
from vendd.events.schemas import asyncapi

PARSER = "@asyncapi/parser@3.6.3"
_CACHE = Path.home() / ".cache" / "vendd" / "asyncapi-parser-3.6.3"
_CHECK = """
import { Parser } from "@asyncapi/parser";
import fs from "fs";
const findings = await new Parser().validate(fs.readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(findings.map((f) => [f.severity, f.code, f.message])));
"""


def test_the_cloudevents_sdk_takes_every_message(tmp_path: Path, mock_kafka: str) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}."

    async def main() -> None:
        async with machine(tmp_path, mock_kafka, prefix) as running:
            await running.commit(*SAMPLES)
            await running.delivered()

    asyncio.run(main())
    received = read_all(mock_kafka, TOPICS, prefix)
    assert len(received) == len(SAMPLES)
    for message in received:
        headers = {name: value.encode() for name, value in message.headers.items()}
        event = from_kafka_event(KafkaMessage(headers, message.key, message.value))
        assert event.get_id() == f"demo-0001:{message.seq}"
        assert event.get_source() == "/machines/demo-0001"
        assert event.get_type() == message.headers["ce_type"]
        assert event.get_time() is not None
        assert event.get_extension("seq") == str(message.seq)
        assert event.get_data() == json.loads(message.value)


@pytest.mark.real_server
@pytest.mark.timeout(400)  # the first time it is fetched
def test_asyncapis_own_parser_finds_nothing_wrong_with_the_document(tmp_path: Path) -> None:
    text = asyncapi.FILE.read_text(encoding="utf-8")
    spoiled = tmp_path / "spoiled.yaml"
    spoiled.write_text(text.replace("address", "adress", 1), encoding="utf-8")
    assert _warnings_and_errors(spoiled) != []  # it does look
    assert _warnings_and_errors(asyncapi.FILE) == []


def _warnings_and_errors(document: Path) -> list[list[object]]:
    said = subprocess.run(
        ["node", "check.mjs", str(document)],
        cwd=_parser(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert said.returncode == 0, said.stderr
    return [finding for finding in json.loads(said.stdout) if finding[0] < 2]  # error, warning


def _parser() -> Path:
    """The folder with the parser; fetched once into the user's cache."""
    need("node", "npm")
    if not _CACHE.exists():
        _CACHE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=_CACHE.parent) as name:
            whole = Path(name) / "parser"
            _fetch(whole)
            with contextlib.suppress(OSError):  # somebody else was faster
                whole.rename(_CACHE)
    return _CACHE


def _fetch(folder: Path) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    (folder / "check.mjs").write_text(_CHECK, encoding="utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PARSER]
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # or npm asks for the terminal and everything stands still
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
        )
    except subprocess.CalledProcessError as error:
        missing(f"npm could not fetch {PARSER}: {error.stderr[-300:]}")
    except subprocess.TimeoutExpired:
        missing(f"npm took too long to fetch {PARSER}")
