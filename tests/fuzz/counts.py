"""What a campaign did: cases, bytes fed, reports that came of them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """`reports`: news, messages and items that the code under test made of the bytes; `credits`:
    those of them that are money."""

    cases: int = 0
    bytes: int = 0
    reports: int = 0
    credits: int = 0

    def add(self, other: "Counts") -> None:
        self.cases += other.cases
        self.bytes += other.bytes
        self.reports += other.reports
        self.credits += other.credits
