"""Reports as bytes: the standard's printed ones, real ones, ours; and whatever else arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.evadts.crc import crc16
from vendd.wire.evadts.reader import read
from vendd.wire.evadts.report import to_bytes, write

PAGE_26 = (
    "ST*001*0001 / ID1*112233445566*ABC1234*0101*Building 1**777888999 / VA1*400*5*150*2"
    " / CA2*200*3*50*1 / DA2*200*2*100*1 / CA3*100*0*0*1*250*50*0*2 / CA4*50*0*50*0"
)
PRODUCTS = (
    "PA1*COL 1*50*Snack 1 / PA2*1*100*1*100 / PA1*COL 2*100*Snack 2 / PA2*1*100*0*0"
    " / PA1*COL 3*100*Snack 3 / PA2*2*200*1*100 / PA1*COL 4*50*Snack 4 / PA2*1*50*0*0"
    " / PA1*COL 5*200*Snack 5 / PA2*0*0*0*0 / EA3*4 / EA7*1*2"
)
READ_OUT = f"{PAGE_26} / {PRODUCTS}"
"""Page 119: with SE 21 and, over its lines with CR LF, F0DB."""

JOFEMAR = """DXS*JOF0000000*VA*V0/6*1
ST*001*0001
ID1******0*6*1
ID4*1*7
PA1*01*250*^DD^^F1^^EF^^F0^^E5^^F1^^F1^^EE^
PA7*01*CA*0*250*880*114899*0*0
PA7*01*TA*0*250*0*4294967295*0*0
PA7*01*DA*1*100*0*4294967295*0*0
PA7*01*DB*1*100*0*4294967295*0*0
PA1*02*250*^CA^^E0^^EF^^F3^^F7^^E8^^ED^^EE^
PA7*02*CA*0*250*1674*280299*0*0
PA7*02*TA*0*250*0*4294967295*0*0
PA7*02*DA*1*100*0*4294967295*0*0
PA7*02*DB*1*100*0*4294967295*0*0
G85*0675
SE*15*0001
DXE*1*1
""".replace("\n", "\r\n").encode()

SEGMENTS = [("ID1", "1", "", "", "", "", "A-7"), ("VA1", "40", "1", "40", "1")]
OURS = write("VND0000001", SEGMENTS)


def lines(text: str) -> list[list[str]]:
    return [line.split("*") for line in text.split(" / ")]


def test_the_crc():
    assert crc16(b"123456789") == 0xBB3D


def test_the_printed_readout_has_its_crc_and_count():
    made = write("ABC1234567", lines(READ_OUT)[1:])
    assert b"\r\nG85*F0DB\r\nSE*21*0001\r\nDXE*1*1\r\n" in made
    assert made.startswith(b"DXS*ABC1234567*VA*V0/6*1\r\nST*001*0001\r\nID1*112233445566*")


def test_a_real_extract_is_sound_and_written_back_the_same():
    report = read(JOFEMAR)
    assert (report.findings, report.sound) == ((), True)
    assert report.element("PA1", 3) == "\xdd\xf1\xef\xf0\xe5\xf1\xf1\xee"  # its maker's code page


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (("PA1", "A1", "", ""), b"PA1*A1\r\n"),
        (("PA1", "", "1"), b"PA1**1\r\n"),
        (("PA1", "Caf\xe9 *5^"), b"PA1*Caf^C3^^A9^ ^2A^5^5E^\r\n"),
        (("PA1", "a\r\nb"), b"PA1*a^0D^^0A^b\r\n"),
    ],
)
def test_elements_as_bytes(segment, expected):
    assert to_bytes(segment) == expected


@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=8))
def test_what_is_written_is_read(elements):
    segments = [("MA5", *found) for found in elements]
    report = read(write("VND0000001", segments))
    stripped = [[*segment] for segment in segments]
    for segment in stripped:
        while len(segment) > 1 and not segment[-1]:
            segment.pop()
    assert report.findings == ()
    assert [list(segment) for segment in report.of("MA5")] == stripped


def test_every_flipped_bit_of_the_figures_is_found():
    """From ST to the end of G85; only G85 in small letters is a warning and no more."""
    start, end = OURS.index(b"ST*"), OURS.index(b"SE*")
    harmless = []
    for place in range(start * 8, end * 8):
        broken = bytearray(OURS)
        broken[place // 8] ^= 1 << place % 8
        report = read(bytes(broken))
        assert report.findings, f"byte {place // 8}, bit {place % 8}"
        if report.sound:
            harmless.append(broken)
    assert all(broken.upper() == OURS for broken in harmless)
    assert len(harmless) <= 4


def test_a_flipped_bit_is_said_with_its_line():
    broken = OURS.replace(b"VA1*40*1", b"VA1*41*1")
    (finding,) = [f for f in read(broken).findings if f.grave]
    assert str(finding).startswith("line 5: error: G85 says ")
    assert "changed or damaged" in finding.what


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (OURS.replace(b"SE*5", b"SE*6"), "line 6: warning: SE says 6 segments, there are 5"),
        (b"", "there is no ST"),
        (OURS[: len(OURS) // 2], "there is no SE"),
        (OURS.replace(b"\r\n", b"\n"), "lines do not end with CR LF"),
        (OURS.replace(b"VA1", b"V\x7f1"), "byte 7F at column 2"),
        (OURS.replace(b"*40*1*40", b"*4O*1*40"), "VA101 is '4O', not a number"),
        (OURS + OURS, "ST is there 2 times"),
        (b"\x00" * 64, "is no segment"),
        (b"x" * (1 << 21), "2097152 bytes are no audit report"),
    ],
)
def test_what_is_wrong_is_named(data, words):
    assert any(words in str(finding) for finding in read(data).findings)


def test_a_crc_with_its_bytes_swapped_is_from_before_version_6():
    crc = OURS[OURS.index(b"G85*") + 4 :][:4]
    report = read(OURS.replace(crc, crc[2:] + crc[:2]))
    assert report.sound
    assert [str(f) for f in report.findings] == [
        f"line 5: warning: G85 {(crc[2:] + crc[:2]).decode()} has its bytes swapped"
    ]


def test_sums_that_do_not_agree_are_named():
    made = write("VND0000001", [("VA1", "40", "1", "40", "1"), ("CA2", "30", "1", "40", "1")])
    (finding,) = read(made).findings
    assert str(finding) == "warning: VA101 = CA201 + DA201 + DB201 + TA201 + TA205: 40 is not 30"


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_read(data):
    read(data)
    read(OURS[:40] + data)
