"""Faults of each kind strike runs at random moments, and the next run is measured."""

import json

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from daemon.cli.recovery_table import complaints
from daemon.verify.recovery import Toll, toll_of
from daemon.verify.strike import ASSAULTS, Assault, Strike
from instruments.simulated.faults import FaultKind, Role

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_every_fault_there_is_strikes() -> None:
    assert {assault.kind for assault in ASSAULTS} == set(FaultKind) - {FaultKind.HEAL}


@pytest.mark.long
@pytest.mark.alone
def test_each_fault_is_survived() -> None:
    result = CliRunner().invoke(app, ["verify", "recovery", "--times", "1", "--seed", "4", "--json"])
    assert result.exit_code == 0, result.output
    tolls = json.loads(result.stdout)
    assert len(tolls) == len(ASSAULTS)
    by_fault = {toll["fault"]: toll for toll in tolls}
    for toll in tolls:
        assert (toll["strikes"], toll["next_valid"], toll["wrong_valid"]) == (1, 1, 0), toll
    assert set(by_fault["drop_connection_next_block"]["steps"]) == {"reopen"}
    assert set(by_fault["truncate_next_block"]["steps"]) == {"drain"}
    assert set(by_fault["garble_next_block"]["ended"]) == {"failed: bad_block"}
    assert set(by_fault["no_trigger"]["ended"]) == {"failed: no_trigger"}


def test_an_unknown_fault_is_named() -> None:
    result = CliRunner().invoke(app, ["verify", "recovery", "--fault", "meteor"])
    assert result.exit_code == 2
    assert "meteor" in result.output


def strike(*, wrong: bool = False, next_ended: str = "valid", seconds: float | None = 0.2) -> Strike:
    return Strike(
        assault=Assault(kind=FaultKind.SWALLOW_NEXT_ANSWER, role=Role.POWER_SUPPLY),
        ended="failed: instrument_timeout", wrong=wrong, next_ended=next_ended,
        step="none" if seconds is None else "drain", recovery_s=seconds,
    )  # fmt: skip


def test_a_record_counts_what_was_struck_and_says_what_is_wrong() -> None:
    strikes = [strike(), strike(wrong=True, seconds=0.4), strike(next_ended="rejected: wrong_instrument", seconds=None)]
    toll: Toll = toll_of(strikes[0].assault, strikes)
    assert toll.fault == "swallow_next_answer (power_supply)"
    assert (toll.strikes, toll.next_valid, toll.wrong_valid) == (3, 2, 1)
    assert toll.steps == {"drain": 2, "none": 1}
    assert toll.recovery_median_s == pytest.approx(0.3)
    assert toll.recovery_max_s == 0.4
    assert not toll.passed
    assert len(complaints([toll])) == 2
    assert complaints([toll_of(strikes[0].assault, [strike()])]) == []
