"""Told batches: a program's lines made into batches, with the marker high during each."""

from collections.abc import Callable

from runners.errors import ProgramFailed
from runners.marked_batches import MarkedBatches
from runners.program_plan import BatchIs, MarkerBy, ProgramPlan


class ToldBatches:
    """Begins and ends batches as a program's lines say."""

    def __init__(
        self, plan: ProgramPlan, batches: MarkedBatches, *, batch_size: int, images_planned: int | None
    ) -> None:
        """Take the plan, the batches to be marked, and how many images there are in each and in all."""
        self._plan = plan
        self._batches = batches
        self._batch_size = batch_size
        self._planned = images_planned
        self._told_images: int | None = None
        self._reads = 0
        self._begun_in_read = 0
        self._at_once = 0

    @property
    def complete(self) -> bool:
        """Whether the planned images are done."""
        return self._planned is not None and self._batches.images >= self._planned

    def release(self, go: Callable[[], None]) -> None:
        """Let the program go, the first batch beginning with that where no line begins it."""
        if self._plan.start_pattern is None:
            self._begin()
        go()

    def take_read(self) -> None:
        """Be told that the lines that follow were read together."""
        self._reads += 1

    def take(self, line: str) -> None:
        """Take a line; raise ProgramFailed where it makes no sense in its place."""
        ends = None if self._plan.images_pattern is None else self._plan.images_pattern.search(line)
        if ends is not None:
            self._end_of_batch(line, self._plan.images_in(ends))
        if self._plan.start_pattern is not None and self._plan.start_pattern.search(line) and not self.complete:
            if self._batches.open:
                raise ProgramFailed(f"a batch begins before the one before has ended: {line!r:.200}")
            self._begin()

    def program_ended(self) -> None:
        """Close what the end of the program closes; raise ProgramFailed where a batch is left in the middle."""
        if self._plan.batch_is is BatchIs.PROGRAM:
            self._batches.end()
        elif self._batches.open and self._plan.contiguous:
            raise ProgramFailed(
                f"the program ended by itself after {len(self._batches)} batches, with the marker high for a next one; "
                "say how many there are (--images), or let a line begin each (--start-pattern)"
            )
        elif self._batches.open:
            raise ProgramFailed(f"the program ended in the middle of batch {len(self._batches) + 1}")

    def check(self) -> None:
        """Check the whole; raise ProgramFailed where nothing was run, or not what was said."""
        if not len(self._batches):
            raise ProgramFailed("the program ran no whole batch")
        if self._plan.batch_is is BatchIs.PROGRAM and self._plan.images_pattern is not None:
            self._check_images(self._told_images or 0)
        self._check_bunches()

    def _begin(self) -> None:
        self._batches.begin()
        self._begun_in_read = self._reads

    def _end_of_batch(self, line: str, images: int | None) -> None:
        if self._plan.batch_is is BatchIs.PROGRAM:
            self._told_images = (self._told_images or 0) + (self._batch_size if images is None else images)
            return
        if not self._batches.open:
            raise ProgramFailed(f"a batch ends that no line has begun: {line!r:.200}")
        self._batches.end()
        self._at_once += self._begun_in_read == self._reads
        self._check_images(self._batch_size if images is None else images)
        if self._plan.contiguous and not self.complete:
            self._begin()

    def _check_bunches(self) -> None:
        """Refuse lines that the program kept, and a marker that rose and fell when it let them go.

        A busy board reads a few late as well; where half of them are, it is the program, or its batches are too short.
        """
        if self._plan.marker_by is MarkerBy.WRAPPER and 2 * self._at_once >= len(self._batches):
            raise ProgramFailed(
                f"lines come in bunches: {self._at_once} of {len(self._batches)} batches begin and end in lines that "
                "came at once; have each line written when it is printed (fflush, stdbuf -oL, PYTHONUNBUFFERED=1), or "
                "put more images into a batch"
            )

    def _check_images(self, images: int) -> None:
        size = self._batch_size
        if images != size:
            raise ProgramFailed(f"the program tells of {images} images in a batch, the run is of batches of {size}")
