"""Statements: what a report says in sentences: what was measured with what, and what was left out."""

from daemon.report.material import Material
from daemon.report.provenance import time_text

SIMULATED = (
    "This is a SIMULATED bench. The oscilloscope, the probe, the supply and the board's current are computed, and "
    "no joule here was spent by a board. What is found of power and energy is found of the simulation. Times and "
    "memory are of the computer that ran the networks."
)


def warning_of(material: Material) -> str | None:
    """Return what a reader must know before anything else; None where there is nothing."""
    return SIMULATED if material.provenance.simulated else None


def summary_of(material: Material) -> list[str]:
    """Return what was measured and how good it is, in sentences."""
    runs = material.valid_runs + material.degraded_runs
    begun, ended = map(time_text, (material.provenance.first_utc_ns, material.provenance.last_utc_ns))
    degraded = sum(cell.degraded for cell in material.cells)
    lines = [
        f"{runs + len(material.left_out)} runs from {begun} to {ended} UTC: {material.valid_runs} valid, "
        f"{material.degraded_runs} degraded, {len(material.invalid)} invalid, "
        f"{len(material.left_out) - len(material.invalid)} without a result.",
        f"{_rows(len(material.cells))} on the valid and degraded ones. No number rests on an invalid run.",
    ]
    if degraded:
        lines[1] += f" {_rows(degraded)} on a degraded run, marked in the tables and hollow in figures."
    if len(material.shown) < len(material.cells):
        words = ", ".join(filter(None, material.main_setting))
        lines.append(f"Figures and findings show {words}, which has most rows; the table of all batch sizes shows all.")
    return lines


def _rows(count: int) -> str:
    return "1 row rests" if count == 1 else f"{count} rows rest"


def left_out_of(material: Material) -> list[str]:
    """Return each run that was left out, and why."""
    return [f"{one.run_id} ({one.what}), {one.state}: {one.why}" for one in material.left_out]


def facts_of(material: Material) -> list[tuple[str, tuple[str, ...]]]:
    """Return with what it was measured, a name and what there is to say of it."""
    found = material.provenance
    certificates = found.certificates
    if found.uncalibrated_runs:
        text = f"{found.uncalibrated_runs} runs used none: the limits of the data sheets are their uncertainty"
        certificates = (*certificates, text)
    return [
        *((role.replace("_", " "), texts) for role, texts in found.instruments.items()),
        *([] if found.instruments else [("instruments", ("not known: no capture says",))]),
        ("captures", (f"{found.captures} read", *found.unread)),
        ("settings", found.settings or ("not known: no capture says",)),
        ("calibration certificates", certificates),
        ("synchronised by", found.syncs),
        ("boards", found.boards),
        ("software", tuple(f"joulebench {one}" for one in found.software)),
    ]
