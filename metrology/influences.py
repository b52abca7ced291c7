"""Influences: every systematic quantity that stands between codes and energy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from metrology.errors import MetrologyError
from metrology.estimate import Estimate
from metrology.supply_ammeter import SupplyAmmeter

NO_DELAY = Estimate(value=0.0, standard_uncertainty=0.0, source="marker and current step together")

NO_DRIFT = Estimate(
    value=0.0, standard_uncertainty=0.0, source="the board waits, and nothing else, before its first batch"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Influences:
    """The measurement model's inputs that one bench shares over all captures of a run.

    True current from indicated: `i = k·(1 + q)·(x - d·(x - c) - o - z - w)`.

    With a certificate of the current chain, k and z are the certificate's and hold d and o already; q is the error of
    the reference that it was made against. Where that was the supply's own read-back, q is the read-back's error, and
    whatever else is taken from that read-back errs alike.
    """

    probe_gain: Estimate
    """k: true over indicated current of the probe; 1 by declaration."""
    probe_zero_a: Estimate
    """z: what the probe shows with no current, in amperes at the conductor."""
    probe_drift_a: Estimate
    """w: how far that zero has wandered since it was declared or calibrated, in amperes at the conductor."""
    scope_gain_error: Estimate
    """d: relative gain error of the vertical channel; 0 by declaration."""
    scope_centre_a: float
    """c: current at the centre of the screen, about which that gain acts, in amperes."""
    scope_offset_a: Estimate
    """o: offset error of the vertical channel, in amperes at the conductor."""
    supply_voltage_error_v: Estimate
    """Error of the supply's read-back, common to all readings of a run, in volts."""
    lead_resistance_ohm: Estimate
    """R: both leads between supply and board, in ohms; 0 with remote sense."""
    clock_error: Estimate
    """Relative error of the sample interval."""
    gain_reference_error: Estimate | None = None
    """q: relative error of the reference that k was calibrated against, of value 0; None where k rests on none, or
    where the reference was the supply's own ammeter: then its `gain_error` is q."""
    gain_from_ammeter: bool = False
    """The supply's own ammeter was the reference of k."""
    gain_zero_correlation: float = 0.0
    """Correlation of k and z where both come from one fit."""
    ammeter: SupplyAmmeter | None = None
    """The supply's reading of the current, as a witness; None where nothing is known of it."""
    follow_zero: bool = False
    """Whether the zero's drift is followed by pairs of supply reading and capture: it was calibrated."""
    bracket_drift_a: float | None = None
    """How far the zero moved over the bracket about the run, in amperes; None while the bracket is open."""
    rise_delay_s: Estimate = NO_DELAY
    """From a rising marker edge to the current's, in seconds: a window starts that much later than its marker."""
    fall_delay_s: Estimate = NO_DELAY
    """The same for falling edges and the window's end."""
    idle_drift_w: Estimate = NO_DRIFT
    """How far the idle power at the first batch lies from the mean of the idle stretch, in watts; of value 0."""
    turns: int = 1
    """Turns through the probe's jaw as declared."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Name of the error behind an input, by budget term, where other runs share that same error: a certificate, or an
    instrument of the bench. Terms of one name cancel when two runs are compared."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the budget calls a term, where neither probe nor oscilloscope stands behind it; `names` goes by it."""

    def __post_init__(self) -> None:
        if not -1 <= self.gain_zero_correlation <= 1:
            raise MetrologyError(f"gain_zero_correlation must lie in -1..1, got {self.gain_zero_correlation!r}")
        if self.gain_from_ammeter and self.ammeter is None:
            raise MetrologyError("a gain calibrated against the supply's ammeter needs `ammeter`, got None")

    @property
    def drift_a(self) -> Estimate:
        """What is known of w where no pairs follow it: the bracket's limits once it is closed, else the declared ones.

        Limits are of either sign, since a zero need not move evenly from one end of the bracket to the other.
        """
        if self.bracket_drift_a is None:
            return self.probe_drift_a
        return Estimate.within(0.0, abs(self.bracket_drift_a), source="bracket of zeros about the run")
