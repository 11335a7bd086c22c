"""What of a cashless device's conversation must not leave the machine in a recording.

Masked are media ids (BEGIN SESSION), texts for the display (they may greet the holder), what
was typed (DATA ENTRY RESPONSE), file transfers, and every byte that has no known meaning.
Lengths, amounts and the meaning of every message stay, so a masked recording plays as the
original does; all cards look alike in it. A media id of FFFFFFFF (unknown) stays.
"""

from typing import Final

from vendd.wire.mdb.cashless_poll import BeginSession, Message, Mode, Noise, Text, parts

HIDDEN: Final = 0xEE
_LETTER: Final = ord("x")
_WHOLE: Final = (3, 10, 17)  # lengths of a BEGIN SESSION


def answer(data: bytes, mode: Mode, *, sure: bool = True) -> bytes:
    """A device's answer, CHK removed, as it may be shown. As long as before.

    `sure`: the mode is known, and the answer is whole. Else, as where its length is odd, a BEGIN
    SESSION is hidden to its end: it may be the first part of a longer one.
    """
    found = parts(data, mode)
    shown = b""
    for message, raw in found:
        if isinstance(message, BeginSession) and not (sure and len(raw) in _WHOLE):
            return shown + _hidden(data[len(shown) :], 3)
        shown += _masked(message, raw)
    return shown


def command(data: bytes) -> bytes:
    """A command to a cashless device (10h..17h, 60h..67h), CHK removed. As long as before."""
    kind = data[0] & 7
    if kind == 4 and data[1:2] == b"\x03":
        return _hidden(data, 2)
    if kind == 7 and data[1:2] and 0xFA <= data[1] <= 0xFE:
        return _hidden(data, 2)
    return data


def _masked(message: Message, raw: bytes) -> bytes:
    match message:
        case BeginSession(media_id=media) if media:
            at = 5 if len(raw) >= 17 else 3
            return raw[:at] + bytes((HIDDEN,)) * len(media) + raw[at + len(media) :]
        case Text():
            return raw[:2] + bytes(_LETTER if chr(b).isalnum() else b for b in raw[2:])
        case Noise():
            return _hidden(raw, 1)
        case _:
            return raw


def _hidden(data: bytes, start: int) -> bytes:
    return data[:start] + bytes((HIDDEN,)) * (len(data) - start)
