"""Plans: what a file may say, and every mistake told at once."""

from pathlib import Path

import pytest

from runners.campaign.order import Order
from runners.campaign.plan import Sweep, plan_of, read_plan
from runners.errors import CampaignFileError
from runners.messages import BoardCommand
from runners.networks.catalogue import KNOWN_NETWORKS

FOURTEEN = """
name = "fourteen"
[[sweep]]
networks = "all"
[[sweep]]
networks = ["alexnet", "resnet18", "enet", "googlenet"]
batch_sizes = [1, 2, 4, 8]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "campaign.toml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(CampaignFileError) as refused:
        read_plan(written(folder, text))
    return refused.value.problems


def test_sweeps_are_a_union_without_duplicates(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, FOURTEEN))
    assert len(plan.runs) == 26
    assert {cell.network for cell in plan.cells} == set(KNOWN_NETWORKS)
    assert len(set(plan.cells)) == 26
    assert plan.order is Order.BLOCKED


def test_back_ends_are_varied_too_where_they_are_named(tmp_path: Path) -> None:
    text = FOURTEEN.replace("batch_sizes = [1, 2, 4, 8]", 'backends = ["torch-cpu", "onnx-cpu"]')
    plan = read_plan(written(tmp_path, text))
    assert len(plan.cells) == 14 + 4 * 2, "the board's own choice is not the same as a named one"
    commands = [run.command("r", captures=1, images=None) for run in plan.runs]
    assert {command.backend for command in commands} == {None, "torch-cpu", "onnx-cpu"}


def test_every_mistake_is_told_at_once_with_place_value_and_bound(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        'name = "no spaces"\nimages = 6\nnmae = 3\nrepeats = 0\n[cool_down]\nlimit_s = -1\n'
        '[[sweep]]\nnetworks = ["alexnet", "resnet19"]\nbatch_sizes = [0, 4, "a"]\n[[sweep]]\nnetworks = "al"\n',
    )
    for beginning, words in {
        "name:": ["no spaces", "pattern"],
        "nmae:": ["no such key"],
        "repeats:": ["greater than or equal to 1", "got 0"],
        "cool_down.limit_s:": ["greater than 0", "got -1"],
        "sweep[1].networks:": ["'resnet19'", "did you mean 'resnet18'"],
        "sweep[1].batch_sizes[1]:": ["got 0"],
        "sweep[1].batch_sizes[3]:": ["got 'a'"],
        "sweep[2].networks:": ['"all"', "got 'al'"],
        "images:": ["6 is not a whole number of batches of 4"],
    }.items():
        (line,) = [one for one in told if one.startswith(beginning)]
        assert all(word in line for word in words), line
    assert len(told) == 9


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("name = ", "not TOML"),
        ('name = "x"\n', "sweep: is required"),
        ('name = "x"\nsweep = []\n', "sweep: there is none"),
        ('name = "x"\nrepeats = 1000\n[[sweep]]\nnetworks = "all"\n', "14000 runs are more than the 9999"),
        ('name = "x"\norder = "sorted"\n[[sweep]]\nnetworks = "all"\n', "'blocked', 'randomised' or 'listed'"),
        ('name = "x"\n[[sweep]]\nnetworks = []\n', "sweep[1].networks"),
    ],
)
def test_what_describes_no_campaign_is_refused(tmp_path: Path, text: str, word: str) -> None:
    told = problems(tmp_path, text)
    assert len(told) == 1
    assert word in told[0]


def test_a_short_message_of_very_many_runs_is_counted_and_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from whoever may write to the broker, and is read where the agent serves."""
    monkeypatch.setattr(Sweep, "cells", lambda *_: pytest.fail("the cells were built"))
    words = [f"a{number}" for number in range(60)]
    sweep = {"networks": "all", "batch_sizes": list(range(1, 61)), "precisions": words, "backends": words}
    with pytest.raises(CampaignFileError, match=f"{14 * 60**3} runs are more than the 9999"):
        plan_of({"name": "x", "sweep": [sweep]}, source="the command")


def test_no_list_and_no_answer_is_longer_than_anybody_reads() -> None:
    names = [f"net{number}" for number in range(1001)]
    with pytest.raises(CampaignFileError) as refused:
        plan_of({"name": "x", "sweep": [{"networks": names}]}, source="the command")
    assert len(refused.value.problems) <= 22
    assert any("1000" in one for one in refused.value.problems)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match=r"none\.toml: .*cannot be read"):
        read_plan(tmp_path / "none.toml")


def test_networks_of_the_boards_own_must_be_declared(tmp_path: Path) -> None:
    sweep = '[[sweep]]\nnetworks = ["mine", "alexnet"]\n'
    assert "own_networks" in problems(tmp_path, f'name = "x"\n{sweep}')[0]
    plan = read_plan(written(tmp_path, f'name = "x"\nown_networks = ["mine"]\n{sweep}'))
    assert [cell.network for cell in plan.cells] == ["mine", "alexnet"]


def test_the_longest_run_identifier_is_one(tmp_path: Path) -> None:
    plan = read_plan(written(tmp_path, f'name = "{"x" * 40}"\n[[sweep]]\nnetworks = "all"\n'))
    command = plan.runs[0].command(f"{plan.name}-01234567-9999-999", captures=2, images=8)
    assert isinstance(command, BoardCommand)
    assert (command.captures, command.images_planned) == (2, 8)
