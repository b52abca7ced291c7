"""Section `retention`: how long raw captures are kept."""

from typing import Annotated

from pydantic import Field

from daemon.sections.section import Positive, Section


class RetentionSection(Section):
    """How long raw captures of runs are kept; runs, results, journal and certificates always are.

    Without a limit nothing is removed. With one, the daemon removes what is beyond it when it starts and once a day.
    """

    max_age_days: Positive | None = None
    """Captures of runs that were captured longer ago than this are removed, in days; left out: no limit."""
    max_bytes: Annotated[int, Field(ge=0)] | None = None
    """While all captures together are larger than this, those of the oldest run are removed, in bytes; left out: no
    limit."""
    including_referenced: bool = False
    """Remove captures that results were computed from too; those results stand, but cannot be computed again."""

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.max_age_days is not None or self.max_bytes is not None
