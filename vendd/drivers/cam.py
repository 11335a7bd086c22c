"""The cam of one turning motor, as its home switch tells. Pure: times come in, in seconds."""

BOUNCE_S = 0.005
"""A level counts only after it stood this long; contacts bounce for a millisecond or two."""

_ROUNDING = 1e-9


class Cam:
    """Follows one home switch through one turn: at home (or not), left, home again."""

    __slots__ = ("_again", "_doubted", "_overruled", "home", "left", "level", "since")

    def __init__(self, level: bool, at: float) -> None:
        self.level = level
        self.since = at
        self.left = False
        self.home = False
        self._doubted = False
        self._again = at
        self._overruled: float | None = None  # since when the level stood that a reading ended

    @property
    def due(self) -> float:
        """When the present level is old enough to be believed, or to be read once more."""
        return max(self.since, self._again) + BOUNCE_S

    def edge(self, level: bool, at: float) -> None:
        """The switch changed at `at`. The level before counts if it stood long enough, even
        if nobody looked at the time: a loop that stalled while the cam passed home still
        learns that it did, and does not turn the spiral a second time."""
        if level == self.level:
            if self._overruled is not None:  # the edge that a reading was ahead of
                self._stood(not level, at - self._overruled)
                self._overruled = None
            return
        self._believe(at)
        self.level = level
        self.since = at
        self._doubted = False
        self._overruled = None

    def seen(self, level: bool, now: float) -> None:
        """The switch was read. Sampled cams live on this alone."""
        self.edge(level, now)
        self._believe(now)

    def confirm(self, level: bool, now: float) -> None:
        """The switch was read because `due` came. One contradiction is given time (an edge may
        be on its way, and its own time tells how long the old level stood); after the second the
        reading wins and the old level was a bounce."""
        if level == self.level:
            self._doubted = False
            self._believe(now)
            return
        if self._doubted:
            self.level, self._overruled = level, self.since
            self.since = now
        self._doubted = not self._doubted
        self._again = now

    def _believe(self, now: float) -> None:
        self._stood(self.level, now - self.since)

    def _stood(self, level: bool, seconds: float) -> None:
        if seconds < BOUNCE_S - _ROUNDING:
            return
        if not level:
            self.left = True
        elif self.left:
            self.home = True
