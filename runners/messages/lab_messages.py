"""What the lab asks of the daemon: what became of a run, and what the board draws while the bench is free."""

from runners.messages.message import Identifier, Message, Nanoseconds, NotNegative, ReasonCode, Text
from runners.messages.run_state import RunPhase


class RunQuery(Message):
    """The lab asks what became of a run. Nothing is begun by it."""


class RunAnswer(Message):
    """What became of a run. Where it has a result, that was published on the run's own topic just before."""

    run_id: Identifier
    """Identifier of the run."""
    state: RunPhase | None = None
    """Where it stands; null: the daemon knows no run of that name."""
    reason: ReasonCode | None = None
    """Reason code of a run that was rejected, failed or interrupted; null otherwise."""
    text: Text | None = None
    """The reason in words."""

    @property
    def over(self) -> bool:
        """Whether the run is known and has ended."""
        return self.state is not None and self.state.terminal


class PowerQuery(Message):
    """The lab asks what the board draws just now."""


class PowerReading(Message):
    """What the supply delivers while no run is measured, by its own read-back, the leads' loss included."""

    power_w: NotNegative | None = None
    """Power, in watts; null where it was not read, and the reason says why."""
    voltage_v: NotNegative | None = None
    """Voltage, in volts; null with it."""
    current_a: NotNegative | None = None
    """Current, in amperes; null with it."""
    reason: ReasonCode | None = None
    """Why there is no reading: `bench_busy` while a run is measured, else the supply's failure; null where there is."""
    text: Text | None = None
    """The reason in words."""
    at_utc_ns: Nanoseconds
    """When, by the daemon's clock, in nanoseconds of UTC."""
