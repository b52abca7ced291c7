"""CSV steps: that each row lies one sample after the one before it, as far as its printed time can tell.

A time printed to a digit of q seconds is off by q/2 at most, so a step by q. Where almost all steps are the same and a
whole multiple of that digit, the instrument counts its samples and its times are exact: one lost sample shows even
where the digit is as long as the sample.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
_JITTER = 0.5
"""Part of a sample by which a step may differ for other reasons than its digits; a lost sample makes a whole one."""
_LAGS = (1, 64)
"""Rows between which steps are checked: neighbours, and so far that losses add up which coarse digits would hide."""
_AROUND = 32
"""Rows to either side that show how many digits are printed: one number alone may end in zeros that were not."""
_SAME_PART = 0.99


class Steps:
    """Is given the times block by block; the last rows of each are checked together with the next."""

    def __init__(
        self, interval_s: float, first_s: Times, *, printed: Callable[[list[str]], list[str]], scale: float
    ) -> None:
        """Take by what the rows are judged.

        Args:
            interval_s: Length of a sample, in seconds.
            first_s: Times of the first block, shape (n,), in seconds.
            printed: Returns the times of rows as they are printed.
            scale: Seconds in the unit that is printed.
        """
        self._printed, self._scale = printed, scale
        self._start_s, self._mean_s = float(first_s[0]), interval_s
        self._counted_s = _counted_s(first_s)
        self._interval_s = self._counted_s or interval_s
        self._first_rows = first_s.size
        self._times_s: Times = np.empty(0)
        self._rows: list[str] = []
        self._held_from = 0

    def lost(self, times_s: Times, rows: list[str], *, last: bool = False) -> tuple[int, str] | None:
        """Return the first row (from 0) that is not one sample after the one before, and how far it is from it.

        Args:
            times_s: Of the next block, shape (n,), in seconds.
            rows: The same as text; read only where a step is in doubt.
            last: No block follows.
        """
        times_s = np.concatenate([self._times_s, times_s])
        rows = [*self._rows, *rows]
        found = self._found(times_s, rows, times_s.size - (0 if last else _AROUND)) or self._drift(times_s, rows)
        kept = min(times_s.size, _AROUND * 2 + max(_LAGS))
        result = None if found is None else (self._held_from + found[0], found[1])
        self._held_from += times_s.size - kept
        self._times_s, self._rows = times_s[times_s.size - kept :], rows[len(rows) - kept :]
        return result

    def _found(self, times_s: Times, rows: list[str], end: int) -> tuple[int, str] | None:
        quanta_s: Times | None = None
        for lag in _LAGS:
            if end <= lag:
                continue
            steps_s = times_s[lag:end] - times_s[: end - lag]
            away_s = np.abs(steps_s - lag * self._interval_s)
            limit_s = _JITTER * self._interval_s + 8 * np.spacing(np.abs(times_s[lag:end]))
            if not (away_s > limit_s).any():
                continue
            quanta_s = self._quanta_s(times_s, rows) if quanta_s is None else quanta_s
            rounding_s = self._rounding_s(quanta_s, lag)[: steps_s.size] * (1 + lag / self._first_rows)
            bad = np.flatnonzero(away_s > limit_s + rounding_s)
            if bad.size:
                at = int(bad[0])
                before = "the one before" if lag == 1 else f"the one {lag} before"
                return at + lag, f"{steps_s[at]:g} s after {before}, where {lag * self._interval_s:g} s are due"
        return None

    def _quanta_s(self, times_s: Times, rows: list[str]) -> Times:
        return _quanta_s(times_s, self._printed(rows), self._scale)

    def _drift(self, times_s: Times, rows: list[str]) -> tuple[int, str] | None:
        """Return the first row whose time is not that of its number, however small each step is."""
        numbers = self._held_from + np.arange(times_s.size)
        away_s = np.abs(times_s - self._start_s - numbers * self._mean_s)
        # the rate comes from the first block alone
        limit_s = 1.5 * self._mean_s + 1e-4 * numbers * self._mean_s
        if not (~(away_s <= limit_s)).any():
            return None
        rounding_s = self._rounding_s(self._quanta_s(times_s, rows), 0)
        bad = np.flatnonzero(~(away_s <= limit_s + rounding_s))
        if not bad.size:
            return None
        return int(bad[0]), f"at {times_s[bad[0]]} s, out of step with {self._mean_s:g} s a sample"

    def _rounding_s(self, quanta_s: Times, lag: int) -> Times:
        """Return by how much the printed digits may change each step, in seconds."""
        found = np.maximum(quanta_s[: quanta_s.size - lag], quanta_s[lag:])
        if self._counted_s is None:
            return found
        digits = self._counted_s / found
        return np.where((digits > 0.5) & (np.abs(digits - np.round(digits)) < 1e-3), 0.0, found)


def _counted_s(times_s: Times) -> float | None:
    """Return the step by which times are counted up; None where they were measured, or are rounded."""
    steps_s = np.diff(times_s)
    if not steps_s.size:
        return None
    usual_s = float(np.median(steps_s))
    away_s = np.abs(steps_s - usual_s)
    other = away_s > 1e-6 * usual_s + 8 * np.spacing(np.abs(times_s[1:]))
    if usual_s <= 0 or np.mean(~other) < _SAME_PART:
        return None
    if other.sum() > 2 and len(set(np.sign(steps_s[other] - usual_s))) == 1:
        # digits that slip now and then, because the rate is a little off, leave the times on a straight line
        rows = np.arange(times_s.size)
        residuals_s = times_s - np.polynomial.Polynomial.fit(rows, times_s, 1)(rows)
        if np.ptp(residuals_s) <= 1.25 * away_s.max():
            return None
    return usual_s


def _quanta_s(times_s: Times, texts: list[str], scale: float) -> Times:
    """Return to what each time is rounded, in seconds, where zeros at its end may not have been printed.

    That is its neighbours' finest digit, or the last of as many significant digits as they have, whichever is coarser.
    """
    last, digits = np.empty(len(texts)), np.empty(len(texts))
    for k, text in enumerate(texts):
        mantissa, _, exponent = text.lower().partition("e")
        whole, _, decimals = mantissa.replace(",", ".").partition(".")
        last[k] = int(exponent or 0) - len(decimals)
        digits[k] = len((whole.lstrip("+-") + decimals).lstrip("0"))
    with np.errstate(divide="ignore"):
        first = np.floor(np.log10(np.abs(times_s / scale)) + 1e-12)
    significant = first - (-_finest(-digits)) + 1
    return np.asarray(10.0 ** np.maximum(_finest(last), significant) * scale)


def _finest(values: Times) -> Times:
    padded = np.pad(values, _AROUND, constant_values=np.inf)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1).min(axis=1))
