"""Power supply driver: what the bench asks of a supply, whoever made it."""

from typing import Protocol

from instruments.supply_reading import SupplyReading


class PowerSupplyDriver(Protocol):
    """Verbs of a supply; each blocks, on the instrument's own thread. Implementations: `PowerSupply`,
    and `Ps1Supply` in `examples/own-supply/`.

    A verb that fails raises an `InstrumentError`, as every call of a `VisaSession` does; anything else is a defect.
    Only `set_point`, `set_protected_point` and `set_output` may change a live output, and none goes beyond the envelope
    that the driver was made with.
    """

    def identify(self) -> str:
        """Get the identity string, and change nothing.

        Raises:
            WrongInstrument: something else answers.
        """
        ...

    def read_state(self, *, take_events: bool) -> SupplyReading:
        """Measure the voltage and current; get regulation, switch, protection, and what happened since the last call.

        Args:
            take_events: False leaves what is latched for whoever asks next.
        """
        ...

    def set_points(self) -> tuple[float, float]:
        """Get the programmed voltage in volt and current limit in ampere."""
        ...

    def set_point(self, *, voltage_v: float | None, current_a: float | None) -> None:
        """Set the voltage in volt, the current limit in ampere, or both; what is None stays.

        Raises:
            SettingRefused: outside the envelope (nothing was sent), or read back otherwise.
        """
        ...

    def set_protected_point(self, *, voltage_v: float | None, current_a: float | None, ovp_v: float) -> None:
        """Set the over-voltage protection's level in volt too, and switch it on, tripping nothing.

        Raises:
            InstrumentTimeout: the output did not come down to the voltage.
            SettingRefused: outside the envelope, or a level that would trip at once.
        """
        ...

    def set_output(self, on: bool) -> None:
        """Control the output switch.

        Raises:
            SettingRefused: what is set lies outside the envelope, so the output is not switched on.
        """
        ...

    def clear_trip(self) -> None:
        """Control the over-voltage protection: restore the output after a trip whose cause is removed.

        Raises:
            SettingRefused: what is set lies outside the envelope, so the output stays down; or it tripped again.
        """
        ...

    def settle(self) -> None:
        """Measure until the output stands at the set voltage; an output that is off, or has tripped, is not waited for.

        What is latched meanwhile is left for whoever reads next.

        Raises:
            InstrumentTimeout: it did not get there; a current limit may hold it down.
        """
        ...
