"""`joulebench compare`: a plain sentence, a document, and an exit status for continuous integration."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from daemon.cli.compare import OVER_LIMIT, compare
from daemon.cli.main import app
from daemon.store import Store
from tests.unit.daemon.stored_runs import add_run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}") as store:
        add_run(store, "light", network="resnet18", energy_j=0.969)
        add_run(store, "heavy", network="alexnet", energy_j=1.0)
        add_run(store, "twin", network="alexnet", energy_j=1.001)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["compare", *arguments])
    return result.exit_code, result.stdout


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("light", "heavy", "resnet18 (batch 1) costs 3.10 ± 0.28 % less than alexnet (batch 1)"),
        ("heavy", "light", "alexnet (batch 1) costs 3.20 ± 0.30 % more than resnet18 (batch 1)"),
        ("heavy", "twin", "heavy and twin cannot be told apart: the difference is -0.10 ± 0.29 %"),
    ],
)
def test_one_plain_sentence(directory: Path, first: str, second: str, sentence: str) -> None:
    status, text = run(first, second, "--directory", str(directory))
    assert status == 0
    assert sentence in text


def test_the_document_says_what_was_compared(directory: Path) -> None:
    status, text = run("light", "alexnet", "--directory", str(directory), "--json")
    document = json.loads(text)
    assert status == 0
    assert document["second"]["run_ids"] == ["heavy", "twin"] or document["second"]["run_ids"] == ["twin", "heavy"]
    assert document["relative"]["value"] == pytest.approx(0.969 / 1.0005 - 1)
    assert document["relative"]["expanded_uncertainty_95"] < 0.005
    assert document["distinguishable"] is True
    assert document["over_limit"] is None


@pytest.mark.parametrize(
    ("first", "second", "limit", "status"),
    [
        ("heavy", "light", "2", OVER_LIMIT),
        ("heavy", "light", "5", 0),
        ("light", "heavy", "2", 0),
        ("twin", "heavy", "0", 0),
    ],
)
def test_the_exit_status_tells_a_costlier_first(
    directory: Path, first: str, second: str, limit: str, status: int
) -> None:
    found, text = run(first, second, "--directory", str(directory), "--fail-over", limit, "--json")
    assert found == status
    assert json.loads(text)["over_limit"] is (status == OVER_LIMIT)


def test_without_a_store_it_is_a_wrong_call() -> None:
    with pytest.raises(typer.BadParameter, match="either --config FILE or --directory DIR"):
        compare("a", "b")


def test_no_minus_stands_before_zero(directory: Path) -> None:
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}") as store:
        add_run(store, "same", network="alexnet", energy_j=1.00001)
    _, text = run("heavy", "same", "--directory", str(directory))
    assert "the difference is 0.00 ± 0.29 % (95 %)" in text


def test_a_degraded_result_is_told(directory: Path) -> None:
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}") as store:
        add_run(store, "poor", network="alexnet", quality="degraded")
    _, text = run("light", "poor", "--directory", str(directory))
    assert text.splitlines()[1:] == ["  poor is degraded: drift"]
    _, text = run("light", "poor", "--directory", str(directory), "--json")
    assert json.loads(text)["second"]["degraded"] == {"poor": ["drift"]}
    assert json.loads(text)["first"]["degraded"] == {}


def test_a_run_is_not_compared_with_itself(directory: Path) -> None:
    result = CliRunner().invoke(app, ["compare", "heavy", "alexnet", "--directory", str(directory)])
    assert result.exit_code == 1
    assert "run 'heavy' is on both sides" in str(result.exception)
