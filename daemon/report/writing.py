"""Writing: the whole report into a folder: HTML, PDF, LaTeX, and each figure's files."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.captures import CaptureFiles
from daemon.report.drawing import draw, svg_of, write_figure
from daemon.report.figure import ReportFigure
from daemon.report.findings import Finding, judge_findings
from daemon.report.material import Material
from daemon.report.network_table import HEADINGS, cells_text, footnotes, latex_table
from daemon.report.paper_figures import paper_figures
from daemon.report.spectrum_figure import spectrum_figure
from metrology.capture import Capture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tell = Callable[[str], None]
TEMPLATE = Path(__file__).with_name("page.html")


def write_report(material: Material, files: CaptureFiles, out: Path, *, tell: Tell = lambda _: None) -> list[Path]:
    """Write the report, and return its HTML, PDF and LaTeX files; the figures lie in `figures` beside them."""
    from daemon.report.pages import write_pdf

    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    tell("spectrum")
    spectrum, capture = spectrum_figure(material, files)
    figures, findings = (*paper_figures(material), spectrum), judge_findings(material)
    drawn: dict[str, Figure] = {}
    for figure in figures:
        tell(figure.title)
        if figure.missing is None:
            drawn[figure.key] = draw(figure)
            write_figure(figure, drawn[figure.key], folder)
    html, pdf, latex = (out / name for name in ("report.html", "report.pdf", "report.tex"))
    facts = facts_of(material, capture)
    html.write_text(_page(material, figures, findings, facts, drawn), encoding="utf-8")
    tell("PDF")
    write_pdf(pdf, material=material, facts=facts, findings=findings, figures=figures, drawn=drawn)
    latex.write_text(latex_table(material.cells), encoding="utf-8")
    return [html, pdf, latex]


def facts_of(material: Material, capture: Capture | None) -> list[tuple[str, str]]:
    """Return with what it was measured."""
    instruments = capture.instruments if capture else {}
    return [
        *((role, identity) for role, identity in instruments.items()),
        ("calibration certificates", ", ".join(material.certificates) or "none: data sheet uncertainties"),
        ("synchronised by", ", ".join(material.syncs)),
        ("boards", ", ".join(sorted({cell.board for cell in material.cells}))),
        ("software", ", ".join(f"joulebench {one}" for one in material.software)),
    ]


def summary_of(material: Material) -> list[str]:
    """Return what was measured and what was left out, in sentences."""
    degraded = sum(cell.degraded for cell in material.cells)
    runs = sum(len(cell.run_ids) for cell in material.cells)
    lines = [f"{runs} runs in {len(material.cells)} rows; {degraded} rows rest on a degraded run (hollow in figures)."]
    lines.append(f"Left out as invalid: {len(material.invalid)}{_listed(material.invalid)}.")
    if material.unmeasured:
        told = ", ".join(f"{count} {state}" for state, count in material.unmeasured.items())
        lines.append(f"Runs without a result: {told}.")
    if len(material.shown) < len(material.cells):
        board, precision, backend = material.main_setting
        words = ", ".join(filter(None, (board, precision, backend)))
        lines.append(f"Figures and findings show {words}, which has most rows; the table shows all.")
    return lines


def _listed(names: tuple[str, ...]) -> str:
    return f" ({', '.join(names[:10])}{', …' if len(names) > 10 else ''})" if names else ""


def _page(
    material: Material,
    figures: tuple[ReportFigure, ...],
    findings: tuple[Finding, ...],
    facts: list[tuple[str, str]],
    drawn: "dict[str, Figure]",
) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text(encoding="utf-8"))
    shown = [
        {"key": one.key, "title": one.title, "caption": one.caption, "missing": one.missing}
        | ({} if one.missing else {"svg": Markup(svg_of(drawn[one.key], one.key))})  # noqa: S704  # matplotlib escapes it
        for one in figures
    ]
    return template.render(
        title=material.title, summary=summary_of(material), facts=facts, headings=HEADINGS, figures=shown,
        rows=[cells_text(cell) for cell in material.cells], notes=footnotes(material.cells),
        findings=[asdict(one) for one in findings],
    )  # fmt: skip
