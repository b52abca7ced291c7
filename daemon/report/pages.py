"""Pages: the report as PDF on A4, by matplotlib."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.report.figure import ReportFigure
from daemon.report.findings import Finding
from daemon.report.material import Material
from daemon.report.network_table import HEADINGS, cells_text, footnotes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A4_IN = (8.27, 11.69)
ROWS_A_PAGE = 30


def write_pdf(
    path: Path,
    *,
    material: Material,
    facts: list[tuple[str, str]],
    findings: tuple[Finding, ...],
    figures: tuple[ReportFigure, ...],
    drawn: "dict[str, Figure]",
) -> None:
    """Write the pages: facts and findings, the table, one page a figure with its caption."""
    from matplotlib.backends.backend_pdf import PdfPages

    lines = [f"{name}: {text}" for name, text in facts] + [""]
    for one in findings:
        lines += [f"{one.claim}: {one.verdict}.", one.evidence, ""]
    lines += [f"{one.title}: {one.missing}" for one in figures if one.missing]
    lines += [f"{one.title}: {one.caption}" for one in figures if not one.missing]
    lines += [f"* {note}" for note in footnotes(material.cells)]
    with PdfPages(path, metadata={"Title": f"Energy per image: {material.title}", "CreationDate": None}) as pages:
        pages.savefig(_text_page(f"Energy per image: {material.title}", lines))
        for start in range(0, len(material.cells), ROWS_A_PAGE):
            pages.savefig(_table_page([cells_text(cell) for cell in material.cells[start : start + ROWS_A_PAGE]]))
        for figure in drawn.values():
            pages.savefig(figure)


def _text_page(title: str, lines: list[str]) -> "Figure":
    from matplotlib.figure import Figure

    page = Figure(figsize=A4_IN)
    page.text(0.08, 0.95, title, fontsize=15, weight="bold", va="top", parse_math=False)
    text = "\n".join("\n".join(textwrap.wrap(line, 112)) for line in lines)
    page.text(0.08, 0.91, text, fontsize=7.5, va="top", linespacing=1.4, parse_math=False)
    return page


def _table_page(rows: list[tuple[str, ...]]) -> "Figure":
    from matplotlib.figure import Figure

    page = Figure(figsize=A4_IN[::-1])
    axes = page.add_axes((0.02, 0.03, 0.96, 0.92))
    axes.axis("off")
    headings = [heading.replace(" / ", "\n/ ").replace(" (", "\n(").replace("% ", "%") for heading in HEADINGS]
    table = axes.table(cellText=[list(row) for row in rows], colLabels=headings, loc="upper center", cellLoc="right")
    table.auto_set_font_size(False)
    table.set_fontsize(5.5)
    table.auto_set_column_width(list(range(len(HEADINGS))))
    for column in range(len(HEADINGS)):
        table[0, column].set_height(0.06)
    return page
