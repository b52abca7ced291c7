"""Piecewise sums of exponentials: currents and voltages of a linear circuit, exact between its events.

A first-order circuit driven by constants, decays and a sine answers with constants, decays and a sine. So each
stretch between two events is `sum_k c_k exp(s_k (t - start))` with a fixed set of rates, which can be evaluated at
any time and whose products integrate in closed form.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rates = NDArray[np.complex128]
Coefficients = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Stretches of time with the coefficients of current and electromotive force in each."""

    rates: Rates
    """Shape (k,), complex128, 1/s; complex rates come in pairs, the conjugate right after its partner."""
    start_s: NDArray[np.float64]
    """Shape (n,), float64, ascending; each stretch lasts to the next start, the last one for ever."""
    current: Coefficients
    """Shape (n, k), complex128, ampere."""
    emf: Coefficients
    """Shape (n, k), complex128, volt: the supply's voltage before its own source resistance."""

    def values(self, coefficients: Coefficients, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum at sorted times (shape (n,)), in the unit of the coefficients."""
        first_sample = np.searchsorted(times_s, self.start_s)
        counts = np.diff(np.append(first_sample, times_s.size))
        counts[0] += first_sample[0]
        index = np.repeat(np.arange(self.start_s.size), counts)
        since_s = times_s - self.start_s[index]
        total = np.zeros(times_s.size)
        for k, rate in enumerate(self.rates):
            column = coefficients[:, k]
            if rate.imag < 0 or not column.any():
                continue  # the conjugate is in its partner's cosine
            total += _term(rate, column, index, since_s)
        return total

    def product_integrals(
        self, left: Coefficients, right: Coefficients, times_s: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the integral of the product of two sums between each time and the next, in closed form.

        `times_s` has shape (m,), ascending; the result has shape (m - 1,).
        """
        inner = self.start_s[(self.start_s > times_s[0]) & (self.start_s < times_s[-1])]
        cuts = np.union1d(times_s, inner)
        owner = np.maximum(np.searchsorted(self.start_s, cuts[:-1], side="right") - 1, 0)
        low = cuts[:-1] - self.start_s[owner]
        length = np.diff(cuts)
        pieces = np.zeros(length.size)
        for j, rate_j in enumerate(self.rates):
            for k, rate_k in enumerate(self.rates):
                weight = left[owner, j] * right[owner, k]
                if weight.any():
                    pieces += (weight * _exponential_integral(rate_j + rate_k, low, length)).real
        up_to = np.concatenate([[0.0], np.cumsum(pieces)])
        return np.diff(up_to[np.searchsorted(cuts, times_s)])

    def integral(self, coefficients: Coefficients, *, start_s: float, end_s: float) -> float:
        """Return the integral of a sum over `[start_s, end_s]`, in closed form."""
        one = np.zeros_like(coefficients)
        one[:, int(np.flatnonzero(self.rates == 0)[0])] = 1.0
        return float(self.product_integrals(coefficients, one, np.array([start_s, end_s]))[0])


def _term(
    rate: complex, column: NDArray[np.complex128], index: NDArray[np.intp], since_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    if rate.imag == 0:
        level = column.real[index]
        return level if rate == 0 else np.asarray(level * np.exp(rate.real * since_s))
    # A conjugate pair makes twice the real part: one cosine, far cheaper than two complex exponentials.
    amplitude, phase = 2.0 * np.abs(column), np.angle(column)
    return np.asarray(amplitude[index] * np.cos(rate.imag * since_s + phase[index]))


def _exponential_integral(
    rate: complex, low: NDArray[np.float64], length: NDArray[np.float64]
) -> NDArray[np.complex128]:
    if rate == 0:
        return length.astype(np.complex128)
    return np.asarray(np.exp(rate * low) * np.expm1(rate * length) / rate)


class SegmentHistory:
    """Segments that grow at their end and are forgotten at their beginning."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self._count = 0
        self._start_s = np.empty(64)
        self._current = np.empty((64, rates.size), dtype=np.complex128)
        self._emf = np.empty((64, rates.size), dtype=np.complex128)

    @property
    def oldest_s(self) -> float:
        """Start of the oldest stretch kept, in seconds."""
        return float(self._start_s[0])

    def append(self, start_s: NDArray[np.float64], current: Coefficients, emf: Coefficients) -> None:
        """Append stretches, all later than those before."""
        needed = self._count + start_s.size
        if needed > self._start_s.size:
            self._grow(max(needed, 2 * self._start_s.size))
        fresh = slice(self._count, needed)
        self._start_s[fresh], self._current[fresh], self._emf[fresh] = start_s, current, emf
        self._count = needed

    def between(self, start_s: float, end_s: float) -> Segments:
        """Return a copy of the stretches that cover `[start_s, end_s]`, safe to use in another thread."""
        known = self._start_s[: self._count]
        first = max(0, int(np.searchsorted(known, start_s, side="right")) - 1)
        last = max(first + 1, int(np.searchsorted(known, end_s, side="right")))
        part = slice(first, last)
        return Segments(self.rates, known[part].copy(), self._current[part].copy(), self._emf[part].copy())

    def forget_before(self, time_s: float) -> None:
        """Drop the stretches that end before a time."""
        first = int(np.searchsorted(self._start_s[: self._count], time_s, side="right")) - 1
        if first <= self._count // 2:
            return  # moved rarely, so that the cost of moving does not count
        rest = slice(first, self._count)
        for column in (self._start_s, self._current, self._emf):
            column[: self._count - first] = column[rest].copy()
        self._count -= first

    def _grow(self, capacity: int) -> None:
        self._start_s = np.resize(self._start_s, capacity)
        self._current = np.resize(self._current, (capacity, self.rates.size))
        self._emf = np.resize(self._emf, (capacity, self.rates.size))
