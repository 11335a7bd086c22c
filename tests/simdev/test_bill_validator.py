"""The bill validator's bytes against hand-written tables (MDB/ICP 4.2, section 6)."""

from collections.abc import Iterator

import pytest
from bill_bench import NAKED, QUICK, RECYCLER, TIMEOUT, BillBench, bench_of

from hw_sim.devices.bill_truth import Place
from hw_sim.devices.bill_validator import BillModel

SETUP = "01197801f40202580000ff0102040a14" + "00" * 11


@pytest.fixture
def bench() -> Iterator[BillBench]:
    with bench_of(QUICK) as made:
        yield made


@pytest.fixture
def ready(bench: BillBench) -> BillBench:
    bench.ready()
    return bench


@pytest.fixture
def recycler() -> Iterator[BillBench]:
    with bench_of(RECYCLER) as made:
        made.bills.fill(500, 10)
        made.bills.fill(1000, 10)
        made.ready()
        yield made


def test_silent_until_booted_then_just_reset_until_acknowledged(bench: BillBench) -> None:
    bench.bills.power_cycle(1.0)
    bench.wait(2.9)
    assert bench.ask("33") == TIMEOUT
    bench.wait(0.2)
    assert [bench.ask("33", ack=False), bench.ask("33"), bench.ask("33")] == ["0906", "0906", "09"]


def test_what_it_says_of_itself(bench: BillBench) -> None:
    assert bench.ask("31") == SETUP
    assert len(bytes.fromhex(SETUP)) == 27
    ident = bytes.fromhex(bench.ask("3700"))
    assert (len(ident), ident[:3], ident[27:]) == (29, b"SIM", b"\x01\x20")
    assert bench.ask("36") == "0000"
    assert bench.ask("3702") == TIMEOUT  # level 1
    with bench_of(RECYCLER) as other:
        assert other.ask("31")[:2] == "02"
        assert bytes.fromhex(other.ask("3702"))[29:] == b"\0\0\0\x02"
        assert other.ask("3703") == TIMEOUT  # not enabled yet
        other.ready()
        assert other.ask("3703") == "0007"
        assert other.ask("3704" + "0000" + "03" * 16) == "ACK"
        assert other.ask("3705") == "00" * 34


def test_nothing_but_the_right_block_is_answered(ready: BillBench) -> None:
    assert ready.bills.receive(bytes.fromhex("3334")) is None  # CHK
    for unknown in ("37", "37ff", "34", "3400", "35", "3502", "32"):
        assert ready.ask(unknown) == TIMEOUT


def test_escrow_and_stack(ready: BillBench) -> None:
    assert ready.bills.insert_bill(1000)
    ready.wait(0.5)
    assert ready.ask("33") == "03"
    assert ready.poll_for(1.0) == ["91"]
    assert ready.bills.truth.path[Place.ESCROW] == [1000]
    assert ready.poll_for(5.0) == []
    assert ready.ask("3501") == "ACK"
    assert ready.poll_for(1.5) == ["81"]
    assert ready.bills.truth.stacker == {1000: 1}
    assert ready.ask("36") == "0001"
    assert ready.bills.truth.conserved()


def test_escrow_and_return(ready: BillBench) -> None:
    ready.bills.insert_bill(2000)
    assert ready.poll_for(1.5) == ["92"]
    assert ready.ask("3500") == "ACK"
    assert ready.poll_for(1.0) == ["a2"]
    assert [value for _, value in ready.bills.truth.hand] == [2000]
    assert ready.ask("3500") == "ACK"
    assert ready.poll_for(0.2) == ["0a"]
    assert ready.bills.truth.conserved()


def test_without_escrow_it_is_stacked_at_once() -> None:
    with bench_of(BillModel(escrow=False)) as bench:
        bench.ready()
        bench.bills.insert_bill(500)
        assert bench.poll_for(4.0) == ["80"]


def test_disabled_types_unknown_paper_and_no_bills_at_all(ready: BillBench) -> None:
    ready.ask("3400010001")
    ready.bills.insert_bill(1000)
    assert ready.poll_for(2.0) == ["c1"]
    ready.bills.insert_bill(777)
    assert ready.poll_for(2.0) == ["0b"]
    ready.ask("3400000000")
    assert not ready.bills.insert_bill(500)
    assert ready.poll_for(0.2) == ["0941"]
    assert ready.bills.truth.returned == 1777
    assert ready.bills.truth.conserved()


def test_a_second_bill_is_not_drawn_in(ready: BillBench) -> None:
    assert ready.bills.insert_bill(500)
    assert not ready.bills.insert_bill(500)


def test_pulled_back_while_read_and_out_of_the_escrow(ready: BillBench) -> None:
    ready.bills.insert_bill(500)
    ready.wait(0.3)
    assert ready.bills.pull_back()
    ready.bills.insert_bill(500)
    ready.wait(0.9)
    assert not ready.bills.pull_back()
    assert ready.poll_for(0.5) == ["90"]
    assert ready.bills.pull_back()
    assert ready.poll_for(0.2) == ["07a0"] or ready.ask("33") == "ACK"
    assert ready.bills.truth.returned == 1000
    assert ready.bills.truth.conserved()


def test_the_box_out_and_back_and_full() -> None:
    with bench_of(BillModel(capacity=1, escrow=False)) as bench:
        bench.ready()
        bench.bills.open_box()
        assert [bench.ask("33"), bench.ask("33")] == ["0908", "09"]
        bench.bills.close_box()
        assert bench.ask("33") == "ACK"
        bench.bills.insert_bill(500)
        bench.poll_for(4.0)
        assert bench.ask("36") == "8001"
        assert not bench.bills.insert_bill(500)
        bench.bills.open_box()
        assert bench.bills.empty_stacker() == 500
        bench.bills.close_box()
        assert bench.ask("36") == "0000"


def test_recycled_and_paid(recycler: BillBench) -> None:
    recycler.bills.insert_bill(1000)
    recycler.poll_for(2.0)
    recycler.ask("3501")
    assert recycler.poll_for(2.0) == ["b1"]
    assert recycler.bills.truth.recycler[1000] == 11
    assert recycler.ask("3706010002") == "ACK"
    assert recycler.ask("3705") == TIMEOUT
    units = []
    while (answer := recycler.ask("3709")) != "ACK":
        units.append(int(answer, 16))
        recycler.wait(0.2)
        assert len(units) < 100
    assert sum(units) == 4
    assert recycler.ask("3708", ack=False) == "00000002" + "0000" * 14
    assert recycler.ask("3708") == "00000002" + "0000" * 14
    assert recycler.ask("3708") == "0000" * 16
    assert recycler.ask("3705")[4:16] == "000a00090000"
    assert recycler.bills.truth.paid == 2000
    assert recycler.bills.truth.conserved()


def test_paid_by_value_cancelled_and_left_in_the_exit(recycler: BillBench) -> None:
    assert recycler.ask("37070005") == "ACK"  # 25 euro: 10 + 10 + 5
    recycler.wait(0.5)
    assert recycler.ask("370a") == "ACK"
    recycler.poll_for(5.0)
    assert recycler.bills.truth.paid == 1000
    recycler.ask("3708")
    recycler.bills.leave_bills()
    assert recycler.ask("3706000001") == "ACK"
    recycler.wait(5)
    assert recycler.ask("33") == "222a"
    assert "f0" in "".join(recycler.poll_for(62.0))
    assert recycler.bills.truth.stacker == {500: 1}
    assert recycler.bills.truth.conserved()


RESETS = [  # after_reset, remembers, phase of the bill, what is told
    ("return", True, "escrow", "a1"),
    ("stack", True, "escrow", "81"),
    ("return", True, "stacking", "81"),
    ("return", False, "reading", "a1"),
]


@pytest.mark.parametrize(("after", "remembers", "phase", "told"), RESETS)
@pytest.mark.parametrize("how", ["reset_itself", "power_cycle"])
def test_resets_with_a_bill_inside(
    after: str, remembers: bool, phase: str, told: str, how: str
) -> None:
    model = BillModel(after_reset=after, remembers=remembers)  # type: ignore[arg-type]
    with bench_of(model) as bench:
        bench.ready()
        bench.bills.insert_bill(1000)
        bench.wait(0.3)
        if phase != "reading":
            bench.poll_for(2.0)
        if phase == "stacking":
            bench.ask("3501")
            bench.wait(0.2)
        getattr(bench.bills, how)()
        said = "".join(bench.poll_for(8.0)).replace(TIMEOUT, "")
        assert said.index("06") < said.index(told)
        assert bench.bills.truth.conserved()
        assert bench.bills.truth.in_path() == 0


FAULTS = [  # fault, said after the escrow's order to stack, where the bill is
    ("escrow_bounce", "91", "escrow"),
    ("stack_returns", "a1", "hand"),
    ("stack_stuck", "", "escrow"),
    ("stacked_untold", "", "stacker"),
    ("reset_in_stacking", "81", "stacker"),
    ("power_cut_in_stacking", "81", "stacker"),
    ("credited_removal", "810c", "hand"),
]


@pytest.mark.parametrize(("fault", "said", "where"), FAULTS)
def test_orders_to_stack_that_go_wrong(ready: BillBench, fault: str, said: str, where: str) -> None:
    ready.bills.inject(fault)
    ready.bills.insert_bill(1000)
    ready.poll_for(2.0)
    ready.ask("3501")
    told = "".join(ready.poll_for(10.0)).replace(TIMEOUT, "")
    assert told.replace("0906", "").replace("0309", "").replace("09", "").replace("06", "") == said
    truth = ready.bills.truth
    lies = {
        "escrow": truth.path[Place.ESCROW] == [1000],
        "hand": truth.stolen + truth.returned == 1000,
        "stacker": truth.stacker[1000] == 1,
    }
    assert lies[where]
    assert truth.conserved()


def test_jam_and_repair(ready: BillBench) -> None:
    ready.bills.inject("bill_jam")
    ready.bills.insert_bill(1000)
    assert ready.poll_for(3.0) == ["05"]
    assert not ready.bills.insert_bill(500)
    ready.bills.repair()
    assert ready.bills.truth.removed == 1000
    assert ready.bills.insert_bill(500)
    assert ready.bills.truth.conserved()


@pytest.mark.parametrize("fault", ["payout_jam", "payout_reset", "payout_power_cut"])
def test_payouts_that_are_interrupted(recycler: BillBench, fault: str) -> None:
    recycler.bills.inject(fault, after=1)
    recycler.ask("3706010003")
    said = "".join(recycler.poll_for(12.0))
    assert ("27" if fault == "payout_jam" else "06") in said
    assert recycler.bills.truth.paid == 1000
    assert recycler.bills.truth.conserved()


def test_exchange_faults(ready: BillBench) -> None:
    ready.bills.insert_bill(1000)
    ready.wait(1.1)
    ready.bills.inject("silent")
    assert ready.ask("33") == TIMEOUT
    ready.bills.inject("answer_nak")
    assert ready.ask("33") == NAKED
    ready.bills.inject("bad_chk")
    assert ready.ask("33") == "CHK"
    ready.bills.inject("noise")
    assert ready.ask("33") == "CHK"
    ready.bills.inject("ack_lost")
    assert [ready.ask("33"), ready.ask("33"), ready.ask("33")] == ["91", "91", "ACK"]
    ready.bills.inject("deaf")
    assert [ready.ask("3501"), ready.ask("33")] == [TIMEOUT, "03"]


def test_field_note_faults_have_names_and_wrong_names_are_refused(ready: BillBench) -> None:
    with pytest.raises(ValueError, match="no_such"):
        ready.bills.inject("no_such")
    ready.bills.inject("short_answer")
    assert len(ready.ask("31")) < 54
