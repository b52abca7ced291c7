"""Scripted workload: declared batches instead of inference, for a simulated bench whose time runs faster than ours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from runners.errors import Unsupported, WorkloadError
from runners.markers.marker import MarkerOutput, PlayingMarker
from runners.messages import BoardCommand
from runners.workload import Preparation, WorkloadReport, batches_planned

BACKEND = "script"
"""Name in messages, in the place of a back end."""
MOST_PULSES = 5000
"""Most pulses played at once."""
CHUNK_S = 0.2
"""Length of what is played at once, in the world's seconds, where the lab's word is to end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Batches as declared, in the world's seconds."""

    batch_duration_s: float
    """Time that the marker is high for each batch, in seconds."""
    gap_s: float
    """Time that it is low after each batch, in seconds."""
    count: int | None
    """Batches; None: on and on, until the last capture is taken."""

    def __post_init__(self) -> None:
        for name in ("batch_duration_s", "gap_s"):
            value = getattr(self, name)
            if not 1e-6 <= value <= 3600:
                raise WorkloadError(f"script: {name} must lie in 1e-6..3600 s, got {value!r}")
        if self.count is not None and self.count < 1:
            raise WorkloadError(f"script: count must be at least 1, got {self.count!r}")

    @property
    def batch_ns(self) -> int:
        """Time that the marker is high for each batch, in whole nanoseconds."""
        return round(1e9 * self.batch_duration_s)

    @property
    def period_ns(self) -> int:
        """Time from the start of one batch to that of the next, in whole nanoseconds."""
        return round(1e9 * (self.batch_duration_s + self.gap_s))

    @classmethod
    def parse(cls, text: str) -> "Script":
        """Read `BATCH_S,GAP_S[,COUNT]`; raise WorkloadError where it is none."""
        parts = text.split(",")
        try:
            batch_s, gap_s = float(parts[0]), float(parts[1])
            count = int(parts[2]) if len(parts) == 3 else None
        except (ValueError, IndexError):
            parts = []
        if len(parts) not in {2, 3}:
            raise WorkloadError(f"script: want BATCH_S,GAP_S[,COUNT], such as 0.05,0.002,30, got {text!r}")
        return cls(batch_duration_s=batch_s, gap_s=gap_s, count=count)


class ScriptedWorkload:
    """Plays a script on a marker that can play; times are reported as declared, which is what the world saw."""

    def __init__(self, script: Script, *, network: str, batch_size: int) -> None:
        self._script = script
        self._network = network
        self._batch_size = batch_size

    def prepare(self) -> Preparation:
        """Do nothing: a script is always warm."""
        return Preparation(network=self._network, device="script", warmup_batches=0, duration_s=0.0, backend=BACKEND)

    def run(self, marker: MarkerOutput, should_stop: Callable[[], bool], images_planned: int | None) -> WorkloadReport:
        """Play the script to its end, or in chunks until no more is wanted."""
        if not isinstance(marker, PlayingMarker):
            raise WorkloadError(
                f"marker {marker.url} cannot play a script; use the simulated bench's (tcp://HOST:PORT)"
            )
        starts_ns: list[int] = []
        bound_ns = 0
        for chunk in self._chunks(images_planned):
            if should_stop():
                break
            began_ns, off_ns = marker.play([(self._script.batch_duration_s, self._script.gap_s)] * chunk)
            bound_ns = max(bound_ns, off_ns)
            starts_ns += [began_ns + k * self._script.period_ns for k in range(chunk)]
        return self._report(starts_ns, bound_ns)

    def release(self) -> None:
        """Do nothing."""

    def _chunks(self, images_planned: int | None) -> Iterator[int]:
        """Yield how many batches to play at once."""
        limits = (self._script.count, batches_planned(images_planned, self._batch_size))
        remaining = min((limit for limit in limits if limit is not None), default=None)
        if remaining is None:
            period_s = self._script.batch_duration_s + self._script.gap_s
            while True:
                yield min(max(1, round(CHUNK_S / period_s)), MOST_PULSES)
        while remaining > 0:
            chunk = min(remaining, MOST_PULSES)
            yield chunk
            remaining -= chunk

    def _report(self, starts_ns: list[int], bound_ns: int) -> WorkloadReport:
        batches, script = len(starts_ns), self._script
        started_ns = starts_ns[0] if starts_ns else 0
        gap_ns = script.period_ns - script.batch_ns
        return WorkloadReport(
            images=batches * self._batch_size,
            batches=batches,
            batch_durations_ns=(script.batch_ns,) * batches,
            started_monotonic_ns=started_ns,
            finished_monotonic_ns=started_ns + max(0, batches * script.period_ns - gap_ns),
            batch_starts_ns=tuple(starts_ns) if self._are_apart(starts_ns) else (),
            batch_stamp_bound_ns=bound_ns,
        )

    def _are_apart(self, starts_ns: list[int]) -> bool:
        """Say whether the batches fit between their starts; not where the world runs faster than this clock."""
        return all(later - earlier >= self._script.batch_ns for earlier, later in pairwise(starts_ns))


def scripted_factory(script: Script) -> Callable[[BoardCommand], ScriptedWorkload]:
    """Return what makes a scripted workload of a command; any network's name will do, but no back end's."""

    def make(order: BoardCommand) -> ScriptedWorkload:
        if order.backend not in {None, BACKEND}:
            raise Unsupported(f"back end {order.backend!r} is none of {BACKEND}: this board plays a script")
        return ScriptedWorkload(script, network=order.network, batch_size=order.batch_size)

    return make
