"""ccTalk exchanges as sentences (generic specification 4.7, parts 2 and 3).

``COIN 2 READ BUFFERED CREDIT -> event 5: coin 3 to path 1``. For people; nothing reads them.
"""

from collections.abc import Callable
from typing import Final

from vendd.wire.cctalk import codes, hopper_data
from vendd.wire.cctalk.bill_codes import STACKED
from vendd.wire.cctalk.contact import Malformed
from vendd.wire.cctalk.event_log import LENGTH
from vendd.wire.cctalk.exchange import Answer, Reply
from vendd.wire.cctalk.frame import Frame

_NAMES: Final = {
    254: "SIMPLE POLL", 253: "ADDRESS POLL", 249: "POLLING PRIORITY", 248: "STATUS",
    246: "MANUFACTURER", 245: "CATEGORY", 244: "PRODUCT", 243: "DATABASE VERSION",
    242: "SERIAL NUMBER", 241: "SOFTWARE", 240: "TEST SOLENOIDS", 239: "OPERATE MOTORS",
    237: "READ INPUTS", 236: "READ OPTOS", 232: "SELF-CHECK", 231: "SET INHIBITS",
    230: "READ INHIBITS", 229: "READ BUFFERED CREDIT", 228: "MASTER INHIBIT",
    227: "READ MASTER INHIBIT", 226: "INSERTIONS", 225: "ACCEPTS", 222: "SORTER OVERRIDE",
    219: "NEW PIN", 218: "ENTER PIN", 217: "PAYOUT LEVEL", 213: "OPTION FLAGS",
    210: "SET SORTER PATHS", 209: "READ SORTER PATHS", 197: "ROM CHECKSUM", 194: "REJECTS",
    193: "FRAUDS", 192: "BUILD", 189: "SET DEFAULT PATH", 188: "READ DEFAULT PATH",
    184: "COIN ID", 172: "EMERGENCY STOP", 171: "HOPPER COIN", 169: "ADDRESS MODE",
    168: "DISPENSE COUNT", 167: "DISPENSE", 166: "HOPPER STATUS", 165: "SET VARIABLES",
    164: "ENABLE HOPPER", 163: "TEST HOPPER", 161: "PUMP RNG", 160: "CIPHER KEY",
    159: "READ BILL EVENTS", 157: "BILL ID", 156: "BILL SCALING", 154: "ROUTE BILL",
    153: "SET BILL MODE", 152: "READ BILL MODE", 145: "CURRENCY REVISION",
    129: "READ BARCODE", 4: "COMMS REVISION", 3: "CLEAR COMMS STATUS", 2: "COMMS STATUS",
    1: "RESET",
}  # fmt: skip
_ANSWERS: Final = {
    Answer.NAK: "NAK",
    Answer.BUSY: "busy",
    Answer.SILENCE: "no answer",
    Answer.GARBLED: "garbled",
    Answer.NO_ECHO: "not even an echo: no wire, or no power on the bus",
}
_COIN_ERRORS: Final = {
    0: "nothing", 1: "coin rejected", 2: "coin is inhibited", 3: "several coins match",
    4: "wake-up timeout", 5: "validation timeout", 6: "coin never reached the credit sensor",
    7: "sorter timeout", 8: "coins too close", 14: "credit sensor blocked",
    15: "sorter blocked", 16: "credit sequence error", 17: "coin going backwards",
    18: "coin too fast", 19: "coin too slow", 20: "coin on a string", 25: "slug",
    34: "security status changed", 35: "motor fault", 36: "coin swallowed",
    39: "coin sorted wrongly", 254: "return lever", 255: "unspecified alarm",
}  # fmt: skip
_BILL_EVENTS: Final = (
    "master inhibit active", "bill returned from escrow", "invalid bill (validation)",
    "invalid bill (transport)", "bill is inhibited", "bill is inhibited by switches",
    "jam in transport (unsafe)", "jam in stacker", "bill pulled back", "tamper", "stacker OK",
    "stacker removed", "stacker inserted", "stacker faulty", "stacker full", "stacker jammed",
    "jam in transport (safe)", "optical fraud", "string fraud", "anti-string mechanism faulty",
    "barcode read", "unknown bill stacked",
)  # fmt: skip
_ROUTES: Final = {0: "return", 1: "stack", 255: "hold longer"}


def command(frame: Frame) -> str:
    """The host's half."""
    name = _NAMES.get(frame.header) or f"HEADER {frame.header}"
    return f"{device_name(frame.dest)} {name}{_argument(frame.header, frame.data)}"


def answer(header: int, reply: Reply) -> str:
    """The device's half; `header` is that of the request."""
    if reply.answer is not Answer.REPLY:
        return _ANSWERS[reply.answer]
    reader = _READERS.get(header)
    if reader is None or not reply.data:
        return reply.data.hex(" ").upper() or "ACK"
    try:
        return reader(reply.data)
    except Malformed as error:
        return f"{reply.data.hex(' ').upper()} ({error})"


def device_name(address: int) -> str:
    """``COIN 2``: by the addresses that the specification recommends."""
    if address == 2 or 11 <= address <= 17:
        return f"COIN {address}"
    if 3 <= address <= 10:
        return f"HOPPER {address}"
    return f"BILL {address}" if 40 <= address <= 47 else f"DEVICE {address}"


def _argument(header: int, data: bytes) -> str:
    if not data:
        return ""
    if header == codes.SET_INHIBITS:
        return f" accept {_positions(data)}"
    if header == codes.MASTER_INHIBIT:
        return " off" if data[0] & 1 else " on"
    if header == codes.ROUTE_BILL:
        return f" {_ROUTES.get(data[0]) or data[0]}"
    if header == codes.DISPENSE:
        return f" {data[-1]} coins"  # what precedes is the hopper's own secret
    if header in (codes.COIN_ID, codes.BILL_ID):
        return f" {data[0]}"
    return f" {data.hex(' ').upper()}"


def _positions(data: bytes) -> str:
    bits = codes.number(data)
    return ", ".join(str(n + 1) for n in range(8 * len(data)) if bits >> n & 1) or "none"


def _coin(first: int, second: int) -> str:
    if first:
        return f"coin {first} to path {second}"
    if 128 <= second <= 159:
        return f"coin {second - 127} is inhibited"
    return _COIN_ERRORS.get(second) or f"error {second}"


def _bill(first: int, second: int) -> str:
    if first:
        return f"bill {first} {'stacked' if second == STACKED else 'in escrow'}"
    return _BILL_EVENTS[second] if second < len(_BILL_EVENTS) else f"status {second}"


def _events(data: bytes, name: Callable[[int, int], str]) -> str:
    if len(data) != LENGTH:
        raise Malformed(f"{len(data)} bytes instead of {LENGTH}")
    if not any(data):
        return "event 0: just powered up or reset"
    # Which of the five are new is known only from the reading before; the newest comes first.
    told = [name(data[at], data[at + 1]) for at in range(1, LENGTH, 2) if any(data[at : at + 2])]
    earlier = f" (earlier: {', '.join(told[1:])})" if told[1:] else ""
    return f"event {data[0]}: {told[0] if told else 'nothing'}{earlier}"


def _hopper(data: bytes) -> str:
    it = hopper_data.status(data)
    return f"event {it.counter}: {it.remaining} to pay, {it.paid} paid, {it.unpaid} unpaid"


_TEXT: Final = dict.fromkeys(
    (
        codes.MANUFACTURER,
        codes.CATEGORY,
        codes.PRODUCT,
        codes.SOFTWARE,
        codes.BUILD,
        codes.COIN_ID,
        codes.BILL_ID,
    ),
    lambda data: f'"{codes.text(data)}"',
)
_READERS: Final[dict[int, Callable[[bytes], str]]] = {
    **_TEXT,
    codes.SERIAL: lambda data: str(codes.number(data)),
    codes.COIN_EVENTS: lambda data: _events(data, _coin),
    codes.BILL_EVENTS: lambda data: _events(data, _bill),
    codes.INHIBITS: lambda data: f"accepts {_positions(data)}",
    codes.SELF_CHECK: lambda data: codes.self_check_fault(data) or "all is well",
    codes.TEST_HOPPER: lambda data: ", ".join(sorted(hopper_data.flags(data))) or "all is well",
    codes.HOPPER_STATUS: _hopper,
    codes.DISPENSE_COUNT: lambda data: f"{hopper_data.dispense_count(data)} paid in its life",
}
