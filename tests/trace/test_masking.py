"""What must not leave the machine: not in a file, however its bytes were torn."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.masking import masked
from vendd.wire.mdb import masking
from vendd.wire.mdb.cashless_poll import BeginSession, Mode, Noise, Text, messages
from vendd.wire.mdb.frame import checksum
from vendd.wire.trace import Header, Line, Piece, Way

TX, RX = Way.SENT, Way.RECEIVED
NARROW, WIDE = Mode(2), Mode(3, True)

TABLE = [
    # mode, what the device said, what may be shown
    (NARROW, "03 0064 01020304 00 0000", "03 0064 EEEEEEEE 00 0000"),
    (NARROW, "03 0064 FFFFFFFF 00 0000", "03 0064 FFFFFFFF 00 0000"),
    (
        WIDE,
        "03 00000064 01020304 01 0002 656E 1978 07",
        "03 00000064 EEEEEEEE 01 0002 656E 1978 07",
    ),
    (Mode(1), "03 0064", "03 0064"),
    (NARROW, "03 0064 01020304", "03 0064 EEEEEEEE"),  # the first part of something
    (NARROW, "00 03 0064 01020304 41 0000", "00 03 0064 EEEEEEEE 41 0000"),
    (NARROW, "02 14 48 49 20 42 4F 42 21", "02 14 78 78 20 78 78 78 21"),  # HI BOB!
    (NARROW, "05 001E 07", "05 001E 07"),
    (NARROW, "1D 11 22 33", "1D EE EE EE"),  # file transfer
    (NARROW, "FF 01 02 03", "FF EE EE EE"),
    (NARROW, "FF 06 07 9F10 4452415653", "FF 06 07 9F10 4452415653"),  # age: yes or no
    (NARROW, "09 41424320202020202020202020202020" + "20" * 14, None),  # the reader's own name
]


@pytest.mark.parametrize(("mode", "told", "shown"), TABLE)
def test_answers(mode, told, shown):
    expected = bytes.fromhex(told if shown is None else shown)
    assert masking.answer(bytes.fromhex(told), mode) == expected


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("14 03 3132333400000000", "14 03 EEEEEEEEEEEEEEEE"),
        ("64 03 31", "64 03 EE"),
        ("17 FC 01 02 03", "17 FC EE EE EE"),
        ("14 01", "14 01"),
        ("13 00 001E 0011", "13 00 001E 0011"),
    ],
)
def test_commands(command, shown):
    assert masking.command(bytes.fromhex(command)) == bytes.fromhex(shown)


@given(st.binary(max_size=36), st.sampled_from((Mode(1), NARROW, WIDE)))
def test_masking_keeps_lengths_and_meanings(data, mode):
    shown = masking.answer(data, mode)
    assert len(shown) == len(data)
    assert masking.answer(shown, mode) == shown
    for told, left in zip(messages(data, mode), messages(shown, mode), strict=False):
        if isinstance(told, BeginSession) and not isinstance(left, BeginSession):
            break  # hidden to its end
        assert type(told) is type(left)
        if not isinstance(told, BeginSession | Text | Noise):
            assert told == left


def hidden(adapter: str, pieces: list[Piece]) -> list[Piece]:
    return list(masked(Header(lines=(Line("/dev/x", 9600, adapter),) * 2), pieces))


START = [
    Piece(0.0, 0, TX, b"R,11,0003000000\n"),
    Piece(0.0, 0, RX, b"p,0103197805021E0B\n"),
]


def test_a_qibixx_recording():
    pieces = [
        *START,
        Piece(1.0, 0, TX, b"R,12\n"),
        Piece(1.1, 0, RX, b"p,03006401020304000000\r\n"),
        Piece(1.2, 0, TX, b"R,0B\n"),
        Piece(1.3, 0, RX, b"p,03006401020304000000\n"),  # another device's bytes are its own
        Piece(1.4, 0, TX, b"R,14,0331323334\n"),
        Piece(1.5, 0, RX, b"p,ACK\nv,4.0\nnoise 0102\n"),
    ]
    told = [p.data for p in hidden("qibixx", pieces)]
    assert told[2:] == [
        b"R,12\n",
        b"p,030064EEEEEEEE000000\r\n",
        b"R,0B\n",
        b"p,03006401020304000000\n",
        b"R,14,03EEEEEEEE\n",
        b"p,ACK\nv,4.0\nnoisE EEEE\n",
    ]


def test_a_waferstar_recording_keeps_its_checksums_right():
    session = bytes.fromhex("03 0064 01020304 00 0000")
    line = (session + bytes((checksum(session),))).hex(" ").upper().encode()
    tubes = bytes.fromhex("1003 0708")
    pieces = [
        Piece(0.0, 0, TX, bytes.fromhex("11 00 03 00 00 01")),
        Piece(0.0, 0, RX, b"01 03 19 78 05 02 1E 0B CA\r\n"),
        Piece(1.0, 0, TX, b"\x13\x04"),
        Piece(1.1, 0, RX, line[:11]),
        Piece(1.2, 0, RX, line[11:] + b"\r\n"),
        Piece(1.3, 0, TX, b"\x0a"),
        Piece(1.4, 0, RX, tubes.hex(" ").encode() + b" 22\r\n"),
        Piece(1.5, 0, RX, b"10 03 00 64 01 02 03 04 00 00 00\r\n"),
    ]
    told = [p.data for p in hidden("waferstar", pieces)]
    assert told[3] + told[4] == b"03 00 64 EE EE EE EE 00 00 00 1F\r\n"
    assert len(told[3]) == 11
    assert checksum(bytes.fromhex("030064EEEEEEEE000000")) == 0x1F
    assert told[6] == pieces[6].data
    assert told[7] == b"10 03 00 64 EE EE EE EE 00 00 00\r\n"


SECRET = bytes.fromhex("C1C2C3C4")


@given(st.integers(0, 2**32))
def test_a_media_id_never_shows_however_the_line_is_torn(seed):
    """Torn, interrupted by a fence, cut off in the middle: nowhere two bytes of it."""
    rng = random.Random(seed)
    wide = rng.random() < 0.5
    funds = b"\x00\x00\x00\x64" if wide else b"\x00\x64"
    tail = b"\x00\x00\x00" + (b"en\x19\x78\x07" if wide else b"")
    line = b"p,%b\n" % (b"\x03" + funds + SECRET + tail).hex().upper().encode()
    pieces = list(START if rng.random() < 0.8 else ())
    if wide:
        pieces += [
            Piece(0.0, 0, TX, b"R,17,0400000002\n"),
            Piece(0.0, 0, RX, b"p,ACK\n"),
        ]
    pieces.append(Piece(1.0, 0, TX, b"R,12\n"))
    cuts = sorted(rng.randrange(len(line)) for _ in range(rng.randrange(4)))
    for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
        pieces.append(Piece(1.0, 0, RX, line[start:end]))
        if rng.random() < 0.3:
            pieces.append(Piece(1.0, 1, RX, b"other line\n"))
        if rng.random() < 0.2:
            pieces.append(Piece(1.0, 0, TX, b"V\n"))
    if rng.random() < 0.2:
        del pieces[-1]
    told = hidden("qibixx", pieces)
    assert [(p.at, p.line, p.way, len(p.data)) for p in told] == [
        (p.at, p.line, p.way, len(p.data)) for p in pieces
    ]
    shown = b"".join(p.data for p in told if p.line == 0 and p.way is RX).upper()
    text = SECRET.hex().upper().encode()
    assert not any(text[at : at + 4] in shown for at in range(len(text) - 3))


@given(st.lists(st.tuples(st.sampled_from((TX, RX, Way.LOST, Way.GAP)), st.integers(0, 1),
                          st.binary(max_size=20))),
       st.sampled_from(("qibixx", "waferstar", "cctalk", "")))  # fmt: skip
def test_any_recording_keeps_its_shape(raw, adapter):
    pieces = [Piece(0.0, line, way, data) for way, line, data in raw]
    told = hidden(adapter, pieces)
    assert [(p.line, p.way, len(p.data)) for p in told] == [
        (p.line, p.way, len(p.data)) for p in pieces
    ]
