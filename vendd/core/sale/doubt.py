"""Outcomes nobody saw: booked by policy, published with everything the devices showed."""

from vendd.core.facts import Evidence, SaleDoubtful
from vendd.core.sale.draft import Draft
from vendd.core.sale.pieces import (
    Sale,
)
from vendd.core.sale.reports import Tube
from vendd.core.sale.states import Paying, Revaluing


def doubtful_vend(
    d: Draft, sale: Sale, *, policy: str, booked_as: str, home_now: bool | None
) -> None:
    """A power cut fell between motor intent and proof."""
    d.record(
        SaleDoubtful(
            sale_id=sale.id,
            amount=sale.price,
            tender="card" if sale.card else ("coin" if sale.price else "free"),
            policy=policy,
            booked_as=booked_as,
            evidence=Evidence(
                intent_at=sale.started_at,
                left_home=sale.left_home,
                home_now=home_now,
                drop=sale.drops > 0,
            ),
            power_loss=True,
        )
    )


def doubtful_payout(
    d: Draft, phase: Paying, status: str, tubes_now: tuple[Tube, ...] | None
) -> None:
    """What a payout paid can't be found out."""
    payout = phase.payout
    d.record(
        SaleDoubtful(
            sale_id=phase.sale.id if phase.sale else payout.id,
            amount=payout.amount - payout.bills_out,
            tender="bill" if payout.out == "bills" else "coin",
            policy="payout_unknown",
            booked_as="claim",
            evidence=Evidence(
                tubes_before=tuple((t.value, t.count) for t in d.world.tubes),
                tubes_now=tuple((t.value, t.count) for t in tubes_now) if tubes_now else None,
                payout_status=status,
                door_opened_between=payout.door_opened,
            ),
            power_loss=payout.power_lost,
        )
    )


def doubtful_bill(
    d: Draft, sale: Sale | None, value: int, status: str, *, power_loss: bool
) -> None:
    """A bill that nobody finds: in the validator, in the stacker, or with its owner. Without a
    sale it is named by its customer."""
    session = d.state.customer.id if d.state.customer is not None else ""
    d.record(
        SaleDoubtful(
            sale_id=sale.id if sale else session,
            amount=value,
            tender="bill",
            policy="bill_unclear",
            booked_as="claim",
            evidence=Evidence(payout_status=status, door_opened_between=d.world.door_open),
            power_loss=power_loss,
        )
    )


def doubtful_revalue(d: Draft, phase: Revaluing, *, power_loss: bool) -> None:
    """Whether the reader put it on the card can't be found out."""
    session = d.state.customer.id if d.state.customer is not None else ""
    d.record(
        SaleDoubtful(
            sale_id=session,
            amount=phase.amount,
            tender="card",
            policy="revalue_unknown",
            booked_as="claim",
            evidence=Evidence(reader_state="no answer"),
            power_loss=power_loss,
        )
    )
