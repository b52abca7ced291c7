"""Network tables: the report's tables as texts: networks, all cells, and what stands beside the paper's values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.quantity_text import ABSENT, quantity_text
from daemon.report.material import Material
from daemon.report.measured_cell import MeasuredCell
from daemon.report.result_values import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as texts."""

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """What stands below it, one line each."""


MEASURED = ("time / ms", "power / W", "gross / mJ", "net / mJ", "images/J", "pJ/MAC", "quality")
PLUS_MINUS = (
    "±: expanded uncertainty, 95 %. Energies are per image, power is the mean while it infers, all gross but for net."
)


def tables_of(material: Material) -> tuple[Table, ...]:
    """Return the tables in the report's order."""
    return _networks(material), _beside_the_paper(material), _cells(material)


def _networks(material: Material) -> Table:
    headings = ("network", "batch", "top-1 / % (literature)", "params / M", "ops / G", "memory / MB", *MEASURED)
    rows = tuple((cell.name, str(cell.batch_size), *_counted(cell), *_measured(cell)) for cell in material.smallest)
    notes = (
        f"Each network at its smallest batch. {PLUS_MINUS}",
        "Top-1 accuracy is the literature's, never measured here. Operations are two for each multiply-accumulate.",
    )
    return Table(
        key="networks", title="Networks", headings=headings, rows=rows,
        notes=(*notes, *_degraded_note(material.smallest)),
    )  # fmt: skip


def _cells(material: Material) -> Table:
    several = len({cell.setting for cell in material.cells}) > 1
    headings = ("network", "batch", "runs", "memory / MB", *MEASURED)
    rows = tuple(
        (
            f"{cell.name} ({material.setting_text(cell.setting)})" if several else cell.name,
            str(cell.batch_size),
            str(len(cell.run_ids)),
            _memory(cell),
            *_measured(cell),
        )
        for cell in material.cells
    )
    return Table(
        key="cells", title="All batch sizes", headings=headings, rows=rows,
        notes=(PLUS_MINUS, *_degraded_note(material.cells)),
    )  # fmt: skip


def _beside_the_paper(material: Material) -> Table:
    """Return counted and measured values beside the paper's, and below it why they differ where the paper is wrong."""
    headings = ("network", "params / M", "the paper's", "off by", "ops / G", "the paper's", "off by")
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for cell in material.smallest:
        if not cell.spec or not cell.paper:
            continue
        mark = ""
        if cell.paper.remark:
            notes.append(f"{len(notes) + 1}) {cell.name}: {cell.paper.remark}.")
            mark = f" {len(notes)})"
        params, operations = 1e-6 * cell.spec.params, 1e-9 * cell.spec.ops
        rows.append(
            (
                f"{cell.name}{mark}", f"{params:.2f}", f"{cell.paper.mparams:.2f}", _off(cell.paper.mparams, params),
                f"{operations:.2f}", f"{cell.paper.gops:.2f}", _off(cell.paper.gops, operations),
            )
        )  # fmt: skip
    return Table(
        key="paper", title="Beside the paper's values", headings=headings, rows=tuple(rows),
        notes=(*_claims(material), *notes),
    )  # fmt: skip


def _claims(material: Material) -> tuple[str, ...]:
    """Return the paper's few published measurements, as recalled, with what was measured here."""
    powers = [cell.net_power_w.value for cell in material.shown if cell.net_power_w]
    idles = [cell.idle_w for cell in material.shown if cell.idle_w]
    here = f"{np.mean(powers):.3g} W, standard deviation {np.std(powers, ddof=1):.2g} W" if len(powers) > 1 else ABSENT
    mean_w = (
        Interval(value=float(np.mean([one.value for one in idles])), u95=max(one.u95 for one in idles))
        if idles
        else None
    )
    idle = f"{_text(mean_w)} W" if mean_w else ABSENT
    return (
        f"Net power over networks and batch sizes: the paper about 11.8 W, standard deviation 0.7 W; here {here}. "
        f"Idle power: the paper 1.30 W; here {idle}. The paper's as recalled, on a Jetson TX1: another board, so no "
        "test of it.",
        "The paper publishes no time, power or energy as a table, and no uncertainty.",
    )


def _counted(cell: MeasuredCell) -> tuple[str, ...]:
    spec, paper = cell.spec, cell.paper
    return (
        f"{paper.literature_top1_pct:.2f}" if paper else ABSENT,
        f"{1e-6 * spec.params:.2f}" if spec else ABSENT,
        f"{1e-9 * spec.ops:.2f}" if spec else ABSENT,
        _memory(cell),
    )


def _measured(cell: MeasuredCell) -> tuple[str, ...]:
    return (
        _text(cell.image_s, 1e3), _text(cell.power_w), _text(cell.gross_j, 1e3), _text(cell.net_j, 1e3),
        _text(cell.images_per_joule), _text(cell.picojoule_per_mac), _quality(cell),
    )  # fmt: skip


def _degraded_note(cells: Sequence[MeasuredCell]) -> tuple[str, ...]:
    """Return what a degraded row's reasons mean, each by the words of one of its runs."""
    said = {code: text for cell in cells for code, text in cell.reasons.items() if text}
    if not any(cell.degraded for cell in cells):
        return ()
    examples = "".join(f" {code.replace('_', ' ').capitalize()}, in one run: {text}." for code, text in said.items())
    return (f"Degraded: usable with the reason in mind.{examples}",)


def _quality(cell: MeasuredCell) -> str:
    if not cell.degraded:
        return "valid"
    runs = f" {cell.degraded_runs} of {len(cell.run_ids)}" if cell.degraded_runs < len(cell.run_ids) else ""
    return f"degraded{runs}: {', '.join(cell.reasons).replace('_', ' ')}"


def _memory(cell: MeasuredCell) -> str:
    return f"{1e-6 * cell.memory_bytes:.0f}" if cell.memory_bytes else ABSENT


def _off(published: float, counted: float) -> str:
    return f"{published / counted - 1:+.1%}".replace("+0.0%", "0").replace("-0.0%", "0").replace("%", " %")


def _text(interval: Interval | None, factor: float = 1.0) -> str:
    return ABSENT if interval is None else quantity_text(factor * interval.value, factor * interval.u95)


def columns_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the longest text of each column, in characters."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]
