"""What became of a cut, in a few words: from the next life's events and the display."""

from collections.abc import Sequence

from hw_sim.devices.card_reader_parts import Outcome
from hw_sim.stored import Stored, Written
from hw_sim.virtual import VirtualMachine

_HOLDER = {
    Outcome.PAID: "holder paid",
    Outcome.REFUNDED: "holder has it back",
    Outcome.RELEASED: "holder never paid",
    Outcome.HELD: "holder's money held",
}


def outcome(machine: VirtualMachine, before: Stored, after: Stored, shown: int) -> str:
    """`before` as at the cut, `after` when everything is settled; `shown`: the credit that stood
    on the display meanwhile."""
    sale = before.state.sale
    told = [event for event in after.events if event.boot > before.boot]
    about = [e for e in told if sale is not None and e.data.get("sale_id") == sale.id]
    parts = [e.data["outcome"] for e in about if e.name == "sale-closed"]
    parts += [f"in doubt as {e.data['booked_as']}" for e in told if e.name == "sale-doubtful"]
    parts += ["refund due" for e in told if e.name == "refund-due"]
    parts += ["claim" for e in told if e.name == "claim-opened"]
    parts += ["slot off"] if after.off_sale - before.off_sale else []
    parts += ["credit"] if shown or _restored(told) else []
    charges = [c for reader in machine.till.readers.values() for c in reader.truth.charges]
    parts += [_HOLDER[charge.outcome] for charge in charges[-1:]]
    return ", ".join(parts) or "nothing"


def _restored(told: Sequence[Written]) -> int:
    """The credit that the next life began with."""
    started = [event for event in told if event.name == "machine-started"]
    return int(started[0].data["credit_restored"]) if started else 0
