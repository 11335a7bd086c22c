"""Messages as bytes: our own table, the specification's check words, and what is no message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.cctalk.frame import (
    BadChecksum,
    BadLength,
    Checksum,
    Frame,
    FrameError,
    crc_ccitt,
)

SUM, CRC = Checksum.SUM, Checksum.CRC

# every other request of ours with an answer to it, each as it goes over the wire
EVERY = [
    (SUM, 2, 1, 246, "", "02 00 01 F6 07", "manufacturer"),
    (SUM, 1, 2, 0, "41 43 4D 45", "01 04 02 00 41 43 4D 45 E3", "ACME"),
    (SUM, 2, 1, 245, "", "02 00 01 F5 08", "category"),
    (SUM, 1, 3, 0, "50 61 79 6F 75 74", "01 06 03 00 50 61 79 6F 75 74 74", "Payout"),
    (SUM, 2, 1, 244, "", "02 00 01 F4 09", "product"),
    (SUM, 2, 1, 242, "", "02 00 01 F2 0B", "serial number"),
    (SUM, 1, 2, 0, "4E 61 BC", "01 03 02 00 4E 61 BC 8F", "12345678, low byte first"),
    (SUM, 2, 1, 241, "", "02 00 01 F1 0C", "software"),
    (SUM, 2, 1, 232, "", "02 00 01 E8 15", "self-check"),
    (SUM, 1, 2, 0, "03", "01 01 02 00 03 F9", "credit sensor"),
    (SUM, 2, 1, 231, "00 00", "02 02 01 E7 00 00 14", "all coins off"),
    (SUM, 2, 1, 230, "", "02 00 01 E6 17", "read the inhibits back"),
    (SUM, 1, 2, 0, "07 00", "01 02 02 00 07 00 F4", "coins 1 to 3 are on"),
    (SUM, 2, 1, 228, "01", "02 01 01 E4 01 17", "master inhibit lifted"),
    (SUM, 1, 2, 0, "05 02 01 00 01 03 01 00 00 00 00",
     "01 0B 02 00 05 02 01 00 01 03 01 00 00 00 00 E5", "five events, the newest is coin 2"),
    (SUM, 2, 1, 1, "", "02 00 01 01 FC", "reset"),
    (SUM, 3, 1, 163, "", "03 00 01 A3 59", "test hopper"),
    (SUM, 1, 3, 0, "40 00 01", "01 03 03 00 40 00 01 B8", "powered up, and in a payout"),
    (SUM, 3, 1, 168, "", "03 00 01 A8 54", "coins dispensed in its life"),
    (SUM, 1, 3, 0, "64 00 00", "01 03 03 00 64 00 00 95", "one hundred"),
    (SUM, 3, 1, 166, "", "03 00 01 A6 56", "payout status"),
    (SUM, 3, 1, 161, "01 02 03 04 05 06 07 08",
     "03 08 01 A1 01 02 03 04 05 06 07 08 2F", "random numbers for the cipher"),
    (SUM, 3, 1, 160, "", "03 00 01 A0 5C", "cipher key"),
    (SUM, 40, 1, 156, "45 55", "28 02 01 9C 45 55 9F", "scaling of the bills of EU"),
    (SUM, 1, 40, 0, "64 00 02", "01 03 28 00 64 00 02 6E", "times one hundred, two decimals"),
    (SUM, 40, 1, 157, "01", "28 01 01 9D 01 38", "bill id of position 1"),
    (SUM, 1, 40, 0, "45 55 30 30 30 35 41",
     "01 07 28 00 45 55 30 30 30 35 41 30", "EU0005A"),
    (SUM, 40, 1, 153, "03", "28 01 01 99 03 3A", "use escrow and stacker"),
    (SUM, 40, 1, 159, "", "28 00 01 9F 38", "read bill events"),
    (SUM, 1, 40, 0, "01 01 01 00 00 00 00 00 00 00 00",
     "01 0B 28 00 01 01 01 00 00 00 00 00 00 00 00 C9", "bill 1 in escrow"),
    (SUM, 40, 1, 154, "00", "28 01 01 9A 00 3C", "give the held bill back"),
    (SUM, 40, 1, 154, "FF", "28 01 01 9A FF 3D", "hold it on"),
    (CRC, 3, None, 163, "", "03 00 D9 A3 DC", "test of a hopper that speaks CRC"),
]  # fmt: skip

# (checksum, dest, source, header, data, on the wire, meaning)
ROWS = [
    (SUM, 2, 1, 254, "", "02 00 01 FE FF", "simple poll of a coin acceptor"),
    (SUM, 1, 2, 0, "", "01 00 02 00 FD", "its ACK"),
    (SUM, 1, 2, 5, "", "01 00 02 05 F8", "a NAK"),
    (SUM, 1, 3, 6, "", "01 00 03 06 F6", "a hopper is busy"),
    (SUM, 2, 1, 229, "", "02 00 01 E5 18", "read buffered credit"),
    (SUM, 2, 1, 231, "FF FF", "02 02 01 E7 FF FF 16", "all coins enabled"),
    (SUM, 2, 1, 184, "01", "02 01 01 B8 01 43", "coin id of position 1"),
    (SUM, 1, 2, 0, "45 55 32 30 30 41", "01 06 02 00 45 55 32 30 30 41 8A", "EU200A"),
    (SUM, 3, 1, 164, "A5", "03 01 01 A4 A5 B2", "enable a hopper"),
    (SUM, 3, 1, 167, "67 12 00 03", "03 04 01 A7 67 12 00 03 D5", "three coins, by serial number"),
    (SUM, 1, 3, 0, "01 02 01 02", "01 04 03 00 01 02 01 02 F2", "two of them still to come"),
    (SUM, 3, 1, 172, "", "03 00 01 AC 50", "emergency stop"),
    (SUM, 40, 1, 154, "01", "28 01 01 9A 01 3B", "stack the held bill"),
    (SUM, 1, 40, 0, "FE", "01 01 28 00 FE D8", "the escrow is empty"),
    *EVERY,
    # the specification prints this pair in decimal: [40][0][70][1][63] and [1][0][48][0][55]
    (CRC, 40, None, 1, "", "28 00 46 01 3F", "reset of a bill validator that speaks CRC"),
    (CRC, 1, None, 0, "", "01 00 30 00 37", "its ACK"),
]


@pytest.mark.parametrize(("checksum", "dest", "source", "header", "data", "wire", "meaning"), ROWS)
def test_a_message_and_its_bytes(checksum, dest, source, header, data, wire, meaning) -> None:
    frame = Frame(dest, header, bytes.fromhex(data), source)
    assert frame.to_bytes(checksum) == bytes.fromhex(wire), meaning
    assert Frame.from_bytes(bytes.fromhex(wire), checksum) == frame


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("", 0x0000),
        ("280001", 0x3F46),
        ("010000", 0x3730),
        ("49D5F2", 0xA6B3),
        ("2FBD9D", 0x90B2),
        ("D953D1", 0x7BB5),
        ("70B8D9640415", 0xFB00),
        ("7261B94ED078", 0x93E3),
        ("63FAD19FE619", 0x5BB3),
    ],
)
def test_the_check_words_of_the_specification(data: str, word: int) -> None:
    assert crc_ccitt(bytes.fromhex(data)) == word


@pytest.mark.parametrize(
    ("raw", "checksum", "error"),
    [
        ("", SUM, BadLength),
        ("02 00 01 FE", SUM, BadLength),
        ("02 01 01 FE FF", SUM, BadLength),
        ("02 00 01 FE FF 00", SUM, BadLength),
        ("02 00 01 FE FE", SUM, BadChecksum),
        ("03 00 01 FE FF", SUM, BadChecksum),
        ("28 00 46 01 3E", CRC, BadChecksum),
        ("28 00 47 01 3F", CRC, BadChecksum),
        ("28 00 01 01 D6", CRC, BadChecksum),  # a sound message of the other kind
    ],
)
def test_what_is_no_message(raw: str, checksum: Checksum, error: type[FrameError]) -> None:
    with pytest.raises(error):
        Frame.from_bytes(bytes.fromhex(raw), checksum)


def test_more_data_than_a_length_byte_can_say() -> None:
    assert len(Frame(2, 0, bytes(255)).to_bytes()) == 260
    with pytest.raises(BadLength):
        Frame(2, 0, bytes(256))
    with pytest.raises(BadLength):
        Frame(256, 0)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=255), st.sampled_from(Checksum))
def test_there_and_back(dest: int, header: int, data: bytes, checksum: Checksum) -> None:
    frame = Frame(dest, header, data, 1 if checksum is SUM else None)
    assert Frame.from_bytes(frame.to_bytes(checksum), checksum) == frame


@given(st.binary(max_size=300), st.sampled_from(Checksum))
def test_any_bytes_are_a_message_or_a_named_error(raw: bytes, checksum: Checksum) -> None:
    try:
        frame = Frame.from_bytes(raw, checksum)
    except FrameError:
        return
    assert frame.to_bytes(checksum) == raw
