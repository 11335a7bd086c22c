"""Everything that makes sense of bytes, one at a time: what may be raised, what must come back.

Bytes are arbitrary, or a good message with up to three edits.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.counts import Counts
from tests.fuzz.edits import mutated
from vendd.wire.cctalk import codes, coin_codes, hopper_data
from vendd.wire.cctalk.bill_codes import bill_status
from vendd.wire.cctalk.contact import Malformed as CcTalkMalformed
from vendd.wire.cctalk.frame import Checksum, Frame
from vendd.wire.cctalk.frame import FrameError as CcTalkFrameError
from vendd.wire.mdb import bill_validator_data as bd
from vendd.wire.mdb import cashless_data as cd
from vendd.wire.mdb import changer_data as ch
from vendd.wire.mdb.cashless_poll import Mode, Noise, messages
from vendd.wire.mdb.frame import Block, FrameError

EUR = 2
WHO = b"MEI000000000042CF7900MDB   \x01\x27\x00\x00\x00\x07"


def hexes(*texts: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


# --- blocks and frames --------------------------------------------------------------------

BLOCKS = st.one_of(
    st.binary(max_size=40),
    mutated(*hexes("0008 08", "0200010502000701020514FF2C", "060A07041B", "1300000000000114")),
)


def mdb_block(raw: bytes, counts: Counts) -> None:
    """A block is taken only with its right checksum, and says the same when it is sent again."""
    try:
        block = Block.from_bytes(raw)
    except FrameError:
        return
    counts.reports += 1
    assert sum(raw[:-1]) & 0xFF == raw[-1]
    assert block.to_bytes() == raw


GOOD_FRAMES = [
    Frame(1, 0, data, 2) for data in (b"", bytes(11), b"GB200A", bytes.fromhex("0501020304"))
]
FRAMES = st.tuples(
    st.sampled_from(list(Checksum)),
    st.one_of(
        st.binary(max_size=40),
        mutated(*(frame.to_bytes(how) for frame in GOOD_FRAMES for how in Checksum)),
    ),
)


def cctalk_frame(case: tuple[Checksum, bytes], counts: Counts) -> None:
    checksum, raw = case
    try:
        frame = Frame.from_bytes(raw, checksum)
    except CcTalkFrameError:
        return
    counts.reports += 1
    assert frame.to_bytes(checksum) == raw
    assert len(raw) == 5 + raw[1]
    if checksum is Checksum.SUM:
        assert sum(raw) & 0xFF == 0
    else:
        assert _crc(bytes((raw[0], raw[1], raw[3])) + raw[4:-1]) == raw[2] | raw[-1] << 8


def _crc(data: bytes) -> int:
    """Bit by bit, as the specification has it; the decoder goes by a table."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


# --- what MDB devices answer ------------------------------------------------------------------

CHANGER = st.one_of(
    st.binary(max_size=40),
    mutated(
        *hexes(
            "031978 0502 001F 0102040A1428 00000000000000000000",
            "0000 0A0A0A0A0A 0000000000000000000000",
            "5205 41 92 5173 01 0B 4109",
            "03001130",
        ),
        WHO,
    ),
)


def changer_answers(raw: bytes, counts: Counts) -> None:
    """SETUP, IDENT, TUBE STATUS, POLL and DIAGNOSTICS of a changer."""
    setup = _parsed(ch.Setup.from_bytes, raw, counts)
    if setup is not None:
        values = _parsed(lambda _: setup.values(EUR), raw, counts)
        assert values is None or (len(values) == 16 and min(values) >= 0 and any(values))
    _printable(_parsed(ch.Identity.from_bytes, raw, counts))
    levels = _parsed(ch.TubeLevels.from_bytes, raw, counts)
    if levels is not None:
        assert len(levels.counts) == 16
        assert all(levels.defective(t) <= levels.is_full(t) for t in range(16))
    found = ch.activities(raw)
    counts.reports += len(found)
    two = sum(isinstance(one, ch.Deposit | ch.Dispensed) and one.count is not None for one in found)
    assert len(found) + two == len(raw), "every byte is one activity or the count of one"
    assert all(code.startswith("changer_") for code in ch.faults_of(raw))
    ch.says_ok(raw)


BILLS = st.one_of(
    st.binary(max_size=40),
    mutated(
        *hexes("011978 01F4 02 0258 0000 FF 0102040A14" + "00" * 11, "800690A1B2C30940", "0007"),
        WHO,
    ),
)


def bill_answers(raw: bytes, counts: Counts) -> None:
    """SETUP, STACKER, DISPENSER STATUS and POLL of a bill validator."""
    setup = _parsed(bd.Setup.from_bytes, raw, counts)
    if setup is not None:
        values = _parsed(lambda _: setup.values(EUR), raw, counts)
        assert values is None or (len(values) == 16 and min(values) >= 0 and any(values))
    _parsed(bd.Stacker.from_bytes, raw, counts)
    levels = _parsed(bd.RecyclerLevels.from_bytes, raw, counts)
    assert levels is None or all(levels.defective(t) <= levels.is_full(t) for t in range(16))
    found = bd.activities(raw)
    counts.reports += len(found)
    assert len(found) == len(raw)
    bills = [one for one in found if isinstance(one, bd.Bill)]
    assert len(bills) == sum(byte >= 0x80 for byte in raw)


MODES = st.builds(Mode, st.integers(1, 3), st.booleans())
READER = st.tuples(
    MODES,
    st.one_of(
        st.binary(min_size=1, max_size=35),
        mutated(
            *hexes(
                "010319780102050B", "0303E8", "0303E8FFFFFFFF00 0000", "0307D0FF", "050096",
                "060A0704", "0B05", "FF0506004452415650", "FF06079F104452415653", "023248454C4C4F",
                "0500000096", "0F01F4", "000000",
                "03000003E8000000010000 00656E197801",
            ),
            b"\x09" + WHO,
        ),
    ),
)  # fmt: skip


def reader_messages(case: tuple[Mode, bytes], counts: Counts) -> None:
    """POLL answers of a cashless device, and the configuration in them."""
    mode, raw = case
    if not raw:
        return
    found = messages(raw, mode)
    counts.reports += len(found)
    assert found, "any bytes are some messages"
    assert len(found) <= len(raw)
    unread = [isinstance(one, Noise) and one.data[0] != 0x12 for one in found]
    assert not any(unread[:-1]), "something was read behind what can't be read"
    config = _parsed(cd.ReaderConfig.from_bytes, raw, counts)
    units = None if config is None else _parsed(lambda _: cd.Units.of(config, EUR), raw, counts)
    if units is not None:
        _there_and_back(units)


def _there_and_back(units: cd.Units) -> None:
    for told in (0, 1, 150, 0xFFFE):
        minor = units.minor(told)
        assert isinstance(minor, int)
        again = units.units(minor)
        assert again is None or units.minor(again) == minor, "an amount that it can't say exactly"
        assert units.floor(minor) <= units.ceiling(minor)


# --- what ccTalk devices answer ---------------------------------------------------------------

CCTALK = st.one_of(
    st.binary(max_size=20),
    mutated(
        b"EU200A", b"GB1K0A", b"EU.50A", b"EU0005A", b"Token ", bytes(3), bytes(11), b"\x07\0\4\0"
    ),
)


def cctalk_answers(raw: bytes, counts: Counts) -> None:
    """Names and their values, event codes, hopper registers, status and counts."""
    said = codes.text(raw)
    assert said.isprintable()
    assert said.isascii()
    name = raw.decode("latin-1")
    scaling, decimals = int.from_bytes(raw[:2], "little"), raw[2] % 10 if len(raw) > 2 else 0
    for value in (codes.coin_value(name), codes.bill_value(name, scaling, decimals, EUR)):
        assert value is None or value > 0
        counts.reports += value is not None
    codes.self_check_fault(raw)
    for byte in raw:
        assert coin_codes.coin_error(byte).out in ("", "rejected", "slug", "lost")
        assert bill_status(byte).refused in ("", "rejected", "type_disabled")
    for read in (hopper_data.flags, hopper_data.status, hopper_data.dispense_count):
        _parsed(read, raw, counts)


def _parsed(read: Callable[[bytes], Any], raw: bytes, counts: Counts) -> Any:
    """What it makes of the bytes; None when it says that they mean nothing."""
    try:
        found = read(raw)
    except (ch.Malformed, CcTalkMalformed):
        return None
    counts.reports += 1
    return found


def _printable(identity: ch.Identity | None) -> None:
    if identity is not None:
        said = identity.manufacturer + identity.serial + identity.model + identity.software
        assert said.isprintable()
        assert said.isascii()
