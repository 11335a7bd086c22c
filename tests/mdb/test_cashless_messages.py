"""Each message of a cashless device, alone and behind one another: bytes, and what they mean."""

import pytest

from vendd.wire.mdb.cashless_data import ReaderConfig
from vendd.wire.mdb.cashless_poll import (
    AgeAnswer,
    Approved,
    BeginSession,
    Malfunction,
    Message,
    Mode,
    Noise,
    OutOfSequence,
    RevalueLimit,
    Text,
    Word,
    messages,
)
from vendd.wire.mdb.changer_data import Identity

L1, L2, L3, WIDE = Mode(1), Mode(2), Mode(3), Mode(3, wide=True)
WHO = b"ABC000000000007READER-ONE  ".hex() + "0102"
SAID = ("ABC", "000000000007", "READER-ONE", "0102")
CARD = bytes.fromhex("01020304")

# mode, what it says, and the meaning of it
EACH: list[tuple[Mode, str, list[Message]]] = [
    (L1, "00", [Word.JUST_RESET]),
    (L1, "01 01 1978 01 02 05 01", [ReaderConfig(1, 0x1978, 1, 2, 5, 0x01)]),
    (L3, "01 03 1978 01 02 1E 0B", [ReaderConfig(3, 0x1978, 1, 2, 30, 0x0B)]),
    (L1, "01 01 1978 01 02", [ReaderConfig(1, 0x1978, 1, 2, 0, 0)]),  # the end was not sent
    (L1, "02 32 48454C4C4F", [Text("HELLO", 5.0)]),
    (Mode(1, cells=4), "02 0A 41424344 04", [Text("ABCD", 1.0), Word.CANCEL_REQUEST]),
    (L1, "03 03E8", [BeginSession(1000)]),
    (L1, "03 FFFF", [BeginSession(None)]),
    (L1, "03 07D0 FF", [BeginSession(2000)]),  # PAX D200
    (L1, "03 03E8 FFFFFFFF 00 0000", [BeginSession(1000)]),  # level 2, from a level 1 reader
    (L2, "03 03E8 01020304 01 0203", [BeginSession(1000, CARD, 1, 0x0203)]),
    (L3, "03 03E8 01020304 C3 0005", [BeginSession(1000, CARD, 0xC3, 5)]),
    (WIDE, "03 000003E8 01020304 00 0000 656E 1978 03",
     [BeginSession(1000, CARD, 0, 0, "en", 0x1978, 0x03)]),
    (WIDE, "03 FFFFFFFF FFFFFFFF 00 0000 656E 1978 01",
     [BeginSession(None, b"", 0, 0, "en", 0x1978, 0x01)]),
    (L1, "04", [Word.CANCEL_REQUEST]),
    (L1, "05 0096", [Approved(150)]),
    (L1, "05 FFFF", [Approved(None)]),  # a token
    (WIDE, "05 00000096", [Approved(150)]),
    (WIDE, "05 FFFFFFFF", [Approved(None)]),
    (WIDE, "05 0096", [Approved(150)]),  # 16 bits in 32 bit mode
    (L1, "06", [Word.VEND_DENIED]),
    (L1, "07", [Word.END_SESSION]),
    (L1, "08", [Word.CANCELLED]),
    (L1, "09" + WHO, [Identity(*SAID, 0)]),
    (L3, "09" + WHO + "00000022", [Identity(*SAID, 0x22)]),
    (L1, "0A 11", [Malfunction(1, 1)]),
    (L1, "0A C0", [Malfunction(0xC, 0)]),
    (L1, "0B", [OutOfSequence(None)]),
    (L3, "0B 05", [OutOfSequence(5)]),
    (L3, "0B 07", [OutOfSequence(7)]),
    (L3, "0B 00", [OutOfSequence(None), Word.JUST_RESET]),  # no state of the standard
    (L2, "0D", [Word.REVALUE_APPROVED]),
    (L2, "0E", [Word.REVALUE_DENIED]),
    (L2, "0F 01F4", [RevalueLimit(500)]),
    (WIDE, "0F 000001F4", [RevalueLimit(500)]),
    (L2, "10 0011", [Noise(bytes.fromhex("100011"))]),  # user file: obsolete
    (L3, "11", [Word.TIME_REQUEST]),
    (L3, "12 88", [Noise(bytes.fromhex("1288"))]),  # data entry: not offered
    (L3, "13", [Word.DATA_ENTRY_CANCEL]),
    (L3, "1B", [Noise(b"\x1b")]),  # file transport
    (L3, "FF 05 06 00 4452415650", [AgeAnswer(status=False, bits=b"\x00")]),
    (L3, "FF 06 07 9F10 4452415653", [AgeAnswer(status=True, bits=b"\x9f\x10")]),
    (L3, "FF 01 02", [Noise(bytes.fromhex("FF0102"))]),  # the maker's own diagnostics
    # several in one block, in order
    (L1, "06 0A07 04", [Word.VEND_DENIED, Malfunction(0, 7), Word.CANCEL_REQUEST]),
    (L1, "05 0096 07", [Approved(150), Word.END_SESSION]),
    (L1, "03 03E8 07", [BeginSession(1000), Word.END_SESSION]),
    (L3, "04 07 11", [Word.CANCEL_REQUEST, Word.END_SESSION, Word.TIME_REQUEST]),
    (WIDE, "05 00000096 0A 41", [Approved(150), Malfunction(4, 1)]),
    # cut short: nothing is made up
    (L1, "05", [Noise(b"\x05")]),
    (L1, "03 03", [Noise(bytes.fromhex("0303"))]),
    (L1, "0A", [Noise(b"\x0a")]),
    (L1, "01 01", [Noise(bytes.fromhex("0101"))]),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "said", "meant"), EACH)
def test_each_message(mode: Mode, said: str, meant: list[Message]) -> None:
    assert messages(bytes.fromhex(said), mode) == meant
