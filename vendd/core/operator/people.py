"""Who gives orders to a machine, and as what."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """An owner may do everything that a technician may."""

    TECHNICIAN = "technician"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Person:
    """`uid` and `user` as the operating system knows them; `role` None: nobody to this machine."""

    uid: int
    user: str
    role: Role | None = None

    def may(self, *, owner_only: bool) -> bool:
        return self.role is Role.OWNER or (self.role is Role.TECHNICIAN and not owner_only)
