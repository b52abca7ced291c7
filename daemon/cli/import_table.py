"""Import table: what a recording shows, as tables for people and as a document for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from instruments.recordings.recording import Recording
    from metrology.analysis import RunAnalysis


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEnergy:
    """One inference window, measured; its fields are keys of the JSON document."""

    start_s: float
    """Start, in seconds from the first sample."""
    end_s: float
    """End, in seconds from the first sample."""
    energy_j: float
    """Energy of the window, from the samples, in joules."""
    mean_power_w: float
    """Mean power in the window, in watts."""
    images: int | None
    """Images inferred in it; None where nobody says."""
    energy_per_image_j: float | None
    """Energy of one image, in joules; None without their number."""


def measure_windows(recording: "Recording") -> list[WindowEnergy]:
    """Return each inference window of a recording with its energy, computed from the samples."""
    from metrology.power import energy_j, mean_power_w

    measured = []
    for window, images in zip(recording.windows, recording.images, strict=True):
        window_j = energy_j(recording.record, window)
        measured.append(
            WindowEnergy(
                start_s=window.start_s,
                end_s=window.end_s,
                energy_j=window_j,
                mean_power_w=mean_power_w(recording.record, window),
                images=images,
                energy_per_image_j=None if images is None else window_j / images,
            )
        )
    return measured


def recording_document(recording: "Recording", summary: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a recording as JSON values; windows found in the power say whether they are sure, or why not."""
    windows = [asdict(one) for one in measure_windows(recording)]
    if recording.sync == "step":
        pairs = zip(windows, recording.doubts, strict=True)
        windows = [one | {"confident": doubt is None, "reason": doubt} for one, doubt in pairs]
    return {
        "sample_rate_hz": sample_rate_hz(recording),
        "sync": recording.sync,
        "instrument": recording.identity,
        "windows": windows,
        "result": None if summary is None else dict(summary),
    }


def sample_rate_hz(recording: "Recording") -> float:
    """Return the rate of the file, in hertz."""
    return recording.sample_rate_hz if recording.series is None else recording.series.sample_rate_hz


def windows_table(recording: "Recording", *, title: str) -> Table:
    """Return one line a window."""
    energies = measure_windows(recording)
    stepped = recording.sync == "step"
    table = Table(title=escape(title), caption="No windows were found." if not energies else None)
    for name in ("start / s", "end / s", "energy / J", "mean power / W", "images", "energy per image / J"):
        table.add_column(name, justify="right")
    if stepped:
        table.add_column("confident")
    judgements = [[doubt or "yes"] for doubt in recording.doubts] if stepped else [[] for _ in energies]
    for one, judgement in zip(energies, judgements, strict=True):
        per_image = "-" if one.energy_per_image_j is None else f"{one.energy_per_image_j:.6g}"
        images = "-" if one.images is None else str(one.images)
        edges = (f"{one.start_s:.3f}", f"{one.end_s:.3f}")
        table.add_row(*edges, f"{one.energy_j:.6g}", f"{one.mean_power_w:.6g}", images, per_image, *judgement)
    return table


def summary_document(analysis: "RunAnalysis", *, images_known: bool) -> dict[str, Any]:
    """Return what all windows together say, as JSON values; energies per image are null without their number."""
    from daemon.result_message import quantities_of, reasons_of

    quantities: dict[str, Any] = {
        name: None if value is None else value.model_dump(mode="json")
        for name, value in quantities_of(analysis).items()
        if name != "budget"
    }
    if not images_known:
        quantities |= {name: None for name in quantities if name.endswith("per_image_j")}
    return {
        **quantities,
        "quality": analysis.verdict.value,
        "reasons": [one.model_dump(mode="json") for one in reasons_of(analysis)],
    }


def summary_lines(summary: Mapping[str, Any], *, apart: bool) -> Sequence[str]:
    """Return what all windows together say, in lines for people.

    Args:
        summary: from `summary_document`, or of the store.
        apart: what lies between the windows counts nowhere.
    """
    which = "of all windows" if apart else "from the first window to the last"
    inside = {} if apart else {"batch_energy_per_image_j": ("inside the windows alone", "J")}
    names = {
        "gross_energy_per_image_j": (f"gross energy per image, {which}", "J"),
        **inside,
        "net_energy_per_image_j": ("net energy per image", "J"),
        "mean_power_w": ("mean power", "W"),
        "idle_power_w": ("idle power", "W"),
    }
    lines = [f"{text}: {_quantity(summary.get(name), unit)}" for name, (text, unit) in names.items()]
    if (run_id := summary.get("run_id")) is not None:
        lines.insert(0, f"run: {run_id}")
    reasons = [f"{one['code']}: {one['text']}" for one in summary["reasons"]]
    return [*lines, f"quality: {summary['quality']}", *reasons]


def _quantity(value: Mapping[str, Any] | None, unit: str) -> str:
    from daemon.quantity_text import quantity_text

    if value is None:
        return "-"
    return quantity_text(value["value"], value["expanded_uncertainty_95"], unit=unit) + " (95 %)"
