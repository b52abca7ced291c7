"""`verify faults`: kinds that do not strike are named, and nothing is left behind by a campaign that is hung up."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from daemon.cli.verify_faults import _tell_of_what_is_left_out
from daemon.verify.faults import campaign
from daemon.verify.faults.attacks import FaultName

KINDS = list(FaultName)


def test_kinds_that_do_not_strike_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_of_what_is_left_out(len(KINDS) - 1, KINDS)
    text = capsys.readouterr().err
    assert text.startswith(f"{len(KINDS) - 1} of {len(KINDS)} kinds of faults strike; left out: {KINDS[-1].value};")
    struck = {
        fault for one in campaign.planned(count=len(KINDS) - 1, runs=1, seed=1, kinds=KINDS) for fault in one.faults
    }
    assert struck == set(KINDS[:-1]), "what is said is what is done"


def test_nothing_is_said_where_each_kind_strikes(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_of_what_is_left_out(len(KINDS), KINDS)
    assert capsys.readouterr().err == ""


def test_a_lab_whose_campaign_is_dead_takes_its_folder_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "joulebench-faults-x"
    (folder / "data").mkdir(parents=True)
    ended: list[int] = []
    monkeypatch.setattr(campaign.multiprocessing, "parent_process", lambda: SimpleNamespace(join=lambda: None))
    monkeypatch.setattr(campaign.os, "_exit", ended.append)
    monkeypatch.setattr(campaign, "_folder", folder)
    campaign._end_with_the_campaign()
    assert ended == [1]
    assert not folder.exists()
