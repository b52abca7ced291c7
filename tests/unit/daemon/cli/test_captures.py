"""`joulebench captures prune`: nothing is deleted unless that is said, and what results refer to is told."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from daemon.cli.main import app
from tests.unit.daemon.cli.test_doctor import CONFIGURATION
from tests.unit.daemon.doctor.sound_storage import store_of, write_capture


@pytest.fixture
def config(storage: Path) -> Path:
    with store_of(storage) as store:
        store.add_capture("given-up", 0, write_capture(storage, "given-up", 0), at_utc_ns=1)
    path = storage / "bench.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def invoke(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["captures", "prune", "--config", str(config), *arguments])


def count(config: Path) -> int:
    return len(list((config.parent / "captures").iterdir()))


def test_without_delete_it_only_tells(config: Path) -> None:
    result = invoke(config, "--max-bytes", "0")
    assert result.exit_code == 0
    assert "would be removed: captures of 1 run, " in result.stdout
    assert "results that refer to them: 0" in result.stdout
    assert "beyond the limits, but kept since results refer to them: captures of 6 runs" in result.stderr
    assert "more than the limit" in result.stderr
    assert "nothing was deleted; --delete deletes" in result.stderr
    assert count(config) == 14
    document = json.loads(invoke(config, "--max-bytes", "0", "--json").stdout)
    assert (document["deleted"], [one["run_id"] for one in document["removals"]]) == (False, ["given-up"])
    assert len(document["spared"]) == 6
    assert document["over_limit_bytes"] == document["kept_bytes"] > 0


def test_with_delete_it_deletes(config: Path) -> None:
    result = invoke(config, "--max-age-days", "0.5", "--delete")
    assert (result.exit_code, count(config)) == (0, 13)
    assert "removed: captures of 1 run, " in result.stdout

    config.write_text(CONFIGURATION + "[retention]\nmax_bytes = 0\nincluding_referenced = true\n", encoding="utf-8")
    document = json.loads(invoke(config, "--delete", "--json").stdout)
    assert document["deleted"] is True
    assert len(document["removals"]) == 6
    assert (document["kept_bytes"], document["spared"], document["failures"]) == (0, [], [])
    assert count(config) == 1
    shown = CliRunner().invoke(app, ["runs", "show", "run-0", "--config", str(config)])
    text = " ".join(shown.stdout.replace("│", " ").split())
    assert "run-0-0.parquet (removed by retention on 20" in text
    assert "captures took more than 0 B" in text


def test_a_dry_run_may_be_asked_for_by_name(config: Path) -> None:
    result = invoke(config, "--max-age-days", "0.5", "--dry-run")
    assert (result.exit_code, count(config)) == (0, 14)
    assert "would be removed: captures of 1 run, " in result.stdout


def test_the_bar_comes_to_its_end(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr("daemon.cli.captures.part_bars", lambda: nullcontext(lambda *step: told.append(step)))
    invoke(config, "--max-bytes", "0", "--including-referenced", "--delete")
    assert told == [("runs", done, 7) for done in range(1, 8)]


def test_what_could_not_be_removed_ends_with_status_1(config: Path) -> None:
    path = config.parent / "captures" / "given-up-0.parquet"
    path.unlink()
    path.mkdir()
    result = invoke(config, "--max-age-days", "0.5", "--delete")
    assert result.exit_code == 1
    assert f"not removed: {path}" in result.stderr


@pytest.mark.parametrize(
    "arguments", [[], *(["--max-age-days", text] for text in ("0", "nan", "inf")), ["--max-bytes", "-1"]]
)
def test_a_limit_is_needed(config: Path, arguments: list[str]) -> None:
    result = invoke(config, *arguments)
    assert result.exit_code == 2
    assert count(config) == 14
