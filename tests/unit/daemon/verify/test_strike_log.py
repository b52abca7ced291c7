"""A campaign that was left goes on where its log ends; nothing is done twice, and no other campaign's log is taken."""

from pathlib import Path

import pytest

from daemon.errors import VerificationFailed
from daemon.verify.faults import campaign
from daemon.verify.faults.campaign import PORTION_FAULTS, verify_faults
from daemon.verify.faults.evidence import Evidence
from daemon.verify.faults.portion import Portion
from daemon.verify.faults.strike_log import StrikeLog
from tests.unit.daemon.verify.planted_evidence import GOOD_RUN, evidence, seen

CAMPAIGN = {"count": 40, "seed": 1}


def portion(index: int) -> Evidence:
    return evidence(
        (seen(f"p{index}-0"), GOOD_RUN), (seen(f"p{index}-1", fault="disk_full"), GOOD_RUN), portion=index, torn=("x",),
        notes=("odd",),
    )  # fmt: skip


def test_what_was_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    with StrikeLog(path, CAMPAIGN) as log:
        log.add(portion(1))
        log.add(portion(0))
    with StrikeLog(path, CAMPAIGN) as log:
        assert log.done == {0: portion(0), 1: portion(1)}


def test_a_line_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with StrikeLog(path, CAMPAIGN) as log:
        log.add(portion(0))
        log.add(portion(1))
    path.write_bytes(path.read_bytes()[:-20])
    with StrikeLog(path, CAMPAIGN) as log:
        assert list(log.done) == [0]
        log.add(portion(1))
    with StrikeLog(path, CAMPAIGN) as log:
        assert set(log.done) == {0, 1}


def test_another_campaigns_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with StrikeLog(path, CAMPAIGN):
        pass
    with pytest.raises(VerificationFailed, match="another campaign"), StrikeLog(path, CAMPAIGN | {"seed": 2}):
        pass


@pytest.mark.parametrize("content", [b"{}\nnonsense\n", b"[]\n[]\n", b'{"format": 1}\n{"portion": 1}\n'])
def test_a_damaged_log_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(VerificationFailed, match="log"), StrikeLog(path, CAMPAIGN):
        pass
    assert path.read_bytes() == content


def test_a_campaign_goes_on_with_the_portions_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[int] = []

    def work(portions: list[Portion], *_: object) -> list[Evidence]:
        worked.extend(one.index for one in portions)
        return [portion(one.index) for one in portions]

    monkeypatch.setattr(campaign, "_portions_done", work)
    monkeypatch.setattr(campaign, "mosquitto_path", lambda: "mosquitto")
    log, told = tmp_path / "log.jsonl", list[int]()
    count = 3 * PORTION_FAULTS

    def verify(log: Path | None) -> object:
        return verify_faults(
            count=count, runs=2 * count, seed=3, jobs=1, log=log, on_portion=lambda one: told.append(one.portion)
        ).document()

    whole = verify(log)
    assert (worked, told) == ([0, 1, 2], [0, 1, 2])
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:2]))
    assert verify(log) == whole
    assert (worked[3:], told[3:]) == ([1, 2], [0, 1, 2])
    assert verify(log) == whole
    assert worked[5:] == []
    assert verify(None) == whole
