"""Program plan: how the batches of somebody's program are told from outside."""

import re
import signal
from dataclasses import dataclass
from enum import StrEnum

from runners.errors import ProgramFailed, WorkloadError


class MarkerBy(StrEnum):
    """Who drives the marker."""

    WRAPPER = "wrapper"
    PROGRAM = "program"


class BatchIs(StrEnum):
    """What one batch is."""

    LINE = "line"
    PROGRAM = "program"


class WhenMeasured(StrEnum):
    """What becomes of the program once enough of it is measured."""

    STOP = "stop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPlan:
    """A command and how its batches show."""

    command: tuple[str, ...]
    """Program and arguments."""
    images_pattern: re.Pattern[str] | None = None
    """A line in which this is found ends a batch; its group `images`, or its first, holds the images in it."""
    start_pattern: re.Pattern[str] | None = None
    """A line in which this is found begins a batch; None: each begins where the one before ended."""
    warm_line: re.Pattern[str] | None = None
    """The program is started at once, writes this when it is warm, and waits for a line on its standard input; None: it
    is started when the bench is armed."""
    warm_timeout_s: float = 300.0
    """Longest wait for that line, in seconds."""
    batch_is: BatchIs = BatchIs.LINE
    """Whether lines end batches, or the program's whole life is the one batch."""
    marker_by: MarkerBy = MarkerBy.WRAPPER
    """Who drives the marker."""
    when_measured: WhenMeasured = WhenMeasured.STOP
    """What becomes of the program once enough of it is measured; one whose whole life is the batch is waited for."""
    stop_signal: signal.Signals = signal.SIGTERM
    """What ends it."""
    grace_s: float = 5.0
    """How long it may take to end before it is killed, in seconds."""
    line_delay_s: float = 1e-3
    """How long after its event a line may arrive, in seconds: part of the bound of the batches' times."""

    def __post_init__(self) -> None:
        if not self.command:
            raise WorkloadError("a program needs a name")
        for name in ("warm_timeout_s", "grace_s", "line_delay_s"):
            if not 0 <= (value := getattr(self, name)) <= 86400:
                raise WorkloadError(f"program: {name} must lie in 0..86400 s, got {value!r}")
        if self.batch_is is BatchIs.LINE and self.images_pattern is None:
            raise WorkloadError("program: batches that are told by lines need a pattern of the line that ends one")
        if self.batch_is is BatchIs.PROGRAM and self.start_pattern is not None:
            raise WorkloadError("program: a batch that is the program's whole life has no line that begins it")

        if self.batch_is is BatchIs.PROGRAM and self.marker_by is MarkerBy.PROGRAM:
            raise WorkloadError("program: one that drives the marker itself tells its batches by lines")

    @property
    def contiguous(self) -> bool:
        """Whether a batch begins where the one before ended."""
        return self.batch_is is BatchIs.LINE and self.start_pattern is None

    def images_in(self, match: re.Match[str]) -> int | None:
        """Return the images that a line tells; None where it tells none; raise ProgramFailed where it is no number."""
        if not match.re.groups:
            return None
        text = match["images"] if "images" in match.re.groupindex else match[1]
        try:
            return None if text is None else int(text)
        except ValueError:
            raise ProgramFailed(f"the pattern of images finds {text!r}, which is no number of images") from None
