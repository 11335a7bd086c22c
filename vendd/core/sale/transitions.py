"""Which phase of a sale may follow which: the rules the machine is held to.

`Draft.go` asserts them; README's state diagram is drawn from them.
"""

from typing import Final

from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)

_BUY: Final[dict[type, str]] = {Vending: "selection", Stacking: "selection, bill held"}
_SHUT: Final[dict[type, str]] = {ClaimShown: "out of service, not payable"}

# From -> to -> why.
TRANSITIONS: Final[dict[type, dict[type, str]]] = {
    Idle: {
        Credit: "money in",
        Vending: "free product",
        WaitingForTap: "selection, reader ready",
        SessionOpen: "tap",
    },
    Credit: {
        **_BUY,
        **_SHUT,
        OverpayAsked: "change not payable, overpay allowed",
        Paying: "lever / time / door / out of service",
        Owed: "changer lost / not payable",
        Idle: "forfeited",
    },
    OverpayAsked: {
        **_BUY,
        **_SHUT,
        Credit: "time / other selection / coin / door",
        Paying: "lever / out of service",
        Owed: "changer lost / not payable",
    },
    ChooseAgain: {
        **_BUY,
        **_SHUT,
        OverpayAsked: "change not payable, overpay allowed",
        Paying: "time / lever",
        Owed: "changer lost / not payable",
        Credit: "restart / door",
    },
    Hold: {
        **_BUY,
        **_SHUT,
        OverpayAsked: "change not payable, overpay allowed",
        Paying: "time / lever",
        Owed: "changer lost / not payable",
        Credit: "restart / door",
    },
    Owed: {
        **_BUY,
        Paying: "lever, once / door",
        ClaimShown: "time / lever, no changer",
        Credit: "changer back",
    },
    ClaimShown: {Idle: "time / key / restart", Credit: "money in", SessionOpen: "tap"},
    SessionOpen: {Authorising: "selection", Idle: "session over", Credit: "session over"},
    WaitingForTap: {
        Authorising: "tap",
        Idle: "time / lever",
        Credit: "coin",
    },
    Authorising: {
        Vending: "approved",
        Idle: "declined / time / lever",
        SessionOpen: "declined",
        Credit: "declined, credit there",
    },
    Stacking: {Vending: "stacked", Credit: "bill returned", Idle: "bill returned", Paying: "lever"},
    Vending: {
        Idle: "delivered",
        Paying: "delivered: change / failed: refund",
        Hold: "delivered, multi-vend",
        ChooseAgain: "not delivered",
        Credit: "not delivered: restart / door",
        Owed: "delivered, change not payable",
        ClaimShown: "out of service, not payable",
    },
    Paying: {
        Idle: "paid",
        Paying: "late coin",
        Hold: "late coin, multi-vend",
        Owed: "incomplete",
        ClaimShown: "incomplete, nobody there / can't be known",
    },
}

# The timer that belongs to a phase: armed on entry, disarmed on leaving.
PHASE_TIMER: Final[dict[type, Timer]] = {
    Credit: Timer.IDLE,
    Owed: Timer.IDLE,
    OverpayAsked: Timer.OVERPAY,
    ChooseAgain: Timer.CHOOSE_AGAIN,
    Hold: Timer.HOLD,
    ClaimShown: Timer.CLAIM,
    SessionOpen: Timer.SESSION,
    WaitingForTap: Timer.TAP,
    Authorising: Timer.AUTHORISE,
    Stacking: Timer.STACK,
    Vending: Timer.DROP_WINDOW,
    Paying: Timer.PAYOUT,
}
