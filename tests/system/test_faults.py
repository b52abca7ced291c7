"""Faults of every kind strike a lab of real processes and a real broker; nothing is lost, doubled, torn or wrong."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from daemon.verify.faults.attacks import FaultName
from tests.mosquitto import mosquitto_path

pytestmark = [pytest.mark.system, pytest.mark.mosquitto, pytest.mark.timeout(600)]

CRIMES = ("lost", "duplicated", "torn_files", "wrong_valid", "stuck")


def verified(*arguments: str) -> dict[str, object]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    result = CliRunner().invoke(app, ["verify", "faults", "--json", *arguments])
    assert result.stdout, result.output
    report: dict[str, object] = json.loads(result.stdout)
    assert {name: report[name] for name in CRIMES} == dict.fromkeys(CRIMES, 0), result.stderr
    assert result.exit_code == 0, result.output
    return report


@pytest.mark.long
def test_each_fault_is_survived(tmp_path: Path) -> None:
    kinds, log = len(FaultName), tmp_path / "log.jsonl"
    arguments = ("--count", str(2 * kinds), "--seed", "5", "--resume", str(log), "--keep", str(tmp_path / "kept"))
    report = verified(*arguments)
    assert list(report) == ["runs", "faults", *CRIMES, "by_fault"]
    by_fault = report["by_fault"]
    assert isinstance(by_fault, dict)
    assert set(by_fault) == {*(kind.value for kind in FaultName), "none"}
    assert {by_fault[kind.value]["count"] for kind in FaultName} == {2}
    assert isinstance(report["runs"], int)
    assert report["runs"] >= 4 * kinds
    assert verified(*arguments) == report, "a campaign that is done is told from its log"


def test_an_unknown_fault_is_named() -> None:
    result = CliRunner().invoke(app, ["verify", "faults", "--fault", "meteor"])
    assert result.exit_code == 2
    assert "meteor" in result.output
