"""Exchanges in words: a table of sentences, and that no bytes are without one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendd.wire.cctalk.frame import Checksum, Frame
from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.mdb.words import BusWords
from vendd.wire.trace import Header, Line, Piece, Way
from vendd.wire.words import Said, folded, narrate

CHANGER = ("09", "03 1978 05 02 001F 01 02 04 0A 14 28")  # level 3, EUR, tubes for 5
BILLS = ("31", "02 1978 0064 02 00C8 0000 FF 05 0A 14 32")
READER = ("11 00 03 00 00 01", "01 03 1978 05 02 1E 0B")

# told before · master · device (hex, or what came instead) · the sentence
TABLE = [
    ((), "08", "ACK", "CHANGER RESET -> ACK"),
    ((), "0B", "ACK", "CHANGER POLL -> nothing new"),
    ((), "0B", "0B", "CHANGER POLL -> just reset"),
    ((), "0B", "NONE", "CHANGER POLL -> no answer"),
    ((), "0B", "LOST", "CHANGER POLL -> lost behind the adapter"),
    ((), "0B", "CHK", "CHANGER POLL -> garbled (bad checksum)"),
    ((), "0B", "53 0C", "CHANGER POLL -> coin type 3 to tube, 12 in tube"),
    ((CHANGER,), "0B", "53 0C", "CHANGER POLL -> coin type 3 (0.50) to tube, 12 in tube"),
    ((CHANGER,), "0B", "45 00", "CHANGER POLL -> coin type 5 (2.00) to cash box, 0 in tube"),
    (
        (CHANGER,), "0B", "72 00 01",
        "CHANGER POLL -> coin type 2 (0.20) rejected, 0 in tube; return lever",
    ),
    ((CHANGER,), "0B", "92 51", "CHANGER POLL -> 1 of coin type 2 (0.20) by hand, 81 in tube"),
    ((), "0B", "22", "CHANGER POLL -> 2 slugs"),
    ((), "0B", "02", "CHANGER POLL -> payout busy"),
    (
        (), *CHANGER, "CHANGER SETUP -> level 3, currency 1978, scale 5, 2 decimals, coins 0.05"
        " 0.10 0.20 0.50 1.00 2.00, tubes for 0-4",
    ),
    (
        (), "0A", "0010 05 00 00 07",
        "CHANGER TUBE STATUS -> tubes hold 5 of type 0, 7 of type 3, full 4",
    ),
    ((), "0C 003F FFFF", "ACK", "CHANGER COIN TYPE accept 0-5, by hand all -> ACK"),
    ((), "0C 0000 FFFF", "NAK", "CHANGER COIN TYPE accept none, by hand all -> NAK"),
    ((CHANGER,), "0D 23", "ACK", "CHANGER DISPENSE 2 of coin type 3 (0.50) -> ACK"),
    ((CHANGER,), "0F 02 0E", "ACK", "CHANGER PAYOUT 14 units (0.70) -> ACK"),
    ((), "0F 03", "00 00 01 01", "CHANGER PAYOUT STATUS -> paid 1 of type 2, 1 of type 3"),
    (
        (CHANGER,), "0F 04", "04",
        "CHANGER PAYOUT VALUE POLL -> 4 units (0.20) paid since the last question",
    ),
    ((), "0F 05", "03 00", "CHANGER DIAGNOSTICS -> all is well"),
    ((), "0F 05", "01 00", "CHANGER DIAGNOSTICS -> 01 00"),
    ((), "0F 05", "12 31", "CHANGER DIAGNOSTICS -> changer_accept_gate_31 (EAU_1231)"),
    ((), "0F 01 00000003", "ACK",
     "CHANGER FEATURE ENABLE alternative payout, extended diagnostics -> ACK"),
    ((), "30", "ACK", "BILLS RESET -> ACK"),
    (
        (), *BILLS, "BILLS SETUP -> level 2, currency 1978, scale 100, 2 decimals, bills 5.00 10.00"
        " 20.00 50.00, stacker for 200, escrow",
    ),
    ((BILLS,), "33", "91", "BILLS POLL -> bill type 1 (10.00) in escrow"),
    ((BILLS,), "33", "80", "BILLS POLL -> bill type 0 (5.00) stacked"),
    ((), "33", "B1 09", "BILLS POLL -> bill type 1 to recycler; disabled"),
    ((), "33", "43", "BILLS POLL -> 3 bills offered while disabled"),
    ((), "35 01", "ACK", "BILLS ESCROW stack -> ACK"),
    ((), "35 00", "ACK", "BILLS ESCROW return -> ACK"),
    ((), "34 0007 0003", "ACK", "BILLS BILL TYPE accept 0-2, escrow 0-1 -> ACK"),
    ((), "36", "8011", "BILLS STACKER -> 17 bills in the stacker, full"),
    ((), "37 05", "0000 0000 0003", "BILLS RECYCLER STATUS -> recycler holds 3 of type 1"),
    ((BILLS,), "37 06 01 0002", "ACK", "BILLS DISPENSE 2 of bill type 1 (10.00) -> ACK"),
    (
        (BILLS,), "37 09", "000A",
        "BILLS PAYOUT VALUE POLL -> 10 units (10.00) paid since the last question",
    ),
    ((), "10", "ACK", "READER 1 RESET -> ACK"),
    ((), "60", "NONE", "READER 2 RESET -> no answer"),
    (
        (), *READER, "READER 1 SETUP level 3, no display -> level 3, currency 1978, scale 5,"
        " 2 decimals, answers within 30 s, options refunds, multi-vend, wants cash sales",
    ),
    ((READER,), "12", "03 0064", "READER 1 POLL -> BEGIN SESSION, funds 5.00"),
    (
        (READER,), "12", "03 FFFF 01020304 00 0000",
        "READER 1 POLL -> BEGIN SESSION, funds unknown, media 01 02 03 04",
    ),
    ((READER,), "13 00 001E 0011", "ACK", "READER 1 VEND REQUEST 1.50 for item 17 -> ACK"),
    ((READER,), "12", "05 001E", "READER 1 POLL -> VEND APPROVED 1.50"),
    ((), "12", "06 07", "READER 1 POLL -> VEND DENIED; END SESSION"),
    ((), "13 02 FFFF", "ACK", "READER 1 VEND SUCCESS no item -> ACK"),
    ((), "13 03", "ACK", "READER 1 VEND FAILURE -> ACK"),
    ((), "63 04", "07", "READER 2 SESSION COMPLETE -> END SESSION"),
    ((), "14 01", "ACK", "READER 1 READER ENABLE -> ACK"),
    ((), "12", "0A D1", "READER 1 POLL -> MALFUNCTION 13 (refund error), detail 1"),
    ((), "12", "0B 05", "READER 1 POLL -> COMMAND OUT OF SEQUENCE in state 5"),
    ((), "14 03 3132333400000000", "ACK", "READER 1 DATA ENTRY RESPONSE -> ACK"),
    ((), "17 FF 05 06 12 44 52 41 56 50", "ACK", "READER 1 AGE VERIFICATION from 18 years -> ACK"),
    ((READER,), "11 01 0064 0014", "ACK", "READER 1 MAX/MIN PRICES 5.00 / 1.00 -> ACK"),
    ((), "22 01", "ACK", "DISPLAY 22 01 -> ACK"),
]  # fmt: skip
_INSTEAD = {"ACK": ACKED, "NAK": NAKED, "NONE": SILENT, "CHK": GARBLED, "LOST": LOST}


def reply(text: str) -> Reply:
    return _INSTEAD.get(text) or Reply(Answer.DATA, bytes.fromhex(text))


@pytest.mark.parametrize(("before", "master", "device", "sentence"), TABLE)
def test_an_exchange_in_words(before, master, device, sentence):
    words = BusWords()
    for command, answer in before:
        words.learn(bytes.fromhex(command), reply(answer))
    assert words.sentence(bytes.fromhex(master), reply(device)) == sentence


ADDRESSES = st.sampled_from([0x08, 0x10, 0x30, 0x60, 0x18, 0xF8])
COMMANDS = st.builds(
    lambda address, command, rest: bytes((address | command,)) + rest,
    ADDRESSES, st.integers(0, 7), st.binary(max_size=34),
)  # fmt: skip
REPLIES = st.one_of(
    st.sampled_from((ACKED, NAKED, SILENT, GARBLED, LOST)),
    st.builds(lambda data: Reply(Answer.DATA, data), st.binary(max_size=36)),
)


@given(st.lists(st.tuples(COMMANDS, REPLIES), max_size=20))
def test_every_exchange_has_a_sentence(exchanges):
    words = BusWords()
    for command, answer in exchanges:
        words.learn(command, answer)
        told = words.sentence(command, answer)
        assert " -> " in told
        assert told.isprintable()


def narrated(adapter: str, *pieces: tuple[Way, bytes]) -> list[str]:
    header = Header(lines=(Line("/dev/x", 9600, adapter),))
    made = [Piece(at / 100, 0, way, data) for at, (way, data) in enumerate(pieces)]
    return [one.text for one in narrate(header, made)]


TX, RX = Way.SENT, Way.RECEIVED


def test_a_qibixx_line():
    assert narrated(
        "",
        (Way.OPENED, b""),
        (TX, b"\nM,1\nV\n"),
        (RX, b"m,ACK\nv,4.0\n"),
        (TX, b"R,0C,003FFFFF\n"),
        (RX, b"p,A"),
        (RX, b"CK\n"),
        (TX, b"R,0B\n"),
        (TX, b"V\n"),
        (RX, b"p,530C\nv,4.0\n"),  # the answer came late, the fence shows that it is the answer
        (RX, b"p,NACK\n\x1b[2J\n"),
        (TX, b"R,12\n"),
        (Way.LOST, b"unplugged"),
    ) == [
        "/dev/x opened",
        "CHANGER COIN TYPE accept 0-5, by hand all -> ACK",
        "CHANGER POLL -> coin type 3 to tube, 12 in tube",
        "an answer that nobody waits for: p,NACK",
        r"from adapter: \x1b[2J",
        "READER 1 POLL -> lost behind the adapter (the adapter said nothing)",
        "/dev/x lost: unplugged",
    ]


def test_the_native_mode_of_a_qibixx_is_shown_as_it_is():
    assert narrated("qibixx", (TX, b"D,REQ,1.50,5\n"), (RX, b"d,STATUS,RESULT,1,1.50\n")) == [
        "to adapter: D,REQ,1.50,5",
        "from adapter: d,STATUS,RESULT,1,1.50",
    ]


def test_a_waferstar_line():
    assert narrated(
        "",
        (TX, b"\x09"),
        (RX, b"03 11 56 05 01 00 03 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 76\r\n"),
        (RX, b"08 51 "),
        (RX, b"02\r\n"),
        (TX, b"\x0c\x00\x03\xff\xff"),
        (RX, b"00\r\n"),
        (RX, b"30 91\r\n"),
    ) == [
        "CHANGER SETUP -> level 3, currency 1156, scale 5, 1 decimals, coins 0.5 1.0,"
        " tubes for 0-1",
        "CHANGER POLL -> coin type 1 (1.0) to tube, 2 in tube (told unasked)",
        "CHANGER COIN TYPE accept 0-1, by hand all -> ACK",
        "BILLS POLL -> bill type 1 in escrow (told unasked)",
    ]


def cctalk(dest: int, header: int, data: str, answer: str, crc: bool = False) -> list:
    kind = Checksum.CRC if crc else Checksum.SUM
    sent = Frame(dest, header, bytes.fromhex(data)).to_bytes(kind)
    back = Frame(1, 0, bytes.fromhex(answer), None if crc else dest).to_bytes(kind)
    return [(TX, sent), (RX, sent[:3]), (RX, sent[3:] + back)]


def test_cctalk_frames():
    exchanges = [
        cctalk(2, 254, "", ""),
        cctalk(2, 184, "03", "45 55 30 35 30 41"),
        cctalk(2, 231, "0F 00", ""),
        cctalk(2, 229, "", "05 03 01 00 02 00 00 00 00 00 00"),
        cctalk(2, 229, "", "00 00 00 00 00 00 00 00 00 00 00"),
        cctalk(40, 159, "", "02 01 00 01 01 00 00 00 00 00 00"),
        cctalk(40, 154, "01", ""),
        cctalk(3, 167, "11 22 33 04", "07"),
        cctalk(3, 166, "", "07 03 01 00", crc=True),
        [(TX, Frame(2, 228, b"\x00").to_bytes()), (Way.CLOSED, b"")],
    ]
    assert narrated("", *(piece for one in exchanges for piece in one)) == [
        "COIN 2 SIMPLE POLL -> ACK",
        'COIN 2 COIN ID 3 -> "EU050A"',
        "COIN 2 SET INHIBITS accept 1, 2, 3, 4 -> ACK",
        "COIN 2 READ BUFFERED CREDIT -> event 5: coin 3 to path 1 (earlier: coin is inhibited)",
        "COIN 2 READ BUFFERED CREDIT -> event 0: just powered up or reset",
        "BILL 40 READ BILL EVENTS -> event 2: bill 1 stacked (earlier: bill 1 in escrow)",
        "BILL 40 ROUTE BILL stack -> ACK",
        "HOPPER 3 DISPENSE 4 coins -> 07",
        "HOPPER 3 HOPPER STATUS -> event 7: 3 to pay, 1 paid, 0 unpaid",
        "COIN 2 MASTER INHIBIT on -> not even an echo: no wire, or no power on the bus",
        "/dev/x closed",
    ]


@given(st.integers(0, 2**32))
def test_any_pieces_are_narrated(seed):
    rng = random.Random(seed)
    header = Header(
        lines=tuple(Line("/dev/x", 9600, a) for a in ("qibixx", "waferstar", "cctalk", ""))
    )
    some = [b"R,12\n", b"p,03", b"ACK\n", b"\x0a", b"10 03 ", b"\n", Frame(2, 229).to_bytes()]
    pieces = [
        Piece(float(at), rng.randrange(4), rng.choice(list(Way)),
              rng.choice(some) if rng.random() < 0.7 else rng.randbytes(rng.randrange(40)))
        for at in range(60)
    ]  # fmt: skip
    for one in narrate(header, pieces):
        assert one.text.isprintable() or "lost:" in one.text


def test_idle_polls_are_told_once():
    told = [Said(1.0, 0, "a", True), Said(2.0, 0, "b", True), Said(3.0, 0, "a", True)]
    told += [Said(4.0, 0, "c"), Said(5.0, 0, "a", True)]
    assert list(folded(told)) == [
        Said(1.0, 0, "a", True, 2),
        Said(2.0, 0, "b", True, 1),
        Said(4.0, 0, "c"),
        Said(5.0, 0, "a", True, 1),
    ]


def test_what_a_gap_cut_off_is_told_before_it():
    assert narrated(
        "qibixx",
        (TX, b"R,12\n"),
        (Way.GAP, b""),
        (RX, b"p,ACK\n"),
        (TX, b"R,0B\n"),
        (RX, b"p,0A\n"),
    ) == [
        "READER 1 POLL -> lost behind the adapter (the adapter said nothing)",
        "--- a part of the recording was overwritten ---",
        "an answer that nobody waits for: p,ACK",
        "CHANGER POLL -> busy",
    ]
