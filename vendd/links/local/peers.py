"""Who is at the other end of a unix socket, by the kernel's word, and what they may do."""

import grp
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Final

from vendd.ports.desk import Person, Role

_SO_PEERGROUPS: Final = 59
"""asm-generic/socket.h; the same on x86 and ARM. The socket module has no name for it."""
_UCRED: Final = struct.Struct("iII")  # pid, uid, gid: unix(7)
_GID: Final = struct.Struct("I")
_MOST_GROUPS: Final = 256  # the most that getsockopt of this Python has room for


@dataclass(frozen=True, slots=True)
class Groups:
    """The names of the groups that may give orders."""

    technicians: str
    owners: str


def person_at(peer: socket.socket, groups: Groups) -> Person:
    """The process that connected: its user and groups then, whatever /etc/group says by now."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, gid = _UCRED.unpack(raw)
    return Person(uid, _user(uid), role_of(uid, {gid, *_supplementary(peer)}, groups))


def role_of(uid: int, gids: set[int], groups: Groups) -> Role | None:
    """A group that does not exist has no members."""
    if uid == 0 or _gid(groups.owners) in gids:
        return Role.OWNER
    return Role.TECHNICIAN if _gid(groups.technicians) in gids else None


def _supplementary(peer: socket.socket) -> list[int]:
    try:
        raw = peer.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS * _GID.size)
    except OSError:  # more groups than fit, or a kernel before 4.13: nobody is let in by mistake
        return []
    return [gid for (gid,) in _GID.iter_unpack(raw)]


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
