"""What tests of the lab side can ask for."""

from pathlib import Path

import pytest

from tests.unit.daemon.doctor.sound_storage import copy_of, make_sound_storage


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage in which everything fits together; made once, so only to be copied."""
    return make_sound_storage(tmp_path_factory.mktemp("sound") / "storage")


@pytest.fixture
def storage(sound: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copy_of(sound, tmp_path / "storage")
