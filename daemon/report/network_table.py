"""Network table: the report's one table, as texts, and as LaTeX."""

from daemon.quantity_text import ABSENT, quantity_text
from daemon.report.measured_cell import Interval, MeasuredCell

HEADINGS = (
    "network", "batch", "top-1 % (literature)", "parameters / M", "paper's", "operations / G", "paper's", "memory / MB",
    "time / ms", "power / W", "gross / mJ", "net / mJ", "images/J", "pJ/MAC", "quality",
)  # fmt: skip
_LATEX = str.maketrans({"%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "\\": " ",
                        "±": r"$\pm$", "–": "--", "~": " ", "^": " "})  # fmt: skip


def cells_text(cell: MeasuredCell) -> tuple[str, ...]:
    """Return one row; the quality names what degrades it."""
    spec, paper = cell.spec, cell.paper
    return (
        f"{cell.name}{_remark_mark(cell)}", str(cell.batch_size),
        f"{paper.literature_top1_pct:.2f}" if paper else ABSENT,
        f"{1e-6 * spec.params:.2f}" if spec else ABSENT, f"{paper.mparams:.2f}" if paper else ABSENT,
        f"{1e-9 * spec.ops:.2f}" if spec else ABSENT, f"{paper.gops:.2f}" if paper else ABSENT,
        f"{1e-6 * cell.memory_bytes:.0f}" if cell.memory_bytes else ABSENT,
        f"{1e3 * cell.image_s:.4g}" if cell.image_s else ABSENT,
        _text(cell.power_w), _text(cell.gross_j, 1e3), _text(cell.net_j, 1e3), _text(cell.images_per_joule),
        _text(cell.picojoule_per_mac), "valid" if not cell.degraded else f"degraded: {', '.join(cell.reasons)}",
    )  # fmt: skip


def footnotes(cells: tuple[MeasuredCell, ...]) -> tuple[str, ...]:
    """Return why the paper's value of a network differs from what is counted here, once for each."""
    found = {cell.name: cell.paper.remark for cell in cells if cell.paper and cell.paper.remark}
    return tuple(f"{name}: {remark}." for name, remark in found.items())


def latex_table(cells: tuple[MeasuredCell, ...]) -> str:
    """Return the table for LaTeX, with nothing but the standard classes."""
    lines = [r"\begin{tabular}{l" + "r" * (len(HEADINGS) - 2) + "l}", r"\hline", _latex_row(HEADINGS), r"\hline"]
    lines += [_latex_row(cells_text(cell)) for cell in cells]
    return "\n".join([*lines, r"\hline", r"\end{tabular}", *(f"% * {note}" for note in footnotes(cells))]) + "\n"


def _latex_row(texts: tuple[str, ...]) -> str:
    return " & ".join(text.translate(_LATEX) for text in texts) + r" \\"


def _remark_mark(cell: MeasuredCell) -> str:
    return "*" if cell.paper and cell.paper.remark else ""


def _text(interval: Interval | None, factor: float = 1.0) -> str:
    return ABSENT if interval is None else quantity_text(factor * interval.value, factor * interval.u95)
