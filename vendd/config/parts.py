"""What the sections of ``vendd.toml`` are made of.

Times are integer milliseconds, amounts are text (``"1.50"``), pins are names from ``[pins]``.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

_DAY_MS: Final = 86_400_000

Count = Annotated[int, Strict(), Field(ge=0, le=10_000)]
Positive = Annotated[int, Strict(), Field(ge=1, le=10_000)]
Milliseconds = Annotated[int, Strict(), Field(ge=1, le=_DAY_MS)]
Switch = Annotated[bool, Strict()]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PinName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Bcm = Annotated[int, Strict(), Field(ge=0, le=27)]
"""A GPIO of the 40-pin header, numbered as the chip does (BCM)."""
Amount = Text
"""Parsed with the machine's currency once that is known."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
