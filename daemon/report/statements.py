"""Statements: what a report says in sentences: what was measured with what, and what was left out."""

from daemon.report.material import Material
from daemon.report.provenance import time_text

SIMULATED = (
    "This is a SIMULATED bench. The oscilloscope, the probe, the supply and the board's current are computed, and "
    "no joule here was spent by a board. What is found of power and energy is found of the simulation. Times and "
    "memory are of the computer that ran the networks."
)


UNKNOWN_ORIGIN = (
    "It is NOT KNOWN whether this is a simulated bench: no capture is kept that names its oscilloscope. If it is one, "
    "no joule here was spent by a board."
)
SHORT = {True: "simulated bench", None: "not known whether simulated", False: ""}
"""The same in few words, for whoever cuts a figure or a table out of the report."""


def warning_of(material: Material) -> str | None:
    """Return what a reader must know before anything else; None where there is nothing."""
    return {True: SIMULATED, None: UNKNOWN_ORIGIN, False: None}[material.provenance.simulated]


def mark_of(material: Material) -> str:
    """Return the words that every figure, table and page bears; empty where a real bench measured all."""
    return SHORT[material.provenance.simulated]


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
        words = material.setting_text(material.main_setting)
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
        *([("calibration certificates", certificates)] if certificates else []),
        *([("imported from", found.imports)] if found.imports else []),
        ("synchronised by", found.syncs),
        ("boards", found.boards),
        ("software", tuple(f"joulebench {one}" for one in found.software)),
    ]
