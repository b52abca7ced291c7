"""Energy of the whole batches of a record, as the integrals from which gross and net energy follow."""

from dataclasses import dataclass

from metrology.electrical import ElectricalRecord, WindowIntegrals
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading
from metrology.power import energy_j
from metrology.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEnergy:
    """What one capture contributes to a run."""

    gross: WindowIntegrals
    """From the first rising to the last falling edge of the whole batches, gaps included."""
    inside: WindowIntegrals
    """Inside the batches alone."""
    batches: int
    """Whole batches in the record."""
    batch_energies_j: tuple[float, ...]
    """Indicated energy of each whole batch, in joules."""
    supply_voltage_v: float
    """The supply's read-back under load, in volts."""
    edge_half_width_s: float
    """Each of the two outer edges lies within this of its stated time, in seconds."""
    mean_s: float = 0.0
    """Length of the interval whose mean each sample is, in seconds; 0 where samples are points."""
    extrapolation: float = 1.0
    """Stated time over the time that was seen: more than 1 for a batch that outlasts its record."""

    @property
    def noise_s(self) -> float:
        """Time for which independent noise gives energy the deviation that it has here, in seconds.

        What is extrapolated is scaled as a whole, and its deviation in proportion: `f·sqrt(T/f) = sqrt(f·T)`.
        """
        return self.gross.duration_s * self.extrapolation

    @property
    def active_power_w(self) -> float:
        """Mean indicated power inside the batches, in watts."""
        return sum(self.batch_energies_j) / self.inside.duration_s


def whole_batches(record: ElectricalRecord, reading: MarkerReading) -> RecordEnergy:
    """Measure the whole batches of a record.

    Raises:
        MetrologyError: the record holds no whole batch.
    """
    if reading.whole is None:
        raise MetrologyError("the record holds no whole batch; use `cut_batch` with the board's own batch duration")
    inside = [record.integrals(pulse) for pulse in reading.pulses]
    return RecordEnergy(
        gross=record.integrals(reading.whole),
        inside=sum(inside[1:], start=inside[0]),
        batches=len(reading.pulses),
        batch_energies_j=tuple(energy_j(record, pulse) for pulse in reading.pulses),
        supply_voltage_v=record.supply_voltage_v,
        edge_half_width_s=reading.edge_half_width_s,
        mean_s=record.interval_s if record.means else 0.0,
    )


def cut_batch(record: ElectricalRecord, reading: MarkerReading, *, batch_duration_s: float) -> RecordEnergy:
    """Measure a batch that outlasts the record: mean power while the marker is high times the board's own duration.

    Args:
        record: power of the capture.
        reading: its marker, high at the end of the record.
        batch_duration_s: duration of a batch as the board measured it, in seconds.

    Raises:
        MetrologyError: the marker never rises, or the duration is not greater than zero.
    """
    if reading.cut_start_s is None:
        raise MetrologyError("the marker is not high at the end of the record: there is no cut batch to measure")
    if not batch_duration_s > 0:
        raise MetrologyError(f"batch_duration_s must be > 0 s, got {batch_duration_s!r}")
    seen = Window(start_s=reading.cut_start_s, end_s=record.span.end_s)
    factor = batch_duration_s / seen.duration_s
    scaled = record.integrals(seen).scaled(factor)
    return RecordEnergy(
        gross=scaled,
        inside=scaled,
        batches=1,
        batch_energies_j=(energy_j(record, seen) * factor,),
        supply_voltage_v=record.supply_voltage_v,
        edge_half_width_s=reading.edge_half_width_s * factor,
        extrapolation=factor,
    )
