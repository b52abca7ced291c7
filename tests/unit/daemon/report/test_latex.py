"""LaTeX: every row has as many cells as columns, every brace a partner, and no character is a command by accident."""

import re
import sys

import pytest

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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("int8 ≥ 10⁻⁶", r"int8 $\geq$ 10$^{-}$$^{6}$"),
        ("<a> |b| −1", r"\textless{}a\textgreater{} \textbar{}b\textbar{} $-$1"),
        ('say "Müller", naïve Łódź', r"say ''M\"{u}ller'', na\"{i}ve \L{}\'{o}d\'{z}"),
        ("[1] x\ty", "{[}1{]} x y"),
        ("H₂O ½ ﬁt", "H$_{2}$O 1/2 fit"),
        ("板 7 ą", "? 7 a"),
        ("µs μs Å", r"$\mu$s $\mu$s \r{A}"),
    ],
)
def test_free_text_is_printed_as_it_is_as_far_as_plain_latex_can(text: str, written: str) -> None:
    table = Table(key="t", title=text, headings=("network", "quality"), rows=((text, text),), notes=(text,))
    latex = latex_tables((table,), mark=text)
    assert f"{written} & {written} \\\\\n" in latex
    assert f"\\caption{{{written} ({written}).}}" in latex
    assert f"\\par\\raggedright {written}\n" in latex


def test_no_character_there_is_leaves_ascii_or_a_brace_open() -> None:
    text = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    latex = latex_tables((Table(key="t", title="T", headings=("network",), rows=((text,),)),), mark="")
    assert latex.isascii()
    bare = latex.replace("\\{", "").replace("\\}", "")
    assert bare.count("{") == bare.count("}")
