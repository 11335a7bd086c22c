"""The changer's bytes against hand-written tables (MDB/ICP 4.2, section 5)."""

import pytest
from changer_bench import TIMEOUT, Bench, bench_of

from hw_sim.devices.changer_parts import ChangerModel

SETUP = "03197805 02 001f 010204 0a1428 00000000000000000000".replace(" ", "")


def test_silent_until_booted_then_just_reset_until_acknowledged(bench: Bench) -> None:
    bench.changer.power_cycle(1.0)
    bench.wait(1.5)
    assert bench.ask("0b") == TIMEOUT
    bench.wait(0.2)
    assert bench.ask("0b", ack=False) == "0b"
    assert bench.ask("0b") == "0b"
    assert bench.ask("0b") == "ACK"


def test_setup_is_23_bytes_of_euro(bench: Bench) -> None:
    bench.wait(0.1)
    assert bench.ask("09") == SETUP
    assert len(bytes.fromhex(SETUP)) == 23


def test_identification_is_33_bytes(bench: Bench) -> None:
    answer = bytes.fromhex(bench.ask("0f00"))
    assert len(answer) == 33
    assert answer[:3] == b"SIM"
    assert answer[27:] == bytes.fromhex("0127 00000007")


def test_tube_status_is_silent_until_half_a_second_after_reset(bench: Bench) -> None:
    bench.changer.fill_tube(10, 7)
    bench.wait(1.0)
    assert bench.ask("08") == "ACK"
    bench.wait(0.4)
    assert bench.ask("0a") == TIMEOUT
    bench.wait(0.2)
    assert bench.ask("0a") == "0000" + "0007" + "00" * 14


def test_full_and_defective_tubes_in_tube_status(ready: Bench) -> None:
    ready.changer.fill_tube(20, 70)
    ready.changer.inject("payout_jam")
    ready.ask("0d13")
    ready.wait(2.0)
    ready.ask("0b")
    # type 2 full with 80, type 3 defective: full with 0
    assert ready.ask("0a") == "000c" + "0a0a50000a" + "00" * 11


def test_nothing_but_the_right_block_is_answered(ready: Bench) -> None:
    assert ready.changer.receive(bytes.fromhex("0b0c")) is None  # CHK
    for unknown in ("0e", "0f", "0faa", "0ffa0102030405", "0c00", "0d", "0f01"):
        assert ready.ask(unknown) == TIMEOUT


COINS = [  # value, activity, box, tube
    (5, "500b", 0, 11),
    (100, "540b", 0, 11),
    (200, "4500", 1, None),  # no tube: cash box
]


@pytest.mark.parametrize(("value", "said", "in_box", "in_tube"), COINS)
def test_coin_is_reported_when_it_has_landed(
    ready: Bench, value: int, said: str, in_box: int, in_tube: int | None
) -> None:
    ready.changer.insert_coin(value)
    ready.wait(0.24)
    assert ready.ask("0b") == "ACK"
    ready.wait(0.22)
    assert ready.ask("0b", ack=False) == said
    assert ready.ask("0b") == said
    assert ready.ask("0b") == "ACK"
    truth = ready.changer.truth
    assert truth.box[value] == in_box
    assert truth.counts().get(value) == in_tube
    assert truth.conserved()


def test_coin_for_a_full_tube_goes_to_the_box(ready: Bench) -> None:
    ready.changer.fill_tube(50, 70)
    ready.changer.insert_coin(50)
    assert ready.poll_for(0.6) == ["4350"]
    assert ready.changer.truth.box[50] == 1


def test_disabled_unknown_and_slug_fall_through(ready: Bench) -> None:
    ready.ask("0c0001ffff")  # only 0.05
    for value in (100, 7):
        ready.changer.insert_coin(value)
        ready.wait(0.5)
    ready.changer.insert_slug()
    ready.wait(0.5)
    assert ready.ask("0b") == "22"  # the unknown coin and the slug
    truth = ready.changer.truth
    assert [value for _, value in truth.take_cup()] == [100, 7, 0]
    assert (truth.returned, truth.taken, truth.cup_total()) == (107, 107, 0)
    assert ready.changer.truth.conserved()


def test_coin_past_the_gate_is_credited_though_coins_were_disabled_meanwhile(
    ready: Bench,
) -> None:
    ready.changer.insert_coin(100)
    ready.wait(0.2)
    ready.ask("0c00000000")
    assert ready.poll_for(0.5) == ["540b"]


def test_coins_are_disabled_after_reset(ready: Bench) -> None:
    ready.ask("08")
    ready.wait(0.6)
    ready.changer.insert_coin(100)
    assert ready.poll_for(0.6) == ["0b"]
    assert ready.changer.truth.cup_total() == 100


def test_two_coins_too_close_are_both_returned(ready: Bench) -> None:
    with bench_of(model=ChangerModel(coin_falls_s=(0.3, 0.3))) as bench:
        bench.ready()
        bench.changer.insert_coin(100)
        bench.wait(0.03)
        bench.changer.insert_coin(50)
        assert bench.poll_for(0.8) == ["05"]
        assert bench.changer.truth.cup_total() == 150


def test_at_most_16_bytes_per_poll_and_none_lost(ready: Bench) -> None:
    for _ in range(12):
        ready.changer.insert_coin(10)
        ready.wait(0.5)
    first, rest = ready.ask("0b"), ready.ask("0b")
    assert first == "".join(f"51{n:02x}" for n in range(11, 19))
    assert rest == "".join(f"51{n:02x}" for n in range(19, 23))


def test_dispense_takes_300_to_600_ms_a_coin_and_is_busy_meanwhile(ready: Bench) -> None:
    start = ready.loop.time()
    assert ready.ask("0d34") == "ACK"  # three of type 4
    assert ready.ask("0d34") == TIMEOUT  # busy: not taken twice
    assert ready.ask("0a") == TIMEOUT
    busy = ready.poll_for(3.0)
    assert set(busy) == {"02"}
    assert ready.ask("0a") == "0000" + "0a0a0a0a07" + "00" * 11
    fell = [at - start for at, _ in ready.changer.truth.cup]
    assert len(fell) == 3
    assert all(0.3 <= b - a <= 0.6 for a, b in zip([0.0, *fell], fell, strict=False))
    assert [value for _, value in ready.changer.truth.cup] == [100, 100, 100]


def test_silent_payout_stays_below_the_non_response_time() -> None:
    with bench_of(model=ChangerModel(busy_style="silent")) as bench:
        bench.changer.fill_tube(10, 10)
        bench.ready()
        bench.ask("0da1")
        answers = []
        for _ in range(70):
            bench.wait(0.1)
            answers.append(bench.ask("0b"))
        runs = "".join("s" if a == TIMEOUT else "." for a in answers).split(".")
        assert 10 <= max(len(run) for run in runs) <= 16
        assert bench.changer.truth.cup_total() == 100


def test_alternative_payout_by_value(ready: Bench) -> None:
    assert ready.ask("0f0225") == "ACK"  # 37 * 0.05 = 1.85
    values = []
    assert ready.ask("0f03") == "ACK"  # still busy
    while (answer := ready.ask("0f04")) != "ACK":
        values.append(int(answer, 16))
        assert len(values) < 50, "the value poll does not end"
        ready.wait(0.25)
    assert sum(values) == 0x25
    assert 0 in values
    assert ready.ask("0f03", ack=False) == "0101010101"
    assert ready.ask("0f03") == "0101010101"
    assert ready.ask("0f03") == "00"  # cleared by the ACK
    assert ready.changer.truth.cup_total() == 185


def test_payout_pays_what_it_can(bench: Bench) -> None:
    bench.changer.fill_tube(50, 1)
    bench.ready()
    bench.ask("0f0264")
    bench.wait(1.0)
    assert [bench.ask("0f04"), bench.ask("0f04"), bench.ask("0f03")] == ["0a", "ACK", "00000001"]


def test_payout_needs_its_option_enabled(bench: Bench) -> None:
    bench.changer.fill_tube(50, 1)
    assert bench.ask("0f020a") == TIMEOUT
    assert bench.ask("0f0100000001") == "ACK"
    assert bench.ask("0f020a") == "ACK"


def test_tube_that_is_emptier_than_counted(ready: Bench) -> None:
    ready.changer.truth.take_tube(50, 10)
    ready.ask("0f020a")
    ready.wait(1.0)
    assert [ready.ask("0f04"), ready.ask("0f03")] == ["ACK", "00"]
    assert ready.ask("0a")[4:14] == "0a0a0a000a"
    assert ready.changer.truth.cup == []


def test_hidden_coins_come_out_though_not_counted(bench: Bench) -> None:
    bench.changer.fill_tube(50, 2, counted=False)
    bench.ready()
    bench.ask("0d13")
    bench.wait(1.0)
    assert bench.changer.truth.cup_total() == 50


def test_lever(ready: Bench) -> None:
    ready.changer.press_lever()
    assert [ready.ask("0b"), ready.ask("0b")] == ["01", "ACK"]
    ready.changer.hold_lever()
    assert [ready.ask("0b"), ready.ask("0b")] == ["01", "01"]
    ready.changer.hold_lever(False)
    assert ready.ask("0b") == "ACK"


def test_manual_dispense_and_its_report(ready: Bench) -> None:
    ready.changer.manual_dispense(20, 2)
    assert ready.poll_for(0.8) == ["9209", "9208"]
    assert [ready.ask("0f07"), ready.ask("0f07")] == ["000002", "00"]
    ready.ask("0cffff0000")  # manual dispense off
    ready.changer.manual_dispense(20)
    assert ready.poll_for(0.5) == []
    assert ready.changer.truth.counts()[20] == 8


def test_manual_fill_report_and_diagnosis(ready: Bench) -> None:
    assert ready.ask("0f05") == "0520"
    assert [ready.ask("0f06"), ready.ask("0f06")] == ["0a0a0a0a0a", "00"]
    assert ready.ask("0f05") == "0300"


def test_level_2_has_no_expansion(bench: Bench) -> None:
    with bench_of(model=ChangerModel(level=2)) as old:
        assert old.ask("09")[:2] == "02"
        assert old.ask("0f00") == TIMEOUT
