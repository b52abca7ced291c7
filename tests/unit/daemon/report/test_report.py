"""`joulebench report`: everything is there, nothing from outside, and what is missing is said."""

import csv
import errno
import json
import re
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from daemon.store import Store
from instruments.simulated.scope_dialect import SCOPE_IDENTITY
from tests.unit.daemon.report.campaign_store import CAMPAIGN, RIPPLE_HZ, add_capture, add_cell, write_store

CPU_LIMIT_S = 20.0


def report(directory: Path, *arguments: str) -> dict:
    words = ["report", "--directory", str(directory), "--out", str(directory / "out"), "--json", *arguments]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path, float]:
    """One report of the whole campaign, to be looked at from all sides."""
    folder = tmp_path_factory.mktemp("fourteen")
    write_store(folder)
    for number in (1, 2, 3):
        add_capture(folder, f"{CAMPAIGN}-{number:04d}-1", identity=SCOPE_IDENTITY, seed=number)
    began_s = time.process_time()
    document = report(folder, "--campaign", CAMPAIGN)
    return document, folder / "out", time.process_time() - began_s


@pytest.mark.long
class TestFourteenNetworks:
    def test_it_counts_what_it_rests_on(self, written: tuple[dict, Path, float]) -> None:
        document = {key: value for key, value in written[0].items() if key not in ("html", "pdf", "latex", "figures")}
        assert document == {
            "rows": 42, "valid": 41, "degraded": 1, "invalid": [f"{CAMPAIGN}-9999-1"], "simulated": True,
        }  # fmt: skip

    def test_the_page_has_every_figure_and_asks_nobody(self, written: tuple[dict, Path, float]) -> None:
        page = (written[1] / "report.html").read_text()
        assert page.count("<svg") == 11
        assert re.findall(r'(?:src|href)="(?!#)[^"]*"', page) == []
        targets = set(re.findall(r' id="([^"]+)"', page))
        assert set(re.findall(r'<a[^>]* href="#([^"]+)"', page)) <= targets
        assert "This is a SIMULATED bench" in page
        assert "43 runs" in page
        assert "41 valid, 1 degraded, 1 invalid, 0 without a result" in page
        assert "degraded: calibration missing" in page
        assert "no certificate fits [channel 1]" in page, "why the invalid run was left out"
        found = re.search(r"Highest significant component (\d+) Hz", page)
        assert found is not None
        assert abs(int(found[1]) - RIPPLE_HZ) < 10

    def test_the_pdf_and_the_latex_are_there(self, written: tuple[dict, Path, float]) -> None:
        assert (written[1] / "report.pdf").read_bytes().startswith(b"%PDF")
        latex = (written[1] / "report.tex").read_text()
        assert r"VGG-16 & 1 & 70.62" in latex
        assert latex.count(r"\toprule") == 3
        for part in latex.split(r"\begin{tabular}")[1:]:
            rows = [line for line in part.partition(r"\end{tabular}")[0].splitlines() if line.endswith(r"\\")]
            assert len({row.count(" & ") for row in rows}) == 1

    def test_every_figure_has_its_files_and_its_data(self, written: tuple[dict, Path, float]) -> None:
        folder = written[1] / "figures"
        keys = [*(f"figure{number:02d}" for number in range(1, 11)), "spectrum"]
        assert sorted(one.name for one in folder.iterdir()) == [
            f"{key}.{kind}" for key in keys for kind in ("csv", "png", "svg")
        ]
        with (folder / "figure08.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert sum(row["kind"] == "point" for row in rows) == 42
        assert sum(row["kind"] == "curve" and float(row["U95 of x"]) > 0 for row in rows) == 60
        assert sum(row["degraded"] == "True" for row in rows) == 1
        with (folder / "figure02.csv").open() as file:
            assert sum(row["kind"] == "the paper's" for row in csv.DictReader(file)) == 14

    def test_it_takes_less_than_it_may(self, written: tuple[dict, Path, float]) -> None:
        assert written[2] < CPU_LIMIT_S


@pytest.mark.parametrize("store", [[], ["--config", "a.toml", "--directory", "b"]])
def test_without_a_store_it_says_how_one_is_named(tmp_path: Path, store: list[str]) -> None:
    result = CliRunner().invoke(app, ["report", *store, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "give either --config FILE or --directory DIR" in result.output


def test_into_a_pipe_it_says_what_it_does_in_lines(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    words = ["report", "--directory", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.stderr.splitlines() == ["reading the runs", f"writing the report of 1 row to {tmp_path / 'out'}"]


def test_too_few_networks_decide_nothing(tmp_path: Path) -> None:
    write_store(tmp_path, networks=2, batch_sizes=(1,))
    assert report(tmp_path)["simulated"] is None
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("It takes at least 5 networks") == 4
    assert page.count(': <span class="verdict cannot">cannot be told from these data') == 4
    assert "Line: least squares" not in page, "no line is drawn"
    assert "on a degraded run" not in page, "there is none"
    assert "no capture of these runs is kept" in page
    assert "SIMULATED" not in page
    assert "It is NOT KNOWN whether this is a simulated bench" in page
    assert "(not known whether simulated)" in (tmp_path / "out" / "report.tex").read_text()


def test_a_real_bench_bears_no_mark(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1")
    assert report(tmp_path)["simulated"] is False
    assert "simulated" not in (tmp_path / "out" / "report.html").read_text().lower()
    assert "simulated" not in (tmp_path / "out" / "report.tex").read_text()


@pytest.mark.long
def test_figures_that_an_earlier_report_had_and_this_one_lacks_are_gone(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1")
    report(tmp_path)
    figures = tmp_path / "out" / "figures"
    (figures / "my-own.png").write_bytes(b"kept")
    assert (figures / "spectrum.csv").exists()
    for path in (tmp_path / "captures").iterdir():
        path.unlink()
    report(tmp_path)
    assert not list(figures.glob("spectrum.*"))
    assert (figures / "figure03.svg").exists()
    assert (figures / "my-own.png").read_bytes() == b"kept"


@pytest.mark.long
def test_an_earlier_report_stands_where_a_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    report(tmp_path)
    before = contents_of(tmp_path / "out")
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}") as store:
        add_cell(store, "another", "vgg16", 1, 0.1, 10.0, "valid")
    written = []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 7:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("daemon.durable_file.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        report(tmp_path)
    assert contents_of(tmp_path / "out") == before


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("campaign", ["other", "other.campaign.jsonl"])
def test_a_campaign_that_is_not_there_is_an_error_that_names_those_there_are(tmp_path: Path, campaign: str) -> None:
    write_store(tmp_path, networks=1)
    result = CliRunner().invoke(app, ["report", "--directory", str(tmp_path), "--campaign", campaign])
    assert result.exit_code == 1
    assert CAMPAIGN in str(result.exception)
