"""The accounts of the machine's books.

Double entry: every `Posted` moves one amount from the account it credits to the
account it debits, so the sum over all accounts is zero at every commit (M1).

Stores of money (debit side = what is physically there): ``tube:50`` (by coin
value in minor units, several coin types of one value share it; a hopper is a tube),
``coin_box``, ``recycler:500`` (by bill value), ``stacker``. What card readers took in
the operator's name: ``cashless1``, ``cashless2``.
Owed to people: ``customer`` (credit), ``change`` and ``refunds`` (decided, on
the way out: debits are what left, credits what was decided), ``claims``,
``refunds_due`` (card money that a reader could not give back).
Earned: ``sales``, ``overpay``. The operator's side: ``fills``,
``manual_dispense``, ``collection``, ``corrections``, ``tests``, ``unexplained``.
"""

from typing import Final

CUSTOMER: Final = "customer"
CHANGE: Final = "change"
REFUNDS: Final = "refunds"
CLAIMS: Final = "claims"
SALES: Final = "sales"
OVERPAY: Final = "overpay"
COIN_BOX: Final = "coin_box"
STACKER: Final = "stacker"
REFUNDS_DUE: Final = "refunds_due"
FILLS: Final = "fills"
MANUAL_DISPENSE: Final = "manual_dispense"
COLLECTION: Final = "collection"
CORRECTIONS: Final = "corrections"
TESTS: Final = "tests"
UNEXPLAINED: Final = "unexplained"


def tube(value: int) -> str:
    """The account of the tubes that hold coins of `value` minor units."""
    return f"tube:{value}"


def recycler(value: int) -> str:
    """The account of the recycler's stores that hold bills of `value` minor units."""
    return f"recycler:{value}"


def cashless(reader: int) -> str:
    """What this card reader took for the operator."""
    return f"cashless{reader}"


def is_store(account: str) -> bool:
    """True for accounts that stand for money physically in the machine."""
    return account in (COIN_BOX, STACKER) or account.startswith(("tube:", "recycler:"))
