"""The script that takes the documents' pictures makes them, of a bench that it calibrates and measures with."""

from pathlib import Path

import pytest
from PIL import Image

from tests.integration.page_stage import needs_chromium
from tests.page_pictures import LARGEST_BYTES, PICTURES, take

pytestmark = [*needs_chromium, pytest.mark.long]


async def test_every_picture_is_taken_and_small(tmp_path: Path) -> None:
    await take(PICTURES, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {one.name for one in PICTURES}
    for one in PICTURES:
        path = tmp_path / one.name
        assert path.stat().st_size < LARGEST_BYTES, one.name
        with Image.open(path) as found:
            assert found.size == (one.width, one.height)
            assert len(found.convert("RGB").getcolors(1 << 24) or ()) > 20, "something is drawn"
