"""Recording: what another instrument measured, as the objects that a live capture gives."""

from dataclasses import dataclass

from instruments.recordings.series import Series
from metrology.bins import EnergyBins
from metrology.errors import MetrologyError
from metrology.window import Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A power record with its inference windows."""

    record: EnergyBins
    """Energy over time; time zero is the first sample."""
    windows: tuple[Window, ...]
    """Inference windows in ascending order, none overlapping another."""
    images: tuple[int | None, ...]
    """Images inferred in each window; None where the recording does not say."""
    sync: str = "marker"
    """Rung of the synchronisation ladder that the windows stand on: `marker` (the board told them) or `step`."""
    doubts: tuple[str | None, ...] = ()
    """Why each window is unsure, None where it is confident; empty where the board told them."""
    edge_limit_s: float = 0.0
    """No edge of a confident window is further off than this, beside half a sample, in seconds."""
    series: Series | None = None
    """Current, voltage and marker, where they are to be stored; None: energies alone were asked for."""
    identity: str = ""
    """What recorded it: maker, model and serial number, as far as the file says."""
    is_unit: bool = False
    """That names one unit, by its serial number."""
    instrument: str = ""
    """Kind of instrument, for a key of what was recorded with what."""
    means: bool = True
    """Each sample is the mean of its interval; False: a point, that says nothing of what lies between."""
    recorded_utc_ns: int | None = None
    """When the file says that it was recorded, in nanoseconds of UTC; None where it does not."""

    def __post_init__(self) -> None:
        if len(self.images) != len(self.windows):
            raise MetrologyError(
                f"images must hold one entry for each of {len(self.windows)} windows, got {self.images}"
            )
        if self.doubts and len(self.doubts) != len(self.windows):
            raise MetrologyError(
                f"doubts must be empty or hold one entry for each of {len(self.windows)} windows, got {self.doubts}"
            )
        wrong = [count for count in self.images if count is not None and count < 1]
        if wrong:
            raise MetrologyError(f"images of a window must be at least 1, got {wrong[0]!r}")

    @property
    def sample_rate_hz(self) -> float:
        """Samples in a second."""
        return self.record.edges.rate_hz
