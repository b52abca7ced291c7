"""Supply ammeter: the supply's own reading of its output current, as a second witness of the current."""

from dataclasses import dataclass

from metrology.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyAmmeter:
    """True current from the supply's read-back: `I = (s - o)·(1 + g)`."""

    gain_error: Estimate
    """g: relative error of the read-back, of value 0; the same at every reading of one supply."""
    offset_a: Estimate
    """o: what is read back while nothing is drawn, in amperes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPair:
    """What oscilloscope and supply said of the same current."""

    name: str
    """Which pair, for the text of reasons."""
    indicated_a: float
    """Mean of the capture over the time that the pair is about, as indicated, in amperes."""
    noise_a: float
    """Standard deviation that noise gives this mean, in amperes."""
    degrees_of_freedom: float
    """Degrees of freedom of that noise."""
    course_a: float
    """The current moved by at most this about its mean while the supply took its reading, in amperes."""
    supply_a: float
    """The supply's reading, in amperes."""
    blur_a: float = 0.0
    """The mean over what the supply really averaged lies within this of `indicated_a`, in amperes: pauses between short
    batches count in an unknown measure."""
    chance_a: float = 0.0
    """That mean may lie further away still by this: the readings are so few that they may agree by chance on something
    else than the load. 0 where they are enough."""
