"""Bytes as they come: arbitrary ones, and good ones to which something was done."""

from dataclasses import dataclass

from hypothesis import strategies as st

KINDS = ("flip", "set", "insert", "drop", "cut", "repeat", "append")


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing done to some bytes; `at` counts round, so that it fits any length."""

    kind: str
    at: int
    value: int

    def apply(self, data: bytes) -> bytes:
        at = self.at % (len(data) + 1)
        before, after = data[:at], data[at:]
        match self.kind:
            case "flip" if after:
                return before + bytes((after[0] ^ 1 << self.value % 8,)) + after[1:]
            case "set" if after:
                return before + bytes((self.value,)) + after[1:]
            case "insert":
                return before + bytes((self.value,)) + after
            case "drop":
                return before + after[1:]
            case "cut":
                return before
            case "repeat":
                return data + data
            case "append":
                return data + bytes((self.value,)) * (self.at % 8)
            case _:
                return data


Edits = tuple[Edit, ...]
EDIT = st.builds(Edit, st.sampled_from(KINDS), st.integers(0, 40), st.integers(0, 255))
EDITS: st.SearchStrategy[Edits] = st.lists(EDIT, max_size=3).map(tuple)


def edited(data: bytes, edits: Edits) -> bytes:
    for edit in edits:
        data = edit.apply(data)
    return data


def mutated(*good: bytes) -> st.SearchStrategy[bytes]:
    """One of these, with up to three edits."""
    return st.builds(edited, st.sampled_from(good), EDITS)
