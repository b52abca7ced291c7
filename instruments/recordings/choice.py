"""Choice: what to take from a file that holds more, or less, than current, voltage and a marker."""

from dataclasses import dataclass

from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Names of columns, channels or lines, and what the file does not say."""

    current: str | None = None
    """Column or channel of the current; None takes the one that its name or unit shows."""
    voltage: str | None = None
    """Column or channel of the voltage; None takes the one that its name or unit shows, if any."""
    marker: str | None = None
    """Line that is high during a window; None: no windows from a marker."""
    supply_v: float | None = None
    """Constant supply voltage where the file holds none, in volts."""
    amperes_per_volt: float | None = None
    """Scale of a current probe, where the channel is in volts."""
    time: str | None = None
    """Column of time; None takes the one that its name shows."""
    rate_hz: float | None = None
    """Sample rate where the file holds no time, in hertz."""
    from_s: float | None = None
    """Begin of the stretch that is taken, in seconds from the first sample; None: the whole file."""
    to_s: float | None = None
    """End of it, likewise."""
    means: bool = False
    """Each sample is the mean of its interval, and not a point, where the format does not say."""

    def __post_init__(self) -> None:
        for option, value in (("--from", self.from_s), ("--to", self.to_s)):
            if value is not None and not 0 <= value <= 1e9:
                raise MetrologyError(f"{option} must lie in 0..1e9 s, got {value!r}")
        if self.from_s is not None and self.to_s is not None and self.to_s <= self.from_s:
            raise MetrologyError(f"--to must lie after --from, got {self.from_s!r} to {self.to_s!r} s")
        for name, option in (
            ("supply_v", "--supply"),
            ("rate_hz", "--rate"),
            ("amperes_per_volt", "--amperes-per-volt"),
        ):
            value = getattr(self, name)
            # a probe may be wound backwards; neither a supply nor time runs so
            if value is not None and not 1e-9 <= (abs(value) if name == "amperes_per_volt" else value) <= 1e12:
                sign = "finite and not zero" if name == "amperes_per_volt" else "finite and greater than zero"
                raise MetrologyError(f"{option} must be {sign}, got {value!r}")
