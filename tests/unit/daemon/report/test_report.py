"""`joulebench report`: everything is there, nothing from outside, and what is missing is said."""

import csv
import json
import re
from pathlib import Path

from typer.testing import CliRunner

from daemon.cli.main import app
from tests.unit.daemon.report.campaign_store import CAMPAIGN, write_store


def report(directory: Path, *arguments: str) -> dict:
    words = ["report", "--directory", str(directory), "--out", str(directory / "out"), "--json", *arguments]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_report_of_fourteen_networks(tmp_path: Path) -> None:
    write_store(tmp_path)
    document = report(tmp_path, "--campaign", CAMPAIGN)
    assert (document["rows"], document["invalid"]) == (42, [f"{CAMPAIGN}-9999-1"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 10
    assert "no capture of these runs is kept" in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', page) == []
    assert "Left out as invalid: 1" in page
    assert page.count("degraded: calibration_missing") == 1
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert r"VGG-16 & 1 & 70.62" in (tmp_path / "out" / "report.tex").read_text()
    names = [f"figure{number:02d}{suffix}" for number in range(1, 11) for suffix in (".csv", ".png", ".svg")]
    assert sorted(one.name for one in (tmp_path / "out" / "figures").iterdir()) == names
    with (tmp_path / "out" / "figures" / "figure08.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 42


def test_too_few_networks_decide_nothing(tmp_path: Path) -> None:
    write_store(tmp_path, networks=2, batch_sizes=(1,))
    report(tmp_path)
    assert (tmp_path / "out" / "report.html").read_text().count("cannot be decided") == 4


def test_a_campaign_that_is_not_there_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1)
    result = CliRunner().invoke(app, ["report", "--directory", str(tmp_path), "--campaign", "other"])
    assert result.exit_code == 1
    assert CAMPAIGN in str(result.exception)
