"""Each fault by name: what the changer says, and where the coins really are."""

import random

import pytest
from changer_bench import NAKED, TIMEOUT, Bench, bench_of

from hw_sim.devices.changer_parts import ChangerModel
from hw_sim.devices.faults import ChangerFault, Faults


def money_is_conserved(bench: Bench) -> bool:
    return bench.changer.truth.conserved()


def test_payout_jam_says_02_04_07_and_leaves_a_defective_tube(ready: Bench) -> None:
    ready.changer.inject("payout_jam", after=2)
    ready.ask("0d54")
    said = ready.poll_for(4.0)
    assert set(said[:-2]) == {"02"}
    assert said[-2:] in (["020407", "02"], ["020407", "020407"], ["02", "020407"])
    assert ready.changer.truth.cup_total() == 200
    assert ready.ask("0a") == "0010" + "0a0a0a0a00" + "00" * 11
    ready.ask("0d14")
    assert "020407" in ready.poll_for(2.0)  # a defective tube stays jammed
    ready.changer.repair()
    assert ready.ask("0a") == "0000" + "0a0a0a0a08" + "00" * 11
    assert money_is_conserved(ready)


def test_payout_jam_shows_in_the_payout_status(ready: Bench) -> None:
    ready.changer.inject("payout_jam", after=1)
    ready.ask("0f0228")  # 2.00 = 2 * 1.00
    ready.wait(2.0)
    assert [ready.ask("0f04"), ready.ask("0f04")] == ["14", "ACK"]
    assert ready.ask("0f03") == "0000000001"


@pytest.mark.parametrize(("fault", "silent"), [("payout_reset", 0.1), ("payout_power_cut", 1.6)])
def test_payout_stopped_by_a_reset_in_the_middle(ready: Bench, fault: str, silent: float) -> None:
    ready.changer.inject(fault, after=1)
    ready.ask("0f0228")
    said = ready.poll_for(4.0)
    assert said[-1] == "0b"
    assert said.count(TIMEOUT) == pytest.approx(silent / 0.1, abs=1)
    assert ready.ask("0f03") == TIMEOUT  # options are off again, and the counts are gone
    assert ready.ask("0a")[12:14] == "09"
    assert ready.changer.truth.cup_total() == 100
    assert money_is_conserved(ready)


def test_payout_that_never_ends(ready: Bench) -> None:
    ready.changer.inject("payout_endless", times=10**9)
    ready.ask("0f0214")
    ready.wait(60)
    assert ready.ask("0f04") == "14"
    assert [ready.ask("0f04"), ready.ask("0f03"), ready.ask("0b")] == ["00", "ACK", "02"]
    ready.ask("08")
    ready.wait(1.0)
    assert [ready.ask("0b"), ready.ask("0b")] == ["0b", "ACK"]


AT_THE_GATE = [  # fault, said, in cup, stuck
    ("coin_rejected", ["730a"], 50, 0),
    ("coin_lost", ["03"], 0, 50),
    ("coin_jam", ["0c"], 0, 50),
    ("double_arrival", ["05"], 50, 0),
]


@pytest.mark.parametrize(("fault", "said", "in_cup", "stuck"), AT_THE_GATE)
def test_coin_that_brings_no_credit(
    ready: Bench, fault: str, said: list[str], in_cup: int, stuck: int
) -> None:
    ready.changer.inject(fault)
    ready.changer.insert_coin(50)
    assert ready.poll_for(0.6) == said
    truth = ready.changer.truth
    assert (truth.cup_total(), truth.stuck[50] * 50) == (in_cup, stuck)
    assert money_is_conserved(ready)
    ready.changer.repair()
    assert truth.cup_total() == 50
    assert money_is_conserved(ready)


def test_coin_in_the_wrong_tube(ready: Bench) -> None:
    ready.changer.inject("wrong_tube")
    ready.changer.insert_coin(50)
    assert ready.poll_for(0.6) == ["09530b"]
    counts = ready.changer.truth.counts()
    assert counts[50] == 10
    assert sum(counts.values()) == 51
    assert ready.changer.memory.counted[3] == 11
    assert money_is_conserved(ready)


def test_coin_that_falls_while_the_power_is_lost(ready: Bench) -> None:
    ready.changer.insert_coin(50)
    ready.wait(0.2)  # past the gate
    ready.changer.power_cycle(0.05)
    assert set(ready.poll_for(2.0)) == {TIMEOUT, "0b"}
    assert ready.changer.truth.counts()[50] == 11
    assert ready.ask("0a")[10:12] == "0a"  # nobody counted it
    ready.changer.unplug()
    ready.changer.insert_coin(50)
    ready.wait(1.0)
    assert ready.changer.truth.cup_total() == 50
    assert money_is_conserved(ready)


def test_exchange_faults(ready: Bench) -> None:
    ready.changer.insert_coin(100)
    ready.wait(0.5)
    ready.changer.inject("silent", times=2)
    assert [ready.ask("0b"), ready.ask("0b")] == [TIMEOUT, TIMEOUT]
    ready.changer.inject("answer_nak")
    assert ready.ask("0b") == NAKED
    ready.changer.inject("bad_chk")
    assert ready.ask("0b") == "CHK"
    ready.changer.inject("noise")
    assert ready.ask("0b") == "CHK"
    ready.changer.inject("ack_lost")
    assert [ready.ask("0b"), ready.ask("0b"), ready.ask("0b")] == ["540b", "540b", "ACK"]


def test_slow_reply_is_carried_out_but_not_heard(ready: Bench) -> None:
    ready.changer.inject("deaf")
    assert ready.ask("0d14") == TIMEOUT
    ready.wait(1.0)
    assert ready.changer.truth.cup_total() == 100


def test_unplugged_cable_and_acceptor(ready: Bench) -> None:
    ready.changer.acceptor.unplugged = True
    assert [ready.ask("0b"), ready.ask("0b")] == ["06", "06"]
    ready.changer.acceptor.unplugged = False
    ready.changer.unplug()
    assert ready.ask("0b") == TIMEOUT
    ready.wait(60)
    assert ready.ask("0b") == TIMEOUT
    ready.changer.plug()
    ready.wait(0.7)
    assert ready.ask("0b") == "0b"


def test_busy_random_reset_and_unknown_status(ready: Bench) -> None:
    ready.changer.inject("busy", times=2)
    assert [ready.ask("0b"), ready.ask("0a")] == ["0a", TIMEOUT]
    ready.changer.inject("unknown_status")
    assert 0x0E <= int(ready.ask("0b"), 16) < 0x20
    ready.changer.inject("random_reset")
    assert ready.ask("0b") == TIMEOUT
    ready.wait(0.2)
    assert ready.ask("0b") == "0b"


def test_long_diagnosis_and_short_answer(ready: Bench) -> None:
    ready.changer.inject("long_diag")
    assert len(bytes.fromhex(ready.ask("0f05"))) == 27
    ready.changer.inject("short_answer")
    assert len(bytes.fromhex(ready.ask("09"))) < 23


def test_rates_follow_the_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults(ChangerFault, random.Random(seed))
        faults.rate("silent", 0.1)
        return [faults.due(ChangerFault.SILENT) for _ in range(1000)]

    assert hits(3) == hits(3)
    assert hits(3) != hits(4)
    assert 60 < sum(hits(3)) < 140


def test_unknown_fault_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no_such"):
        bench.changer.inject("no_such")


def test_same_seed_same_life() -> None:
    def life(seed: int) -> list[str]:
        with bench_of(seed, ChangerModel(busy_style="mixed")) as bench:
            bench.changer.fill_tube(50, 20)
            bench.ready()
            bench.changer.faults.rate("silent", 0.05)
            for _ in range(5):
                bench.changer.insert_coin(50)
                bench.wait(0.4)
            bench.ask("0d53")
            return bench.poll_for(5.0)

    assert life(1) == life(1)
    assert life(1) != life(2)
