"""How long the oldest undelivered event has waited, without a note per event."""

import asyncio
from collections import deque
from typing import Final

MOST: Final = 1_000


class Marks:
    """Pairs (newest seq, when it was committed), oldest first; bounded."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()

    def note(self, newest: int, watermark: int) -> None:
        """Events up to `newest` are committed, those up to `watermark` delivered."""
        if newest > watermark and len(self._marks) < MOST:
            self._marks.append((newest, asyncio.get_running_loop().time()))

    def passed(self, watermark: int) -> None:
        while self._marks and self._marks[0][0] <= watermark:
            self._marks.popleft()

    def lag_s(self) -> float:
        """Seconds; 0 when everything is delivered."""
        if not self._marks:
            return 0.0
        return asyncio.get_running_loop().time() - self._marks[0][1]
