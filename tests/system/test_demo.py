"""The demo, as a new user runs it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.in_process import run_command
from tests.system.lab_processes import COMMAND, REPOSITORY

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.mark.alone
def test_the_demo_measures_real_networks_to_a_thousandth(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "demo", "--networks", "alexnet,resnet18", "--batch-sizes", "2", "--captures", "2",
         "--seed", "9", "--out", str(tmp_path / "out"), "--json"],
        capture_output=True, text=True, timeout=240, cwd=REPOSITORY, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(run["network"], run["batch_size"]) for run in runs] == [("alexnet", 2), ("resnet18", 2)]
    for run in runs:
        assert (run["quality"], run["reasons"], run["sync"]) == ("valid", [], "marker")
        true_j = run["true_gross_energy_per_image_j"]
        assert run["gross_energy_per_image_j"] == pytest.approx(true_j, rel=1e-3)
        assert 0 < run["net_energy_per_image_j"] < run["gross_energy_per_image_j"]
    for name in ("runs.csv", "capture.png", "joulebench.toml", "joulebench.sqlite"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert len(list((tmp_path / "out" / "captures").glob("*.parquet"))) == 4
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 11, "the ten figures and the spectrum"
    assert "This is a SIMULATED bench" in page
    found = re.search(r"Highest significant component (\d+) Hz", page)
    assert found is not None
    assert abs(int(found[1]) - 1400) < 10, "the ripple that the simulated board draws"
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--networks", "no_such_net", "no_such_net"),
        ("--batch-sizes", "1,x", "whole numbers"),
        ("--batch-sizes", "0", "at least one"),
    ],
)
def test_the_demo_refuses_in_one_sentence(
    tmp_path: Path,
    option: str,
    value: str,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["demo", option, value, "--out", str(tmp_path)]
    done = run_command(arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert done.returncode != 0
    assert word in done.stderr
    assert "Traceback" not in done.stderr
