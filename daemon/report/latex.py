"""LaTeX: the report's tables for a paper, with the package booktabs."""

import unicodedata

from daemon.report.network_table import Table

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "[": "{[}", "]": "{]}", "±": r"$\pm$", "×": r"$\times$",
    "·": r"$\cdot$", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "≈": r"$\approx$", "≠": r"$\neq$", "∞": r"$\infty$",
    "→": r"$\to$", "√": r"$\surd$", "°": r"$^{\circ}$", "–": "--", "—": "---", "⁄": "/", "…": r"\ldots{}",
    "‘": "`", "’": "'",
    "“": "``", "”": "''", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ł": r"\l{}",
    "Ł": r"\L{}", "ı": r"\i{}", "§": r"\S{}", "α": r"$\alpha$", "β": r"$\beta$", "Δ": r"$\Delta$", "λ": r"$\lambda$",
    "μ": r"$\mu$", "π": r"$\pi$", "σ": r"$\sigma$", "τ": r"$\tau$", "Ω": r"$\Omega$", "ω": r"$\omega$",
}  # fmt: skip
_ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=", "\u0306": r"\u",
    "\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H", "\u030c": r"\v", "\u0327": r"\c",
}  # fmt: skip
_RAISED = {"<super>": "^", "<sub>": "_"}
UNKNOWN = "?"
"""Stands for a character that plain LaTeX has no name for here."""
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
    """Return text that LaTeX prints as it is, in ASCII: a name of any board or network is no command."""
    return "".join(map(_character, unicodedata.normalize("NFC", text)))


def _character(one: str) -> str:
    if (known := _ESCAPES.get(one)) is not None:
        return known
    if one.isascii():
        return one if one.isprintable() else " "
    parts, kind = unicodedata.normalize("NFKD", one), unicodedata.decomposition(one).partition(" ")[0]
    if parts == one:
        return "" if unicodedata.combining(one) else UNKNOWN
    if kind in _RAISED:
        return f"${_RAISED[kind]}{{{'-' if parts == '−' else ''.join(map(_character, parts))}}}$"
    if len(parts) == 2 and parts[0].isalpha() and parts[1] in _ACCENTS:
        return f"{_ACCENTS[parts[1]]}{{{_character(parts[0])}}}"
    return "".join(map(_character, parts))
