"""Round trips: how long an instrument takes for a short question."""

import time
from statistics import median

from instruments.visa_session import VisaSession

QUESTIONS = 20
"""Questions asked."""


def round_trips_s(session: VisaSession, question: str) -> dict[str, float]:
    """Measure how long answers take; return `median_s` and `longest_s`, in seconds."""
    taken_s = []
    for _ in range(QUESTIONS):
        begun_s = time.monotonic()
        session.query(question)
        taken_s.append(time.monotonic() - begun_s)
    return {"median_s": median(taken_s), "longest_s": max(taken_s)}
