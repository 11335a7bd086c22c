"""The sections of the payment devices: which hang on which bus, and how they are used.

All of them are optional. What concerns several of them at once is checked in
`vendd.config.tenders`.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, Strict, StringConstraints

from vendd.config.parts import Amount, Milliseconds, PinName, Section, Switch, Text

_ADDRESS: Final = Field(ge=2, le=255)  # 0 is everybody, 1 the host (ccTalk 4.7, part 1, 6)

Baud = Annotated[int, Strict(), Field(ge=1_200, le=4_000_000)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""The first two letters of ccTalk coin and bill ids, as in ``EU200A``."""
Position = Annotated[int, Field(ge=1, le=16)]
"""A coin as a ccTalk acceptor numbers it. Not strict: keys of a table are text."""
Address = Annotated[int, Strict(), _ADDRESS]
CcTalkPoll = Annotated[int, Strict(), Field(ge=20, le=1_000)]
Checksum = Literal["sum", "crc"]
PayoutBy = Literal["auto", "value", "coins"]


class Mdb(Section):
    """The MDB bus behind its adapter. `auto` asks which one it is. `baud` None: the adapter's own.

    `payout` is that of ``[changer]``, from before there was one.
    """

    adapter: Literal["qibixx", "waferstar", "auto"] = "qibixx"
    port: Text
    baud: Baud | None = None
    poll_ms: Annotated[int, Strict(), Field(ge=25, le=200)] = 100  # MDB/ICP 4.2: 25 to 200 ms
    payout: PayoutBy | None = None


class Changer(Section):
    """The coin changer, or a ccTalk acceptor with its hoppers. `bus` None: ``cctalk`` where
    ``[cctalk.coins]`` is, else ``mdb``. `payout` (MDB only): how coins are paid: by value
    (0F 02), coin by coin (0D), or what the changer can do."""

    enabled: Switch = True
    bus: Literal["mdb", "cctalk"] | None = None
    payout: PayoutBy | None = None
    removal_alarm: Switch = True


class BillValidator(Section):
    """`security`, `recycle` and `manual` are lists of bills by their value: read with high
    security (not there: as the validator has it), kept for paying out (not there: all that the
    recycler takes), and dispensed by its own keys. All but `enabled` and `bus` are MDB only."""

    enabled: Switch = True
    bus: Literal["mdb", "cctalk"] | None = None
    security: tuple[Amount, ...] | None = None
    recycle: tuple[Amount, ...] | None = None
    manual: tuple[Amount, ...] = ()
    payout: Literal["bills", "value"] = "bills"
    removal_alarm: Switch = True


class CardReader(Section):
    """Cashless device 1 (address 10h) or 2 (60h) on the MDB bus; with `port` alone on a Qibixx
    adapter of its own, which is its master (only `always_idle` means something then).

    `level`: the highest that is offered to it; `wide`: 32-bit amounts, `always_idle`: asked to
    pay before a card is there, both where it offers them. `revalue`: cash credit may be put on
    the card (with ``sale.revalue``). `age`: the answers that mean *old enough*, in hexadecimal;
    without one it is never asked for an age. `lend_display`: it may write on the display.
    """

    number: Literal[1, 2]
    enabled: Switch = True
    port: Text | None = None
    level: Annotated[int, Strict(), Field(ge=1, le=3)] = 3
    wide: Switch = True
    always_idle: Switch = True
    revalue: Switch = False
    age: tuple[Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2}){1,4}$")], ...] = ()
    lend_display: Switch = False


class CcTalkCoins(Section):
    """The coin acceptor. `unit`: what 1 of its value code is worth; `values`: coins by their
    position, instead of what their ids say."""

    country: Country
    address: Address = 2
    checksum: Checksum = "sum"
    unit: Amount | None = None
    values: dict[Position, Amount] = Field(default_factory=dict)
    poll_ms: CcTalkPoll = 100


class Hopper(Section):
    """One hopper. `coin`: its coin's position at the acceptor; `fed_by`: the acceptor's sorter
    exit that leads into it. `security`: ``serial`` puts its serial number before each payout,
    ``plain`` eight zeros."""

    coin: Position
    value: Amount
    address: Address = 3
    checksum: Checksum = "sum"
    security: Literal["serial", "plain"] = "serial"
    fed_by: Annotated[int, Strict(), Field(ge=0, le=8)] | None = None
    capacity: Annotated[int, Strict(), Field(ge=1, le=5_000)] = 500
    poll_ms: Annotated[int, Strict(), Field(ge=100, le=10_000)] = 1_000


class CcTalkBills(Section):
    """The bill validator."""

    country: Country
    address: Address = 40
    checksum: Checksum = "sum"
    poll_ms: CcTalkPoll = 200


class CcTalk(Section):
    """One ccTalk bus and what hangs on it."""

    port: Text
    baud: Baud = 9_600
    coins: CcTalkCoins | None = None
    hopper: tuple[Hopper, ...] = ()
    bills: CcTalkBills | None = None


class Pulse(Section):
    """An acceptor that sends pulses. `coins`: number of pulses -> value. `enable`: the line to
    its inhibit input, which refuses coins while it is high (`enable_active_low`).

    Pulses last `min_ms` to `max_ms`, gaps at least `min_gap_ms`; a gap of `end_ms` ends a coin.
    `even_counts`: a train that could be several coins as well is one if its pulses are evenly
    spaced.
    """

    pin: PinName
    coins: Annotated[
        dict[Annotated[int, Field(ge=1, le=200)], Amount], Field(min_length=1, max_length=16)
    ]
    active_low: Switch = True
    enable: PinName | None = None
    enable_active_low: Switch = True
    min_ms: Milliseconds = 15
    max_ms: Milliseconds = 130
    min_gap_ms: Milliseconds = 15
    end_ms: Milliseconds = 300
    stuck_ms: Milliseconds = 2_000
    even_counts: Switch = False
