"""Result values: the numbers of one run's result that the report needs, whatever measured it; None: it has none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.records import ResultRecord, RunRecord

Pair = tuple[RunRecord, ResultRecord]
NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution, by its median absolute deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its expanded uncertainty at 95 %, same unit; the unit is in the holder's name."""

    value: float
    u95: float


def quantity_of(pair: Pair, key: str) -> Interval | None:
    """Return a quantity of the result."""
    found = pair[1].document.get(key)
    if not isinstance(found, Mapping) or found.get("value") is None:
        return None
    return Interval(value=float(found["value"]), u95=float(found.get("expanded_uncertainty_95") or 0.0))


def image_s_of(pair: Pair) -> float | None:
    """Return the time per image, in seconds."""
    document = pair[1].document
    if duration := document.get("image_duration_s"):
        return float(duration)
    return 1 / float(document["images_per_s"]) if document.get("images_per_s") else None


def net_power_w_of(pair: Pair) -> Interval | None:
    """Return the power above idle, in watts: net energy by time, so that errors both levels share count once."""
    net_j, image_s = quantity_of(pair, "net_energy_per_image_j"), image_s_of(pair)
    if net_j is None or not image_s:
        return None
    return Interval(value=net_j.value / image_s, u95=net_j.u95 / image_s)


def gain_uncertainty_of(pair: Pair) -> float | None:
    """Return the relative standard uncertainty of all factors: what a difference of two levels of one record keeps.

    Additive errors of the current (zero, offset, their drift) are in idle and loaded alike. What is this run's own
    is left to the scatter of the repeats, which shows it for the power itself: that of the energy is mostly that of
    the time.
    """
    document, gross_j = pair[1].document, quantity_of(pair, "gross_energy_per_image_j")
    terms = [one for one in document.get("budget") or () if one.get("common")]
    if not terms or gross_j is None or not gross_j.value > 0:
        return None
    factors = [one["standard_uncertainty_j"] for one in terms if not str(one.get("quantity", "")).endswith("(A)")]
    return math.hypot(*factors) / gross_j.value if factors else 0.0


def own_energy_uncertainty_of(pair: Pair) -> float:
    """Return the relative standard uncertainty of the gross energy that this run shares with no other."""
    document, gross_j = pair[1].document, quantity_of(pair, "gross_energy_per_image_j")
    own = [one["standard_uncertainty_j"] for one in document.get("budget") or () if not one.get("common")]
    return math.hypot(*own) / gross_j.value if own and gross_j is not None and gross_j.value > 0 else 0.0


def batch_scatter_s_of(pair: Pair) -> float:
    """Return the standard uncertainty of the time per image by the scatter of the run's own batches, in seconds."""
    times = (pair[0].finished or {}).get("times") or {}
    if not times.get("mad_ns") or not times.get("batches"):
        return 0.0
    return 1e-9 * NORMAL_MAD * float(times["mad_ns"]) / math.sqrt(times["batches"]) / pair[0].batch_size


def memory_bytes_of(pair: Pair) -> int | None:
    """Return the most that the board's process had in physical memory, in bytes."""
    found = ((pair[0].finished or {}).get("memory") or {}).get("peak_process_bytes")
    return None if found is None else int(found)


def reasons_of(pair: Pair) -> dict[str, str]:
    """Return why a result is degraded, code and words; the word itself where it does not say."""
    if pair[1].quality != "degraded":
        return {}
    found = pair[1].document.get("reasons") or [{"code": "degraded"}]
    return {str(reason["code"]): str(reason.get("text") or "") for reason in found}
