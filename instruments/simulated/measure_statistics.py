"""Measurements installed on the screen, and their statistics over the records seen (`:MEASure:RESults?`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from instruments.simulated.measured_trace import NOT_MEASURABLE
from instruments.simulated.scpi_values import number_to_nr3

MOST_INSTALLED = 4
"""The screen has room for four; a fifth pushes the oldest out."""


@dataclass(slots=True)
class _Installed:
    label: str
    measure: Callable[[], float]
    current: float = NOT_MEASURABLE
    values: list[float] = field(default_factory=list)

    def fields(self) -> dict[str, str]:
        """Return its numbers by the name that `:MEASure:STATistics` picks them by."""
        values = np.array(self.values or [NOT_MEASURABLE])
        return {
            "CURR": number_to_nr3(self.current),
            "MIN": number_to_nr3(float(values.min())),
            "MAX": number_to_nr3(float(values.max())),
            "MEAN": number_to_nr3(float(values.mean())),
            "STDD": number_to_nr3(float(values.std())),
            "COUN": str(len(self.values)),
        }


class InstalledMeasurements:
    """The measurements on the screen, oldest first."""

    def __init__(self) -> None:
        self._installed: list[_Installed] = []
        self._seen: int | None = None

    def install(self, label: str, measure: Callable[[], float]) -> None:
        """Put a measurement on the screen; one of the same name begins anew."""
        others = [one for one in self._installed if one.label != label]
        self._installed = [*others, _Installed(label, measure)][-MOST_INSTALLED:]
        self._seen = None

    def clear(self) -> None:
        """Take all measurements off the screen."""
        self._installed.clear()

    def restart(self) -> None:
        """Begin the statistics anew."""
        self._seen = None
        for one in self._installed:
            one.values.clear()

    def see(self, record_index: int) -> None:
        """Measure a record, unless it is the one that was measured last."""
        if record_index == self._seen:
            return
        self._seen = record_index
        for one in self._installed:
            one.current = one.measure()
            if one.current != NOT_MEASURABLE:
                one.values.append(one.current)

    def results(self, wanted: str) -> str:
        """Return all numbers of each, its label first, where `wanted` is ON; else that one number of each."""
        return ",".join(self._results(wanted))

    def _results(self, wanted: str) -> Iterator[str]:
        for one in self._installed:
            fields = one.fields()
            if wanted == "ON":
                yield one.label
                yield from fields.values()
            else:
                yield fields[wanted]
