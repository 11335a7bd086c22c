"""Blocks and checksums against published bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.mdb.frame import MAX_DATA, BadChecksum, BadLength, Block

# (block without CHK, CHK): NAMA 4.2 section 2 and published traffic of devices
GOLDEN = [
    ("02 00 01 05 02 00 07 01 02 05 14 FF", "2C"),
    ("13 00 00 00 00 01", "14"),
    ("06 0A 07 04", "1B"),
    ("34 FF FF 00 00", "32"),
    ("35 01", "36"),
    ("0C 00 FF 00 FF", "0A"),
    ("0F 02 14", "25"),
    ("0A", "0A"),
    ("08", "08"),
    ("03 11 56 05 01 00 03 01 02" + " 00" * 14, "76"),
    ("34 01 2F FF FF", "62"),
]


@pytest.mark.parametrize(("data", "chk"), GOLDEN)
def test_golden_blocks_both_ways(data: str, chk: str) -> None:
    raw = bytes.fromhex(data + chk)
    assert Block(bytes.fromhex(data)).to_bytes() == raw
    assert Block.from_bytes(raw) == Block(bytes.fromhex(data))


@given(st.binary(min_size=1, max_size=MAX_DATA))
def test_every_block_comes_back(data: bytes) -> None:
    assert Block.from_bytes(Block(data).to_bytes()).data == data


@given(st.binary(min_size=1, max_size=MAX_DATA), st.integers(1, 255))
def test_a_wrong_checksum_is_refused(data: bytes, error: int) -> None:
    raw = bytearray(Block(data).to_bytes())
    raw[-1] = (raw[-1] + error) & 0xFF
    with pytest.raises(BadChecksum):
        Block.from_bytes(bytes(raw))


@pytest.mark.parametrize("size", [0, 36, 200])
def test_sizes_that_no_block_has(size: int) -> None:
    with pytest.raises(BadLength):
        Block(bytes(size))
    with pytest.raises(BadLength):
        Block.from_bytes(bytes(size + 1 if size else 0))
