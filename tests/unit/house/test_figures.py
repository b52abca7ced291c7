"""Figures of the documents: readable on light and dark pages, with labels that do not run into each other."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree  # the repository's own files

import pytest

from daemon.configuration import Configuration
from tests.unit.house.documents import REPOSITORY, documents

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = sorted((REPOSITORY / "docs" / "images").glob("*.svg"))
LETTER = 0.55
"""Mean width of a letter as a part of the type size, with some room: DejaVu Sans, the widest of the figures' fonts."""

Box = tuple[str, float, float, float, float]
"""Text, left, right, top and bottom."""


def boxes(element: ElementTree.Element, *, size: float = 0, anchor: str = "start") -> Iterator[Box]:
    """Yield roughly what each text covers; size and anchor are inherited."""
    size = float(element.get("font-size", size))
    anchor = element.get("text-anchor", anchor)
    if element.tag == f"{SVG}text":
        text = "".join(element.itertext())
        width, x, y = LETTER * size * len(text), float(element.get("x", 0)), float(element.get("y", 0))
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        yield text, left, left + width, y - 0.75 * size, y + 0.2 * size
    for child in element:
        yield from boxes(child, size=size, anchor=anchor)


def collisions(root: ElementTree.Element) -> list[tuple[str, str]]:
    return [
        (one[0], other[0])
        for one, other in combinations(boxes(root), 2)
        if min(one[2], other[2]) > max(one[1], other[1]) and min(one[4], other[4]) > max(one[3], other[3])
    ]


@pytest.fixture(params=FIGURES, ids=[path.name for path in FIGURES])
def root(request: pytest.FixtureRequest) -> ElementTree.Element:
    return ElementTree.parse(request.param).getroot()


def test_it_stands_on_white(root: ElementTree.Element) -> None:
    background = root.find(f"{SVG}rect")
    assert background is not None
    assert [background.get(name) for name in ("width", "height", "fill")] == [
        root.get("width"),
        root.get("height"),
        "#ffffff",
    ]
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root.get("fill"), "text without colour of its own is black on every page"


def test_it_says_what_it_shows_in_type_that_can_be_read(root: ElementTree.Element) -> None:
    assert root.findtext(f"{SVG}title")
    assert "sans-serif" in root.get("font-family", "")
    sizes = [float(element.get("font-size", 99)) for element in root.iter()]
    assert min(sizes) >= 16


def test_no_label_runs_into_another_or_off_the_figure(root: ElementTree.Element) -> None:
    assert not collisions(root)
    width = float(root.get("width", 0))
    assert not [text for text, left, right, *_ in boxes(root) if left < 0 or right > width]


def test_labels_that_run_into_each_other_are_seen() -> None:
    texts = "<text x='0' y='20'>one two</text><text x='60' y='30'>three</text><text x='0' y='60'>four</text>"
    root = ElementTree.fromstring(f"<svg xmlns='{SVG[1:-1]}' font-size='20'>{texts}</svg>")
    assert collisions(root) == [("one two", "three")]


def test_each_key_of_the_configuration_in_a_figure_exists() -> None:
    texts = " ".join(path.read_text() for path in FIGURES)
    keys = {
        key for field in Configuration.model_fields.values() for key in getattr(field.annotation, "model_fields", ())
    }
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", texts))
    assert named
    assert named <= keys


def test_each_figure_is_shown_with_words_for_those_who_cannot_see_it() -> None:
    shown = {
        (path.parent / target).resolve(): words
        for path in documents()
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+\.svg)\)", path.read_text())
    }
    assert set(shown) == {Path(path) for path in FIGURES}
    assert all(len(words) > 40 for words in shown.values())
