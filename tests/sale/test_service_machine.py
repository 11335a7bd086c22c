"""The second machine: in service or not, and what devices say of themselves."""

import pytest

from tests.sale.bench import COINS, Bench, world_with
from tests.sale.script import coin
from vendd.core.sale.reports import (
    ChangerLost,
    ChangerReady,
    DeviceIdentity,
    DoorMoved,
    DropSensorChanged,
    FaultEnded,
    FaultStarted,
    ServiceChanged,
    Started,
)
from vendd.core.service import ESSENTIAL, Service, observe
from vendd.core.snapshot import Changer


def _after(*reports) -> Service:
    service = Service()
    for report in reports:
        service = service.step(report)
    return service


def test_reasons_come_and_go_oldest_first():
    service = _after(ServiceChanged("operator", True), ServiceChanged("health", True))
    assert service.reasons == ("operator", "health")
    assert service.step(ServiceChanged("operator", True)) == service  # said twice, meant once
    assert service.step(ServiceChanged("operator", False)).reasons == ("health",)
    assert service.step(ServiceChanged("unheard of", False)) == service


def test_the_door_is_no_reason():
    assert _after(DoorMoved(True)) == Service(door_open=True)
    assert _after(DoorMoved(True), DoorMoved(False)) == Service()


@pytest.mark.parametrize("device", sorted(ESSENTIAL))
def test_a_device_is_broken_while_any_of_its_faults_is_open(device):
    one, two = FaultStarted("one", device), FaultStarted("two", device)
    service = _after(one, two)
    assert service.reasons == (device,)
    assert service.step(FaultEnded("one", device)).reasons == (device,)
    assert _after(one, two, FaultEnded("one", device), FaultEnded("two", device)) == Service()


@pytest.mark.parametrize(
    "report",
    [FaultStarted("jam", "changer"), FaultStarted("dead", "display"), coin(50)],
    ids=lambda r: type(r).__name__,
)
def test_other_reports_leave_it_alone(report):
    assert _after(report) == Service()


def test_a_slot_s_fault_is_not_the_machine_s():
    assert _after(FaultStarted("stalled", "motors", "", "A1")) == Service()


def test_a_restart_cures_faults_and_nothing_else():
    """What is still broken says so again; what an operator wants, stands."""
    service = Service(("operator", "keypad"), door_open=True)
    assert service.step(Started("power_loss")) == Service(("operator",), door_open=True)


def test_the_snapshot_follows_what_devices_say():
    world = world_with()
    service = Service(("operator",), door_open=True)
    lost = observe(world, service, ChangerLost("silent"))
    assert (lost.changer.ready, lost.out_of_service, lost.door_open) == (False, ("operator",), True)
    ready = observe(lost, service, ChangerReady(DeviceIdentity(), COINS, ()))
    assert ready.changer == Changer(ready=True, coins=COINS)
    assert observe(world, service, DropSensorChanged(True)).drop_sensor_blocked


def test_both_machines_agree():
    bench = Bench().report(DoorMoved(True), ServiceChanged("operator", True))
    assert (bench.world.door_open, bench.world.out_of_service) == (True, ("operator",))
