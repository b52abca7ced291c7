"""Rehearsal: does an operator's steps on the simulated bench, through its side channel."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from instruments.simulated.truth import TruthClient
from metrology.errors import MetrologyError


class _Step(Protocol):
    @property
    def wiring(self) -> Mapping[str, Any]: ...
    @property
    def pulses(self) -> Sequence[tuple[float, float]]: ...


class Rehearsal:
    """A stand-in for a person at the bench."""

    def __init__(self, truth: TruthClient) -> None:
        self._truth = truth

    def perform(self, step: _Step) -> None:
        """Do a step."""
        if step.wiring:
            self._truth.wire(**step.wiring)
        if step.pulses:
            self._truth.play(list(step.pulses))

    def read_number(self, question: str) -> float:
        """Refuse: nobody is there to read an instrument.

        Raises:
            MetrologyError: always.
        """
        raise MetrologyError(f"nobody can answer unattended: {question}")
