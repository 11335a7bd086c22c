"""DEX/UCS byte vectors, and arbitrary bytes in any pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.devices.handheld import bcc
from vendd.wire.evadts.crc import crc16
from vendd.wire.evadts.dex_frame import MAX_TEXT, SENT, Block, Broken, Control, Receiver

SECOND = bytes.fromhex("1001303045 50484F523030303031 5230314C3031 1003FE80")
FIRST = bytes.fromhex("100145 50484F523030303031 53 5230314C3031 1003F990")
READING = bytes.fromhex("100136 31 35 30 32 31 30 30 30 30 52 5230314C3031 10031A6D")

VECTORS = {
    SECOND: Block(b"00EPHOR00001R01L01", header=True, last=True),
    FIRST: Block(b"EPHOR00001SR01L01", header=True, last=True),
    READING: Block(b"6150210000RR01L01", header=True, last=True),
    b"\x05": Control.ENQ,
    b"\x04": Control.EOT,
    b"\x15": Control.NAK,
    b"\x10\x30": Control.ACK_0,
    b"\x10\x31": Control.ACK_1,
    b"\x10\x3b": Control.WAIT,
}


@pytest.mark.parametrize("raw", VECTORS, ids=[raw.hex() for raw in VECTORS])
def test_the_vector(raw):
    item = VECTORS[raw]
    assert Receiver().feed(raw) == [item]
    assert (item.to_bytes() if isinstance(item, Block) else SENT[item]) == raw


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        (FIRST[:-1] + b"\x00", [Broken()]),
        (b"\x10\x02" + b"x" * 246, [Broken()]),
        (b"\x10\x02half of it" + FIRST, [VECTORS[FIRST]]),
        (b"\x16\x16" + FIRST[:6] + b"\x16" + FIRST[6:], [VECTORS[FIRST]]),
        (b"\x10\x02given up\x10\x05", [Control.ENQ]),
        (b"noise" + b"\x10\x41" + b"\x05", [Control.ENQ]),
        (b"\x10\x02text \x05\x04\x15", []),
    ],
)
def test_what_is_not_as_it_should_be(raw, items):
    assert Receiver().feed(raw) == items


@pytest.mark.parametrize("text", [b"x" * (MAX_TEXT + 1), b"a\x10b", b"a\x16b"])
def test_no_block_for_what_does_not_fit_in_one(text):
    with pytest.raises(ValueError, match="no text for one block"):
        Block(text, header=False, last=True)


@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=6))
def test_pieces_make_no_difference(data, cuts):
    whole, parted = Receiver(), Receiver()
    items = whole.feed(data)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    again = [item for a, b in itertools.pairwise(edges) for item in parted.feed(data[a:b])]
    assert again == items
    assert len(whole._text) <= MAX_TEXT


@given(st.binary(max_size=40))
def test_both_ends_have_their_own_idea_of_the_crc_and_it_is_the_same(data):
    assert bcc(data) == crc16(data).to_bytes(2, "little")
