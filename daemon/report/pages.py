"""Pages: the report as PDF on A4, by matplotlib: words, tables, two figures a page."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from daemon.report.drawing import STYLE, draw_into, has_side_legend
from daemon.report.figure import ReportFigure
from daemon.report.finding import Finding
from daemon.report.material import Material
from daemon.report.network_table import Table
from daemon.report.page_tables import table_pages
from daemon.report.page_text import A4_PT, Paragraph, heading, lines_of, paragraph, text_pages, warning
from daemon.report.statements import facts_of, left_out_of, mark_of, summary_of, warning_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION_PT = 8.0


def pdf_of(
    *,
    material: Material,
    findings: tuple[Finding, ...],
    figures: tuple[ReportFigure, ...],
    tables: tuple[Table, ...],
) -> bytes:
    """Return the pages, numbered, each with the report's name."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    title = f"Energy per image: {material.title}"
    footer = " · ".join(filter(None, (title, mark_of(material).upper())))
    content = io.BytesIO()
    with mpl.rc_context(STYLE), PdfPages(content, metadata={"Title": title, "CreationDate": None}) as pages:
        for number, page in enumerate(_pages(material, title, findings, figures, tables), start=1):
            page.text(0.5, 0.025, f"{footer} · page {number}", ha="center", fontsize=7, parse_math=False)
            pages.savefig(page)
    return content.getvalue()


def _pages(
    material: Material,
    title: str,
    findings: tuple[Finding, ...],
    figures: tuple[ReportFigure, ...],
    tables: tuple[Table, ...],
) -> "Iterable[Figure]":
    yield from text_pages(_words(material, title, findings, figures))
    for table in tables:
        yield from table_pages(table)
    drawn = [one for one in figures if one.missing is None]
    for start in range(0, len(drawn), 2):
        yield _figure_page(drawn[start : start + 2])


def _words(
    material: Material, title: str, findings: tuple[Finding, ...], figures: tuple[ReportFigure, ...]
) -> "Iterable[Paragraph]":
    yield heading(title, size=16)
    if (text := warning_of(material)) is not None:
        yield warning(text)
    yield from map(paragraph, summary_of(material))
    yield heading("The paper's findings, tested")
    for one in findings:
        yield heading(f"{one.claim}: {one.verdict}", size=9.5)
        yield from map(paragraph, one.evidence.splitlines())
        yield paragraph(one.null, size=7.5)
    yield heading("What it was measured with")
    for name, texts in facts_of(material):
        yield paragraph(f"{name}: {'; '.join(texts)}")
    yield heading("What was left out")
    yield from map(paragraph, left_out_of(material) or ["Nothing: every run has a result that is not invalid."])
    if missing := [f"{one.title}: {one.missing}" for one in figures if one.missing]:
        yield heading("Figures that could not be drawn")
        yield from map(paragraph, missing)


def _figure_page(figures: list[ReportFigure]) -> "Figure":
    """Return a page with one figure above the other, each with its caption below it."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(A4_PT[0] / 72, A4_PT[1] / 72))
    for figure, top in zip(figures, (0.94, 0.49), strict=False):
        width = 0.62 if has_side_legend(figure) else 0.82
        bottom = 0.065 if figure.bars else 0.03
        draw_into(page.add_axes((0.11, top - 0.32 + bottom, width, 0.30 - bottom)), figure)
        text = "\n".join(lines_of(figure.caption, size=CAPTION_PT, width_pt=0.84 * A4_PT[0]))
        page.text(0.09, top - 0.345, text, fontsize=CAPTION_PT, va="top", linespacing=1.3, parse_math=False)
    return page
