"""Profile tables: memory, each figure labelled computed or measured, and times, a row for each batch size."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from daemon.quantity_text import ABSENT
from runners.size_text import size_text

_MEMORY = (
    ("computed", "parameters_bytes", "parameters,\ncomputed"),
    ("computed", "buffers_bytes", "buffers,\ncomputed"),
    ("computed", "input_bytes", "images,\ncomputed"),
    ("computed", "activations_peak_bytes", "activations at\nonce, computed"),
    ("measured", "process_before_bytes", "process before,\nmeasured"),
    ("measured", "process_loaded_bytes", "process loaded,\nmeasured"),
    ("measured", "process_peak_bytes", "process at most,\nmeasured"),
    ("measured", "device_peak_bytes", "device at most,\nmeasured"),
)
"""Part and key of the document, and the column's heading."""


def memory_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the memory of each batch size; what does not fit has its computed figures alone."""
    table = Table("batch", title="memory")
    for _, _, heading in _MEMORY:
        table.add_column(heading, justify="right")
    for row in rows:
        sizes = [(row[part] or {}).get(key) for part, key, _ in _MEMORY]
        table.add_row(str(row["batch_size"]), *(ABSENT if size is None else size_text(size) for size in sizes))
    return table


def time_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the times of each batch size, in milliseconds for the whole batch but where it says otherwise."""
    table = Table("batch", title="time of a batch in ms")
    for heading in ("batches", "median", "quartiles", "MAD", "shortest", "longest", "median of an image", "images/s"):
        table.add_column(heading, justify="right")
    table.add_column("drift, first to last (95 %)")
    for row in rows:
        table.add_row(str(row["batch_size"]), *(["refused"] if row["time"] is None else _time_cells(row["time"])))
    return table


def refusal_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield why each batch size that was refused was."""
    for row in rows:
        if row["refused"]:
            yield f"batch {row['batch_size']} refused ({row['refused']['reason']}): {row['refused']['text']}"


def _time_cells(times: dict[str, Any]) -> Iterator[str]:
    yield str(times["batches"])
    yield _ms(times["median_s"])
    yield f"{_ms(times['lower_quartile_s'])} to {_ms(times['upper_quartile_s'])}"
    for name in ("mad_s", "shortest_s", "longest_s", "image_s"):
        yield _ms(times[name])
    yield f"{times['images_per_s']:.4g}"
    yield _drift_text(times["drift"])


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.4g}"


def _drift_text(drift: dict[str, Any] | None) -> str:
    if drift is None:
        return ABSENT
    text = f"{drift['relative']:+.1%} ({drift['low']:+.1%} to {drift['high']:+.1%})"
    return f"{text} gets {drift['direction']}" if drift["notable"] else text
