"""Dates and times as EVA-DTS writes them, from RFC 3339 UTC."""


def day(at: str) -> str:
    """``YYMMDD``"""
    return at[2:10].replace("-", "")


def time_of_day(at: str) -> str:
    """``HHMMSS``"""
    return at[11:19].replace(":", "")
