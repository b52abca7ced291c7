"""Switched load: what hangs at the end of the leads, the board or something that a person put there instead."""

import math

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.board_load import BoardLoad, Demand

SHORT_OHM = 0.01
"""A short at the end of the leads: a piece of wire with two clamps."""


class SwitchedLoad:
    """The board, nothing, or a resistor."""

    def __init__(self, board: BoardLoad) -> None:
        self.board = board
        self.resistance_ohm: float | None = None
        """None: the board; infinite: nothing; anything else: a resistor."""
        self.series_ohm = 0.0
        """Leads and source before the resistor."""
        self.emf_v = 0.0
        """Electromotive force of the supply, which decides what a resistor draws."""

    @property
    def heating_s(self) -> float:
        """Time constant of the board's slow drift, in seconds."""
        return self.board.heating_s

    @property
    def ripple_hz(self) -> float:
        """Frequency of the board's ripple, in hertz."""
        return self.board.ripple_hz

    def breakpoints(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times in `(start_s, end_s]` at which the demand changes by itself."""
        return self.board.breakpoints(start_s, end_s)

    def demand(self, starts_s: NDArray[np.float64], levels: NDArray[np.bool_], rates: NDArray[np.complex128]) -> Demand:
        """Return the demand of each stretch, in ampere."""
        # The board is asked even while it is away: it cools meanwhile.
        demand = self.board.demand(starts_s, levels, rates)
        if self.resistance_ohm is None:
            return demand
        resistive = np.zeros_like(demand)
        if math.isfinite(self.resistance_ohm):
            resistive[:, 0] = self.emf_v / (self.resistance_ohm + self.series_ohm)
        return resistive
