"""Reason codes: the page for people lists every code that there is, and none that there is not."""

import re
from pathlib import Path

import pytest

from calibration.selection import SelectionOutcome
from daemon.faults import REASON_CODES
from metrology.quality import ReasonCode
from tests.unit.house.documents import REPOSITORY
from tests.unit.house.reason_codes import codes_in, codes_of

PAGE = REPOSITORY / "docs" / "how-to" / "read-a-result.md"
CHOSEN_AT_RUN_TIME = {
    *((code, "degraded") for code in ("calibration_expired", "calibration_mismatch")),
    *((code, "invalid") for code in ("clock_unsure", "step_unsure", "supply_disagreement")),
    *((f"probe_{what}", "invalid") for what in ("dead", "reversed", "range", "turns")),
}
"""Codes and verdicts that the source puts together in two places."""
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| ([^|]+) \|", re.MULTILINE)


def listed(section: str) -> dict[str, set[str]]:
    """Return the codes of one section's table, with what stands beside each in the second column."""
    text = PAGE.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    for code, beside in ROW.findall(text):
        found.setdefault(code, set()).add(beside.strip())
    return found


def codes_of_the_daemon() -> set[str]:
    refused = {one.value for one in SelectionOutcome if one is not SelectionOutcome.FOUND}
    return codes_in("daemon") | {code for _, code in REASON_CODES} | refused


def test_every_reason_of_quality_is_listed() -> None:
    assert set(listed("Quality")) == {code.value for code in ReasonCode}


def test_verdicts_beside_the_reasons_are_those_of_the_source() -> None:
    source = "".join(path.read_text() for path in sorted((REPOSITORY / "metrology").glob("*.py")))
    pairs = set(re.findall(r"code=ReasonCode\.(\w+), verdict=Verdict\.(\w+)", source))
    used = {(code.lower(), verdict.lower()) for code, verdict in pairs}
    told = {(code, verdict) for code, verdicts in listed("Quality").items() for verdict in verdicts}
    assert used <= told
    assert told - used == CHOSEN_AT_RUN_TIME


def test_every_reason_of_a_run_without_a_result_is_listed() -> None:
    rows = listed("A run without a result")
    board, lab = codes_in("runners"), codes_of_the_daemon()
    assert set(rows) == lab | board
    for code, (beside,) in rows.items():
        assert ("daemon" in beside) == (code in lab), code
        assert ("board" in beside) == (code in board), code


def test_the_shell_example_gives_up_with_listed_codes() -> None:
    given = set(re.findall(r"give_up ([a-z_]+) ", (REPOSITORY / "examples" / "boards" / "board.sh").read_text()))
    assert given
    assert given <= set(listed("A run without a result"))


@pytest.mark.parametrize(
    "line",
    [
        'raise RunRefusal("planted_code", text)',
        'fault = Fault(reason="planted_code", text=text)',
        'return _end(progress, RunPhase.FAILED, "planted_code", text)',
        'self.refuse(order.run_id, "planted_code", text)',
        'class E(RunnerError):\n    reason = "planted_code"',
    ],
)
def test_a_new_code_would_be_seen(line: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(line)
    assert list(codes_of(module)) == ["planted_code"]
