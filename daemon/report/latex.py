"""LaTeX: the report's tables for a paper, with the package booktabs."""

from daemon.report.network_table import Table

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "–": "--",
        "µ": r"$\mu$",
        "Ω": r"$\Omega$", "⁹": r"$^{9}$", "²": r"$^{2}$", "·": r"$\cdot$",
    }
)  # fmt: skip
HEAD = "% Put \\usepackage{booktabs} before \\begin{document}, then \\input this file.\n"


def latex_tables(tables: tuple[Table, ...], *, mark: str) -> str:
    """Return one `table` for each; words that LaTeX would read as commands are escaped.

    Args:
        tables: what to write.
        mark: words for every caption, as that the bench is simulated; empty: none.
    """
    return HEAD + "\n".join(_table(one, mark=mark) for one in tables)


def _table(table: Table, *, mark: str) -> str:
    words = {"quality": "l", "network": "l"}
    columns = "".join(words.get(heading, "r") for heading in table.headings)
    caption = f"{table.title}{f' ({mark})' if mark else ''}."
    lines = [
        r"\begin{table}", r"\centering\scriptsize", f"\\caption{{{_escaped(caption)}}}", f"\\label{{tab:{table.key}}}",
        f"\\begin{{tabular}}{{{columns}}}", r"\toprule", _row(table.headings), r"\midrule",
        *(_row(row) for row in table.rows), r"\bottomrule", r"\end{tabular}",
        *(f"\\par\\raggedright {_escaped(note)}" for note in table.notes), r"\end{table}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(texts: tuple[str, ...]) -> str:
    return " & ".join(map(_escaped, texts)) + r" \\"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
