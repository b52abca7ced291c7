"""Trial: one thing that only a real instrument can show, and what it showed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from metrology.errors import JoulebenchError

T = TypeVar("T")


class Verdict(StrEnum):
    """What came of a trial."""

    AS_EXPECTED = "as_expected"
    """It is what the drivers take for granted."""
    DIFFERS = "differs"
    """It is not: the drivers or their reference have to change."""
    NOTED = "noted"
    """Nothing was known beforehand; now it is."""
    FAILED = "failed"
    """The instrument did not answer, or reported an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial that was made."""

    number: str
    """Its number in docs/hardware-checklist.md, such as `S3`."""
    what: str
    """What was tried."""
    expected: str
    """What should be found, in words."""
    found: object
    """What was found: a number, a text, or a mapping of these; the error's text where it failed."""
    verdict: Verdict
    """What came of it."""
    took_s: float
    """How long it took, in seconds."""


class TrialLog:
    """The trials made so far."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Begin; `tell` hears of each trial before it is made."""
        self.trials: list[Trial] = []
        self._tell = tell

    def attempt(
        self,
        number: str,
        what: str,
        perform: Callable[[], T],
        *,
        expected: str = "not known: it is noted",
        accepts: Callable[[T], bool] | None = None,
    ) -> T | None:
        """Make a trial and write down what came of it; a failing instrument ends this trial and no other.

        Args:
            number: its number in the checklist.
            what: what is tried.
            perform: tries it, and returns what is found.
            expected: what should be found, in words.
            accepts: tells whether that is found; None: it is only noted.

        Returns:
            What was found; None where the instrument failed.
        """
        self._tell(f"{number} {what}")
        begun_s = time.monotonic()
        found: T | None = None
        shown: object
        try:
            shown = found = perform()
            verdict = _verdict(found, accepts)
        except JoulebenchError as error:
            shown, verdict = str(error), Verdict.FAILED
        took_s = time.monotonic() - begun_s
        trial = Trial(number=number, what=what, expected=expected, found=shown, verdict=verdict, took_s=took_s)
        self.trials.append(trial)
        return found


def _verdict(found: T, accepts: Callable[[T], bool] | None) -> Verdict:
    if accepts is None:
        return Verdict.NOTED
    return Verdict.AS_EXPECTED if accepts(found) else Verdict.DIFFERS
