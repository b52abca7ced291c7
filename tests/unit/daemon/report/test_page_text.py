"""Page text and tables: nothing is cut, whatever its length."""

from daemon.report.network_table import Table
from daemon.report.page_tables import PAGE_PT, SIZES_PT, table_pages
from daemon.report.page_text import MARGIN_PT, heading, lines_of, paragraph, text_pages


def written(pages) -> str:
    return " ".join(text.get_text() for page in pages for text in page.texts)


def test_long_text_goes_on_over_pages_with_every_word() -> None:
    words = [f"word{number}" for number in range(3000)]
    pages = list(text_pages([heading("Title"), paragraph(" ".join(words))]))
    assert len(pages) >= 3
    assert written(pages).split() == ["Title", *words]
    assert all(text.get_position()[1] > 0.04 for page in pages for text in page.texts), "above the page's foot"


def test_a_heading_does_not_stand_alone_at_the_foot() -> None:
    pages = list(text_pages([paragraph("line", size=10)] * 47 + [heading("Last"), paragraph("what belongs to it")]))
    last = [text.get_text() for text in pages[-1].texts]
    assert last.index("Last") + 1 == last.index("what belongs to it")


def test_a_long_table_has_its_headings_on_every_page_and_all_its_rows_and_notes() -> None:
    rows = tuple((f"net{n}", "1 ± 2", "degraded: a very long reason, and another one, and one more") for n in range(90))
    table = Table(key="k", title="T", headings=("network", "x / mJ", "quality"), rows=rows, notes=("a note",))
    pages = list(table_pages(table))
    assert len(pages) > 2
    assert all("network" in [text.get_text() for text in page.texts] for page in pages)
    assert all(f"net{n}" in written(pages).split() for n in range(90))
    assert "a note" in written(pages[-1:])


def test_a_wide_table_stays_within_the_margins_at_no_less_than_the_least_size() -> None:
    headings = ("network", "batch", *(f"{name} / mJ" for name in "abcdefghi"), "quality")
    row = ("Inception-v4", "1", *["14000 ± 18000"] * 9, "degraded 1 of 2: no whole batch, too few batches, uncertain")
    (page,) = table_pages(Table(key="k", title="T", headings=headings, rows=(row,)))
    edges = [line.get_xdata() for line in page.artists]
    assert edges
    assert all(min(ends) * PAGE_PT[0] >= MARGIN_PT - 0.1 for ends in edges)
    assert all(max(ends) * PAGE_PT[0] <= PAGE_PT[0] - MARGIN_PT + 0.1 for ends in edges)
    assert min(text.get_fontsize() for text in page.texts) >= SIZES_PT[-1]
    assert " ".join(written([page]).split()).endswith("uncertain")


def test_no_number_is_parted_from_its_unit_or_sign_at_a_lines_end() -> None:
    text = "R² = 0.87 and 9400 ± 7400 mJ (p < 0.0001) of 95 % " * 40
    lines = [line for width in range(60, 200, 7) for line in lines_of(text, size=8, width_pt=width)]
    assert not any(line.startswith(("=", "±", "%", "<")) or line.endswith(("=", "±", "<")) for line in lines)
    assert {word for line in lines for word in line.split()} == set(text.split())


def test_an_empty_table_takes_no_page() -> None:
    assert list(table_pages(Table(key="k", title="T", headings=("a",), rows=()))) == []
