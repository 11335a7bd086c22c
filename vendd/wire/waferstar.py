r"""The Waferstar MDB-RS232 adapter: raw MDB commands out, lines of hex text in.

9600 8N1. A command goes out as its bytes without CHK. What comes back is one line of
hex pairs: ``00`` for an ACK, ``FF`` for a NAK, else data with its CHK. The adapter polls the
devices by itself and tells activity unasked, in a line that begins with the device's
address and has no CHK: ``30 91`` for a bill in escrow (maker's manual, V3 box).

So a POLL is answered here, out of what was told; nothing is sent for it. But a device
that has nothing to tell and one that is dead look the same, so now and then its SETUP is
asked instead: a question that every device answers and that changes nothing. Card readers
are always asked themselves: they leave POLLs unanswered while they refund, which nobody
tells, and their SETUP is a setting.

The protocol has no sequence numbers and nothing that tells "no answer". Whoever owns
the line feeds `QUIET` once it was quiet for long enough (`vendd.drivers.waferstar`).
"""

from collections import deque
from typing import Final

from vendd.wire.mdb.exchange import ACKED, GARBLED, LOST, NAKED, SILENT, Answer, Reply
from vendd.wire.mdb.frame import ACK, MAX_BLOCK, MAX_DATA, NAK, BadLength, Block, FrameError
from vendd.wire.qibixx import Version

BAUD: Final = 9600
MAX_LINE: Final = 128  # 36 bytes are 108 characters
QUIET: Final = b"\x00"  # no byte of theirs: the line was quiet, no answer will come
PROVE_EVERY: Final = 20  # POLLs answered here, until the device itself is asked
DEAD_EVERY: Final = 10  # the same once it did not answer
MAX_TOLD: Final = 64  # bytes of activity kept per device

ADDRESSES: Final = (0x08, 0x10, 0x30, 0x60)
_RESETS: Final = {0x08: b"\x0b", 0x10: b"\x00", 0x30: b"\x06", 0x60: b"\x00"}  # RESET: its report
_ADDRESS: Final = 0xF8
_POLLS: Final = frozenset((0x0B, 0x12, 0x33, 0x62))
_READERS: Final = frozenset((0x12, 0x62))
_MAX_ACTIVITY: Final = 16
_MOVED: Final = 0x40  # coins and bills that moved are told from here on

Item = Reply | Version


class _Device:
    """What was told of one device. `alive` None: not known yet."""

    def __init__(self) -> None:
        self.told: deque[bytes] = deque()
        self.alive: bool | None = None
        self.polls = 0

    def heard(self) -> None:
        self.alive, self.polls = True, 0

    def answered(self, asked: bytes) -> None:
        """A JUST RESET from before a RESET (the adapter resets devices, too) is not the one that
        this RESET brings: taken for it, the device would be started twice. Money told beside it
        stays."""
        if len(asked) == 1 and asked[0] in _RESETS:
            stale = _RESETS[asked[0]]
            self.told = deque(
                activity
                for activity in self.told
                if stale not in activity or any(byte >= _MOVED for byte in activity)
            )

    def take(self) -> Reply:
        """One line is one POLL answer: joined, a report that the adapter got twice (because the
        device never heard its ACK) would look like two bills."""
        return Reply(Answer.DATA, self.told.popleft()) if self.told else ACKED


class WaferstarCodec:
    """Takes bytes, gives items; the same face as `QibixxCodec`. Never raises on input.

    `noise`: lines that are none; `overflow`: activity that nobody fetched; `answers`:
    answers to commands so far.
    """

    greeting: Final = QUIET
    fence: Final = QUIET

    def __init__(self) -> None:
        self._buffer = b""
        self._devices = {address: _Device() for address in ADDRESSES}
        self._asked = b""  # the command whose answer is due
        self._proving = False  # it is a SETUP in place of a POLL
        self._ready: list[Item] = []
        self.noise = 0
        self.overflow = 0
        self.answers = 0

    def request(self, data: bytes) -> bytes:
        """The bytes for one bus command; empty when the answer is here already (`feed(b"")`
        gives it). Raises `BadLength` for anything but 1..35 bytes (the caller's fault)."""
        if not 1 <= len(data) <= MAX_DATA:
            raise BadLength(f"a bus command is 1..{MAX_DATA} bytes, not {len(data)}")
        device = self._devices.get(data[0] & _ADDRESS)
        if device is None or data[0] not in _POLLS:
            self._asked, self._proving = data, False
            return data
        return self._poll(device, data[0])

    def _poll(self, device: _Device, poll: int) -> bytes:
        device.polls += 1
        due = DEAD_EVERY if device.alive is False else PROVE_EVERY
        if poll in _READERS and device.alive is not False:
            due = 0
        if device.told or (device.alive is not None and device.polls < due):
            self._ready.append(SILENT if device.alive is False else device.take())
            return b""
        device.polls = 0
        asked = poll if poll in _READERS else poll & _ADDRESS | 1
        self._asked, self._proving = bytes((asked,)), True
        return self._asked

    def restart(self) -> None:
        """A new connection: forget half a line, and questions of an earlier life."""
        self._buffer, self._asked, self._proving = b"", b"", False
        self._ready.clear()

    def feed(self, data: bytes) -> list[Item]:
        """Items of all lines completed by `data`, in order; `QUIET` ends what is due."""
        items, self._ready = self._ready, []
        pieces = data.replace(b"\r", b"\n").split(QUIET)
        for nth, piece in enumerate(pieces):
            if nth:
                items += self._quiet()
            *lines, self._buffer = (self._buffer + piece).split(b"\n")
            for line in lines:
                items += self._line(line.strip())
            if len(self._buffer) > MAX_LINE:  # dropped, so that babble holds no memory
                self.noise += 1
                self._buffer = b""
        return items

    def _quiet(self) -> list[Item]:
        self._buffer = b""
        items: list[Item] = []
        if self._asked:
            device = self._devices.get(self._asked[0] & _ADDRESS)
            if device is not None:
                device.alive, device.polls = False, 0
            # Whether a command was heard can't be told; a question in place of a POLL can wait.
            items.append(SILENT if self._proving else LOST)
            self._asked = b""
        return [*items, Version("waferstar")]

    def _line(self, line: bytes) -> list[Item]:
        if not line:
            return []
        try:
            raw = bytes.fromhex(line.decode("ascii"))
        except ValueError:  # covers UnicodeDecodeError
            raw = b""
        if not 1 <= len(raw) <= MAX_BLOCK:
            self.noise += 1
            return []
        device = self._devices.get(raw[0])
        if device is not None and len(raw) > 1 and not self._is_answer(raw):
            self._keep(device, raw[1:])
            return []
        return self._answer(raw)

    def _is_answer(self, raw: bytes) -> bool:
        """Does a line that begins with an address answer what was asked all the same?"""
        shortest = _shortest(self._asked) if self._asked else 0
        return bool(shortest) and len(raw) >= shortest and sum(raw[:-1]) & 0xFF == raw[-1]

    def _keep(self, device: _Device, activity: bytes) -> None:
        device.heard()
        if sum(map(len, device.told)) + len(activity) > MAX_TOLD or len(activity) > _MAX_ACTIVITY:
            self.overflow += 1
        # A state that lasts is told again and again; once is enough until it is fetched.
        elif len(activity) > 1 or activity[0] >= 0x20 or activity not in device.told:
            device.told.append(activity)

    def _answer(self, raw: bytes) -> list[Item]:
        if not self._asked:
            self.noise += 1
            return []
        asked, self._asked = self._asked, b""
        self.answers += 1
        device = self._devices.get(asked[0] & _ADDRESS)
        if device is not None:
            device.answered(asked)
        reply = _reply(raw)
        if device is not None:
            device.heard()
            if self._proving:
                if asked[0] in _READERS and reply.answer is Answer.DATA:
                    device.told.append(reply.data)
                reply = reply if reply.answer is Answer.GARBLED else device.take()
        return [reply]


def _reply(raw: bytes) -> Reply:
    if len(raw) == 1:
        return {ACK: ACKED, NAK: NAKED}.get(raw[0], GARBLED)
    try:
        return Reply(Answer.DATA, Block.from_bytes(raw).data)
    except FrameError:
        return GARBLED


def _shortest(asked: bytes) -> int:
    """The shortest answer with CHK that may begin with a byte like an address; 0: none may."""
    command = asked[0] & 7
    if asked[0] & _ADDRESS in (0x10, 0x60):
        return 2  # 08 is READER CANCEL's own answer
    if command == 1:
        return 9  # SETUP
    if asked[0] == 0x0A:
        return 4  # TUBE STATUS
    if command == 7 and len(asked) == 2:
        return 20 if asked[1] in (0x00, 0x02) else 2  # IDENT, else what is asked without data
    return 0
