"""LaTeX: every row has as many cells as columns, every brace a partner, and no character is a command by accident."""

import re

from daemon.report.latex import latex_tables
from daemon.report.network_table import Table


def test_what_would_be_a_command_is_written_as_itself() -> None:
    rows = (("50% & more_#1 {x} $5 ~^ \\end", "1.0 ± 0.2", "valid"),)
    table = Table(key="t", title="All", headings=("network", "time / ms", "quality"), rows=rows, notes=("10⁹ × µΩ",))
    text = latex_tables((table,), mark="simulated bench")
    row = next(line for line in text.splitlines() if line.startswith("50"))
    name = r"50\% \& more\_\#1 \{x\} \$5 \textasciitilde{}\textasciicircum{} \textbackslash{}end"
    assert row == name + r" & 1.0 $\pm$ 0.2 & valid \\"
    assert "(simulated bench)" in text
    assert r"\begin{tabular}{lrl}" in text
    assert text.isascii()
    assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))
    for begin in re.findall(r"\\begin\{(\w+)\}", text.partition("\n")[2]):
        assert text.count(f"\\end{{{begin}}}") == 1
