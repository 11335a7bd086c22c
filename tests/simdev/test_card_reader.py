"""The card reader's bytes against hand-written tables (MDB/ICP 4.2, section 7), and its cards."""

from collections.abc import Iterator

import pytest
from card_bench import TIMEOUT, VMC, CardBench, card_bench

from hw_sim.devices.card_reader import Card, CardFault, ReaderModel, Stage
from hw_sim.devices.card_reader_parts import Outcome

IDENTITY = "09" + (b"SIM000000000011CARDS-1     ").hex() + "0150"
PLAIN = ReaderModel(level=1, options=0)


@pytest.fixture
def ready() -> Iterator[CardBench]:
    """Level 1, enabled."""
    with card_bench(PLAIN) as bench:
        bench.ready("01")
        yield bench


def approved(bench: CardBench, price: int = 150) -> Card:
    card = Card()
    assert bench.reader.tap(card)
    assert bench.ask("12") == "031388"
    assert bench.ask(f"1300{price:04x}0006") == "ACK"
    assert bench.until(5) == f"05{price:04x}"
    return card


def test_initialisation_of_level_3() -> None:
    with card_bench() as bench:
        bench.talk(
            [
                ("12", "00"),
                ("12", "ack"),
                ("110003000001", "01 03 1978 01 02 0a 01"),
                ("1101ffff0000", "ack"),
                (VMC, IDENTITY + "00000022"),
                ("170400000022", "ack"),
                ("1101ffffffff000000001978", "ack"),
                ("1401", "ack"),
            ]
        )
        assert bench.reader.stage is Stage.ENABLED


def test_initialisation_of_level_1_on_poll() -> None:
    with card_bench(ReaderModel(level=1, answers="on poll")) as bench:
        bench.talk(
            [
                ("12", "00"),
                ("110003000001", "ack"),
                ("12", "01 01 1978 01 02 0a 01"),
                ("1101ffff0000", "ack"),
                (VMC, "ack"),
                ("12", IDENTITY),
                ("170400000022", TIMEOUT),
                ("1401", "ack"),
            ]
        )


def test_just_reset_until_it_is_acknowledged() -> None:
    with card_bench() as bench:
        assert bench.ask("12", ack=False) == "00"
        assert bench.ask("12") == "00"
        assert bench.ask("12") == "ACK"


def test_the_second_reader_has_its_own_address() -> None:
    with card_bench(number=2) as bench:
        assert bench.reader.address == 0x60
        assert bench.ask("62") == "00"


def test_a_purchase(ready: CardBench) -> None:
    card = approved(ready)
    assert (card.balance, ready.reader.truth.held()) == (4850, 150)
    ready.talk([("13020006", "ack"), ("1304", "07"), ("12", "ack")])
    assert (ready.reader.truth.paid(), card.balance) == (150, 4850)
    assert ready.reader.stage is Stage.ENABLED


def test_sessions_by_level() -> None:
    for level, options, begin in [
        ("02", "", "03 1388 01020304 00 0000"),
        ("03", "00000000", "03 1388 01020304 00 0000"),
        ("03", "00000022", "03 00001388 01020304 00 0000 656e 1978 02"),
    ]:
        with card_bench() as bench:
            bench.ready(level, options)
            bench.reader.tap(Card())
            assert bench.ask("12") == begin.replace(" ", "")


def test_always_idle_asks_first_and_taps_then() -> None:
    with card_bench() as bench:
        bench.ready()
        assert bench.ask("1300000000960006") == "ACK"
        assert bench.until(5) == "nothing"
        bench.reader.tap(Card())
        assert bench.until(5) == "0500000096"
        bench.talk([("13020006", "ack"), ("1304", "07")])


def test_declined_and_too_little(ready: CardBench) -> None:
    ready.reader.tap(Card(balance=100))
    ready.talk([("12", "030064"), ("130000960006", "ack")])
    assert ready.until(5) == "06"
    ready.talk([("1304", "07")])
    ready.reader.decline_next()
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("130000960006", "ack")])
    assert ready.until(5) == "06"
    assert ready.reader.truth.charges == []


def test_refund_is_silent_then_acknowledged(ready: CardBench) -> None:
    card = approved(ready)
    ready.talk([("1303", "ack"), ("12", TIMEOUT)])
    ready.wait(1)
    ready.talk([("12", "ack"), ("1304", "07")])
    assert card.balance == 5000
    assert ready.reader.truth.charges[0].outcome is Outcome.REFUNDED


def test_a_reset_after_the_approval_counts_as_a_success(ready: CardBench) -> None:
    card = approved(ready)
    assert ready.ask("10") == "ACK"
    assert (card.balance, ready.reader.truth.paid()) == (4850, 150)


def test_a_reset_before_the_approval_was_heard_takes_nothing(ready: CardBench) -> None:
    card = Card()
    ready.reader.tap(card)
    ready.talk([("12", "031388"), ("130000960006", "ack")])
    ready.wait(4)
    assert ready.ask("12", ack=False) == "050096"
    ready.ask("10")
    assert (card.balance, ready.reader.truth.paid()) == (5000, 0)


def test_cancel_before_and_after_the_approval(ready: CardBench) -> None:
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("130000960006", "ack"), ("1301", "06"), ("1304", "07")])
    approved(ready)
    assert ready.ask("1301") == "0b"


def test_out_of_sequence_tells_the_state_above_level_1() -> None:
    with card_bench() as bench:
        bench.ready()
        bench.talk([("13020006", "0b03"), ("1303", "0b03"), ("1401", "ack")])
        bench.ask("10")
        bench.wait(1)
        bench.talk([("12", "00"), ("1401", "0b01")])


def test_card_taken_away_and_button(ready: CardBench) -> None:
    ready.reader.tap(Card())
    ready.ask("12")
    ready.reader.remove()
    ready.talk([("12", "04"), ("1304", "07")])
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("130000960006", "ack")])
    ready.reader.press_cancel()
    ready.talk([("12", "06")])


def test_an_idle_session_wants_to_end(ready: CardBench) -> None:
    ready.reader.tap(Card())
    ready.ask("12")
    assert ready.until(100) == "04"


def test_disabled_takes_no_card_and_a_session_survives_the_disable(ready: CardBench) -> None:
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("1400", "ack"), ("1304", "07")])
    assert not ready.reader.tap(Card())
    assert ready.reader.stage is Stage.DISABLED


def test_reader_cancel_cash_sale_revalue_and_age() -> None:
    model = ReaderModel(level=2, wants_cash_sales=True, ages=True)
    with card_bench(model) as bench:
        bench.ready("02")
        bench.talk([("1402", "08"), ("1305009601f4", "ack")])
        assert bench.reader.truth.cash_sales == [(150, 500)]
        card = Card()
        bench.reader.tap(card)
        bench.ask("12")
        bench.talk([("1501", "0f2710"), ("150000c8", "0d"), ("15007530", "0e")])
        assert (card.balance, bench.reader.truth.loaded) == (5200, 200)
        bench.talk([("17ff0506124452415650", "ack"), ("12", "ff0506004452415650")])
        bench.talk([("17ff0606004452415653", "ack"), ("12", "ack")])
        assert bench.reader.asks_age
        bench.reader.show_age(30)
        bench.talk([("12", "ff06079f104452415653")])


def test_nothing_but_the_right_block_is_answered(ready: CardBench) -> None:
    assert ready.reader.receive(bytes.fromhex("1213")) is None
    for odd in ("13", "1300", "130000", "15", "16", "1109", "17", "17ff", "1000", "1200", "1404"):
        assert ready.ask(odd) in (TIMEOUT, "0b")


# --- faults by name ---


FAULTS = [  # fault, amount asked, what the machine hears, paid in the end
    (CardFault.NO_ANSWER, "nothing"),
    (CardFault.SILENT_AUTHORISING, "050096"),
    (CardFault.OTHER_AMOUNT, "050078"),
]


@pytest.mark.parametrize(("fault", "heard"), FAULTS)
def test_faults_of_a_request(ready: CardBench, fault: CardFault, heard: str) -> None:
    ready.reader.inject(fault)
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("130000960006", "ack")])
    if fault is CardFault.SILENT_AUTHORISING:
        assert ready.ask("12") == TIMEOUT
    assert ready.until(12) == heard


@pytest.mark.parametrize(
    ("fault", "said", "left"),
    [
        (CardFault.REFUND_ERROR, "0ac0", 4850),
        (CardFault.REFUND_SILENT, "nothing", 4850),
        (CardFault.REFUND_SLOW, "nothing", 5000),
    ],
)
def test_faults_of_a_refund(ready: CardBench, fault: CardFault, said: str, left: int) -> None:
    ready.reader.inject(fault)
    card = approved(ready)
    ready.ask("1303")
    assert ready.until(9) == said
    ready.ask("10")
    assert card.balance == left


@pytest.mark.parametrize("fault", [CardFault.POWER_CUT_APPROVED, CardFault.RESET_APPROVED])
def test_gone_after_the_approval(ready: CardBench, fault: CardFault) -> None:
    ready.reader.inject(fault)
    approved(ready)
    assert ready.ask("12") == TIMEOUT
    assert ready.until(6) == "00"
    assert ready.reader.truth.paid() == 150


def test_faults_of_a_session(ready: CardBench) -> None:
    ready.reader.inject("repeat_begin")
    ready.reader.tap(Card())
    ready.talk([("12", "031388")] * 5 + [("12", "ack"), ("1304", "07")])
    ready.reader.inject("drop_session")
    ready.reader.tap(Card())
    ready.ask("12")
    assert ready.until(3) == "07"
    ready.reader.inject("never_end")
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("1304", "ack")])
    assert ready.until(20) == "nothing"


def test_faults_of_the_wire(ready: CardBench) -> None:
    for fault, said in [("silent", TIMEOUT), ("deaf", TIMEOUT), ("answer_nak", "NAK")]:
        ready.reader.inject(fault)
        assert ready.ask("12") == said
        assert ready.ask("12") == "ACK"
    for fault in ("bad_chk", "noise"):
        ready.reader.inject(fault)
        ready.reader.tap(Card())
        assert ready.ask("12") == "CHK"
        ready.talk([("12", "031388"), ("1304", "07")])
    ready.reader.inject("ack_lost")
    ready.reader.tap(Card())
    ready.talk([("12", "031388"), ("12", "031388"), ("12", "ack")])
    ready.reader.inject("malfunction")
    ready.talk([("12", "0a11"), ("12", "ack")])
    ready.reader.inject("random_reset")
    ready.talk([("12", TIMEOUT)])
    assert ready.until(2) == "00"


def test_unplugged_and_silenced(ready: CardBench) -> None:
    ready.reader.silence(2)
    assert not ready.reader.tap(Card())
    assert ready.ask("12") == TIMEOUT
    ready.wait(2.1)
    assert ready.ask("12") == "ACK"
    ready.reader.power_cycle(1)
    ready.wait(3.5)
    assert ready.ask("12") == TIMEOUT
    ready.wait(1)
    assert ready.ask("12") == "00"


def test_the_same_seed_has_the_same_day() -> None:
    def day() -> list[str]:
        with card_bench(PLAIN) as bench:
            bench.ready("01")
            bench.reader.faults.rate("silent", 0.3)
            return [bench.ask("12") for _ in range(50)]

    assert day() == day()
    assert TIMEOUT in day()
