"""The audit report's events: EA1, EA2, EA3 and EA7 (EVA-DTS 6.1.1, chapter 4 and appendix C)."""

from collections.abc import Iterator

from vendd.core.audit.figures import Both, Figures
from vendd.core.audit.happenings import OUTAGE
from vendd.services.audit_times import day, time_of_day

Segment = tuple[str, ...]


def events(figures: Figures, at: str, terminal: str) -> Iterator[Segment]:
    """What ended, what there is, the read-outs and the power cuts, as read `at` by `terminal`."""
    for ended in figures.ended:
        yield "EA1", ended.code, day(ended.began), time_of_day(ended.began), str(ended.minutes)
    for event in figures.events:
        counts = (str(event.counts.interval), str(event.counts.total))
        yield "EA2", event.code, *counts, "", str(int(event.active))
    reads = figures.reads
    last = (day(reads.last_at), time_of_day(reads.last_at)) if reads.last_at else ("", "")
    now = (day(at), time_of_day(at), terminal)
    counts = (str(reads.reads), str(reads.resets))
    yield "EA3", str(reads.resets), *now, *last, reads.last_by, "", *counts
    outages = next((event.counts for event in figures.events if event.code == OUTAGE), Both())
    yield "EA7", str(outages.interval), str(outages.total)
