"""The specification's worked examples, where the file is present; it is not part of this project.

Each line is a request and its reply on the wire. It holds when both are messages of ours
and say what the label says, as far as a label says anything a program can read.
"""

import re

import pytest

from tests.vectors.recordings import CCTALK, Group, Held, judged, load
from vendd.wire.cctalk import codes
from vendd.wire.cctalk.frame import BadLength, Frame, FrameError

TYPO = "010b020000000000000000000000f2"  # 15 bytes; its length byte says 16: a zero was left out

EXPLAINED = {TYPO: "a line of the specification that lacks a byte"}

NAMED = {245: "category", 244: "product", 192: "build", 246: "manufacturer", 241: "software"}


def holds(tx: bytes, rx: bytes, label: str) -> bool:
    """Both directions are messages, between the same two, and the data is what the label says."""
    asked, reply = Frame.from_bytes(tx), Frame.from_bytes(rx)
    if asked.to_bytes() != tx or reply.to_bytes() != rx:
        return False
    if (asked.dest, asked.source) != (reply.source, reply.dest) or reply.header != 0:
        return False
    quoted = re.search("‘(.*?)’", label)
    if quoted and "…" not in quoted[1] and (asked.header in NAMED or asked.header in (184, 157)):
        return reply.data.decode("ascii").strip() == quoted[1].strip()
    if asked.header == codes.SERIAL:
        return codes.number(reply.data) == int(label.split("=")[1])
    if "= ACK" in label:
        return reply.data == b""
    if asked.header in (codes.COIN_EVENTS, codes.BILL_EVENTS):
        return len(reply.data) == 11
    return True


def replayed() -> Group:
    """An example that is no message at all holds nothing; one that says something else is
    unsound."""
    found = []
    for example in load(CCTALK):
        tx, rx = bytes.fromhex(example["tx"]), bytes.fromhex(example["rx"])
        why = EXPLAINED.get(example["rx"], "")
        try:
            sound = holds(tx, rx, example["label"])
        except FrameError:
            found.append(Held(example["rx"], 0, 1, why))
        else:
            found.append(Held(example["rx"], 1, 1, why, sound))
    return Group("ccTalk, worked examples of the specification", tuple(found))


def test_the_worked_examples(capsys: pytest.CaptureFixture[str]) -> None:
    judged(replayed(), capsys, EXPLAINED)
    with pytest.raises(BadLength):
        Frame.from_bytes(bytes.fromhex(TYPO))


def test_the_typo_is_one_missing_zero() -> None:
    whole = TYPO[:-2] + "00" + TYPO[-2:]
    assert Frame.from_bytes(bytes.fromhex(whole)).data == bytes(11)
