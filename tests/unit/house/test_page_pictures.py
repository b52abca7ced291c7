"""Pictures of the page in the documents: each is one that the script makes, small, and shown with words."""

import re

from tests.page_pictures import IMAGES, LARGEST_BYTES, PICTURES
from tests.unit.house.documents import documents

SHOWN = {
    (path.parent / target).resolve(): words
    for path in documents()
    for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+/page-[^)]+\.png)\)", path.read_text())
}


def test_the_script_makes_what_the_documents_show_and_nothing_else() -> None:
    assert {path.name for path in SHOWN} == {one.name for one in PICTURES}
    assert {path.parent for path in SHOWN} == {IMAGES}
    assert {path.name for path in IMAGES.glob("page-*.png")} == {one.name for one in PICTURES}


def test_they_are_small_and_have_words_for_those_who_cannot_see_them() -> None:
    for path, words in SHOWN.items():
        assert path.stat().st_size < LARGEST_BYTES, path
        assert len(words) > 25, path
