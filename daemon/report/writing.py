"""Writing: the whole report into a folder: HTML, PDF, LaTeX, and each figure's files."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from daemon.captures import CaptureFiles
from daemon.durable_file import write_together
from daemon.report.figure import ReportFigure
from daemon.report.figure_files import KINDS, figure_files, in_page
from daemon.report.finding import Finding
from daemon.report.findings import judge_findings
from daemon.report.latex import latex_tables
from daemon.report.material import Material
from daemon.report.network_table import Table, tables_of
from daemon.report.number_text import unbroken
from daemon.report.paper_figures import paper_figures
from daemon.report.spectrum_figure import spectrum_figure
from daemon.report.statements import facts_of, left_out_of, mark_of, summary_of, warning_of

Tell = Callable[[str, float], None]
"""Told in a few words what is done next, and which part of all the work is done, 0 to 1."""
TEMPLATE = Path(__file__).with_name("page.html")


def write_report(
    material: Material, files: CaptureFiles, out: Path, *, tell: Tell = lambda _text, _part: None
) -> list[Path]:
    """Write the report, and return its HTML, PDF and LaTeX files; the figures lie in `figures` beside them.

    All is written together once all of it is there, and figures of an earlier report that this one lacks are removed.

    Raises:
        OSError: the disk refused; an earlier report stands.
    """
    from daemon.report.pages import pdf_of

    folder = out / "figures"
    tell("findings", 0.0)
    findings = judge_findings(material)
    tell("spectrum", 0.15)
    mark = mark_of(material)
    drawn = (*paper_figures(material), spectrum_figure(material, files))
    figures, tables = tuple(replace(one, watermark=mark) for one in drawn), tables_of(material)
    contents: dict[Path, str | bytes] = {}
    drawings: dict[str, str] = {}
    for number, figure in enumerate(figures):
        tell(figure.title, 0.35 + 0.4 * number / len(figures))
        if figure.missing is None:
            made = figure_files(figure)
            contents |= {folder / f"{figure.key}.{kind}": content for kind, content in made.items()}
            drawings[figure.key] = in_page(made["svg"])
    tell("PDF", 0.75)
    html, pdf, latex = (out / name for name in ("report.html", "report.pdf", "report.tex"))
    contents[html] = _page(material, figures, findings, tables, drawings)
    contents[latex] = latex_tables(tables, mark=mark)
    contents[pdf] = pdf_of(material=material, findings=findings, figures=figures, tables=tables)
    folder.mkdir(parents=True, exist_ok=True)
    write_together(contents)
    for path in (folder / f"{one.key}.{kind}" for one in figures for kind in KINDS):
        if path not in contents:
            path.unlink(missing_ok=True)
    tell("done", 1.0)
    return [html, pdf, latex]


def _page(
    material: Material,
    figures: tuple[ReportFigure, ...],
    findings: tuple[Finding, ...],
    tables: tuple[Table, ...],
    drawings: dict[str, str],
) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["unbroken"] = unbroken
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    shown = [
        {"key": one.key, "title": one.title, "caption": one.caption, "missing": one.missing}
        | ({"svg": Markup(drawings[one.key])} if one.key in drawings else {})  # noqa: S704  # matplotlib escapes it
        for one in figures
    ]
    return template.render(
        title=material.title, warning=warning_of(material), summary=summary_of(material), facts=facts_of(material),
        left_out=left_out_of(material), tables=[asdict(one) for one in tables], figures=shown,
        findings=[asdict(one) for one in findings],
    )  # fmt: skip
