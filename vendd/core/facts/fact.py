"""The marker that every fact carries."""


class Fact:
    """Marker: something that happened and that the fleet must learn."""

    __slots__ = ()
