"""The configuration in force: taken whole or not at all, and what needs a restart is named."""

import logging
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.configuration import Configuration, load_configuration
from daemon.configuration_in_force import RELOADED_KEYS, RELOADED_SECTIONS, ConfigurationInForce, is_reloaded, keys_of
from daemon.errors import DaemonError
from tests.unit.daemon.test_configuration import written


class Lab:
    """A file that somebody edits, and the configuration that goes by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = written(folder)
        self.in_force = ConfigurationInForce(load_configuration(self.path), read=lambda: load_configuration(self.path))
        self.begun_with = self.in_force.current

    def edit(self, *changes: tuple[str, str], more: str = "") -> bool:
        """Write the file, and have it read again."""
        self.path = written(self.folder, *changes)
        self.path.write_text(self.path.read_text() + more)
        return self.in_force.reload()


@pytest.fixture
def lab(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Lab:
    caplog.set_level(logging.INFO)
    return Lab(tmp_path)


def test_what_may_change_is_taken_over_and_told(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    assert lab.edit(more="[runs]\nmax_captures = 7\n[quality]\ndrift_limit = 0.01\n")
    assert lab.in_force.current.runs.max_captures == 7
    assert lab.in_force.current.quality.drift_limit == 0.01
    assert "runs.max_captures: 100 -> 7, from the next run on" in caplog.messages
    assert lab.begun_with.runs.max_captures == 100, "who asked before keeps what it was told"


def test_what_may_not_change_is_named_and_stays(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    assert lab.edit(('name = "b1"', 'name = "b2"'), more="[mqtt]\nport = 99\n[runs]\nmax_captures = 7\n")
    assert lab.in_force.current.bench.name == "b1"
    assert lab.in_force.current.mqtt.port == 1883
    assert lab.in_force.current.runs.max_captures == 7
    assert "changed, but taken over only by a restart: bench.name, mqtt.port" in caplog.messages


@pytest.mark.parametrize(
    "more",
    ["[runs]\nmax_captures = 0\n", "[runs]\nmax_captures = 7\n[nonsense]\n", "not TOML", "[log]\nlevel = 'loud'\n"],
)
def test_an_invalid_file_changes_nothing_and_says_why(lab: Lab, more: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not lab.edit(more=more)
    assert lab.in_force.current is lab.begun_with
    assert "configuration not taken over, all stays as it was" in caplog.text
    assert str(lab.path) in caplog.text


def test_a_file_that_is_gone_changes_nothing(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    lab.path.unlink()
    assert not lab.in_force.reload()
    assert lab.in_force.current is lab.begun_with
    assert "cannot be read" in caplog.text


def test_where_one_cannot_follow_none_does(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    went: list[str] = []

    def willing(_: Configuration) -> Callable[[], None]:
        return lambda: went.append("first")

    def unable(_: Configuration) -> Callable[[], None]:
        raise DaemonError("the second cannot")

    lab.in_force.follow(willing)
    lab.in_force.follow(unable)
    assert not lab.edit(more="[runs]\nmax_captures = 7\n")
    assert went == []
    assert lab.in_force.current is lab.begun_with
    assert "the second cannot" in caplog.text


def test_nothing_new_is_told_too(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    assert lab.edit()
    assert "the configuration is read again: nothing has changed" in caplog.messages


def test_what_came_from_no_file_is_not_read_again(lab: Lab) -> None:
    assert not ConfigurationInForce(lab.begun_with).reload()


def test_a_password_in_a_key_is_never_logged(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    url = 'database_url = "postgresql://lab:geheim@db/x"\n'
    assert lab.edit(("[storage]\n", f"[storage]\n{url}"))
    assert "storage.database_url" in caplog.text
    assert "geheim" not in caplog.text


def test_each_key_that_is_taken_over_exists(lab: Lab) -> None:
    keys = set(keys_of(lab.begun_with))
    assert keys >= RELOADED_KEYS
    assert {key.partition(".")[0] for key in keys} >= RELOADED_SECTIONS


def test_what_opens_a_connection_or_a_store_is_not_taken_over(lab: Lab) -> None:
    fixed = [key for key in keys_of(lab.begun_with) if not is_reloaded(key)]
    for key in ("bench.name", "mqtt.host", "oscilloscope.resource", "power_supply.max_voltage_v", "storage.directory"):
        assert key in fixed


def test_the_page_names_each_key_that_is_taken_over(repository: Path) -> None:
    page = (repository / "docs" / "how-to" / "operate.md").read_text()
    text = page.split("## Change the configuration")[1].split("\n## ")[0]
    for name in (*(f"[{one}]" for one in RELOADED_SECTIONS), *RELOADED_KEYS):
        assert f"`{name}`" in text, name
    example = text.split("```toml\n")[1].split("```")[0]
    assert all(is_reloaded(f"{section}.{key}") for section, keys in tomllib.loads(example).items() for key in keys)
