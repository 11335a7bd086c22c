"""Which phase of a sale may follow which: the rules the machine is held to.

`Draft.go` asserts them; README's state diagram is drawn from them.
"""

from typing import Final

from vendd.core.sale.reports import Timer
from vendd.core.sale.states import (
    AgeCheck,
    Authorising,
    ChooseAgain,
    ClaimShown,
    Credit,
    Hold,
    Idle,
    OverpayAsked,
    Owed,
    Paying,
    Refunding,
    Returning,
    Revaluing,
    SessionOpen,
    Stacking,
    Vending,
    WaitingForTap,
)

_BUY: Final[dict[type, str]] = {Vending: "selection", Stacking: "selection, bill held"}
_CARD: Final[dict[type, str]] = {
    WaitingForTap: "selection, mixed tender",
    SessionOpen: "tap, mixed tender",
    AgeCheck: "selection, age unknown",
}
_BACK: Final[dict[type, str]] = {
    Paying: "lever / time / door / out of service",
    Returning: "... with a bill held",
    Owed: "changer lost / not payable",
    ClaimShown: "out of service, not payable",
    Idle: "forfeited / bill pulled out",
}

# From -> to -> why.
TRANSITIONS: Final[dict[type, dict[type, str]]] = {
    Idle: {
        Credit: "money in",
        Vending: "free product",
        WaitingForTap: "selection, reader ready",
        SessionOpen: "tap",
        AgeCheck: "selection, age unknown",
        ClaimShown: "a bill nobody finds",
    },
    Credit: {
        **_BUY,
        **_CARD,
        **_BACK,
        OverpayAsked: "change not payable, overpay allowed",
    },
    OverpayAsked: {
        **_BUY,
        **_BACK,
        Credit: "time / other selection / coin / door",
    },
    ChooseAgain: {
        **_BUY,
        **_CARD,
        **_BACK,
        OverpayAsked: "change not payable, overpay allowed",
        Credit: "restart / door",
    },
    Hold: {
        **_BUY,
        **_CARD,
        **_BACK,
        OverpayAsked: "change not payable, overpay allowed",
        Credit: "restart / door",
    },
    Owed: {
        **_BUY,
        Paying: "lever, once / door",
        Returning: "... with a bill held",
        ClaimShown: "time / lever, no changer",
        Credit: "changer back",
    },
    ClaimShown: {
        Idle: "time / key / restart",
        Credit: "money in",
        SessionOpen: "tap",
    },
    SessionOpen: {
        Authorising: "selection",
        Vending: "selection, free product",
        AgeCheck: "selection, age unknown",
        Idle: "session over",
        Credit: "session over, credit there",
        Revaluing: "holder asked, credit there",
    },
    Revaluing: {
        SessionOpen: "on the card / refused",
        Credit: "refused, card gone",
        Idle: "on the card, card gone",
        ClaimShown: "can't be known",
    },
    AgeCheck: {
        SessionOpen: "answered, time / lever: a card is there",
        Credit: "... credit is there",
        Idle: "... neither",
    },
    WaitingForTap: {
        Authorising: "tap / approved",
        Idle: "time / lever / declined",
        Credit: "coin / time / lever, credit there",
    },
    Authorising: {
        Vending: "approved",
        Refunding: "approved too late",
        Idle: "declined / time / lever",
        Credit: "declined, credit there",
    },
    Refunding: {
        Idle: "settled",
        ClaimShown: "refund due",
        ChooseAgain: "settled, credit there",
        Credit: "settled, credit there: door",
        Paying: "settled, second failure / lever",
        Returning: "... with a bill held",
        Owed: "settled, not payable",
    },
    Stacking: {
        Vending: "stacked",
        Credit: "not stacked, credit there",
        Idle: "not stacked",
    },
    Returning: {
        Idle: "bill out",
        Paying: "bill out, credit there",
        Owed: "bill out, not payable",
        ClaimShown: "out of service, not payable",
    },
    Vending: {
        Idle: "delivered",
        SessionOpen: "delivered, multi-vend by card",
        Refunding: "not delivered, paid by card",
        Paying: "delivered: change / failed: refund",
        Returning: "... with a bill held",
        Hold: "delivered, multi-vend",
        ChooseAgain: "not delivered",
        Credit: "not delivered: restart / door",
        Owed: "delivered, change not payable",
        ClaimShown: "out of service, not payable",
    },
    Paying: {
        Idle: "paid",
        Paying: "late coin",
        Returning: "late coin, and a bill moves",
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
    AgeCheck: Timer.AGE,
    Revaluing: Timer.AUTHORISE,
    WaitingForTap: Timer.TAP,
    Authorising: Timer.AUTHORISE,
    Refunding: Timer.REFUND,
    Stacking: Timer.STACK,
    Returning: Timer.STACK,
    Vending: Timer.DROP_WINDOW,
    Paying: Timer.PAYOUT,
}
