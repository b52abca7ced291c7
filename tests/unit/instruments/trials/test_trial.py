"""Trials and their verdicts."""

import pytest

from instruments.errors import InstrumentTimeout
from instruments.oscilloscope_settings import ChannelSettings, OscilloscopeSettings
from instruments.trials.scope_trials import try_oscilloscope
from instruments.trials.trial import TrialLog, Verdict
from metrology.trace import Unit
from tests.unit.instruments.scripted_instrument import block
from tests.unit.instruments.scripted_scope import ScriptedScope


@pytest.fixture
def log() -> TrialLog:
    return TrialLog(lambda _: None)


def test_verdicts(log: TrialLog) -> None:
    assert log.attempt("S1", "noted", lambda: 3) == 3
    assert log.attempt("S2", "good", lambda: 3, accepts=lambda found: found == 3) == 3
    assert log.attempt("S3", "bad", lambda: 3, accepts=lambda found: found == 4) == 3

    def fail() -> int:
        raise InstrumentTimeout("no answer within 1 s", instrument="oscilloscope")

    assert log.attempt("S4", "failing", fail) is None
    assert [one.verdict for one in log.trials] == [
        *(Verdict.NOTED, Verdict.AS_EXPECTED, Verdict.DIFFERS, Verdict.FAILED),
    ]
    assert log.trials[3].found == "oscilloscope: no answer within 1 s"


def test_an_answer_that_the_judgement_cannot_read_is_a_failed_trial(log: TrialLog) -> None:
    def judge(found: str) -> bool:
        raise InstrumentTimeout("not understood", instrument="oscilloscope")

    log.attempt("S1", "odd", lambda: "x", accepts=judge)
    assert log.trials[0].verdict is Verdict.FAILED


def test_each_trial_is_told_before_it_is_made() -> None:
    told: list[str] = []
    TrialLog(told.append).attempt("S1", "identity", lambda: told.append("made"))
    assert told == ["S1 identity", "made"]


SETTINGS = OscilloscopeSettings(
    current=ChannelSettings(number=1, scale_per_div=0.2, offset=0.6, probe_ratio=10.0, unit=Unit.AMPERE)
)


def test_the_set_up_is_put_back_last_byte_for_byte(served, log: TrialLog) -> None:
    setup = bytes(range(32, 127)) * 3
    scope = ScriptedScope({":SYSTem:SETup?": block(setup), "*OPC?": "1", "*OPT?": "0"})
    session, instrument = served(scope, timeout_s=0.2)
    try_oscilloscope(session, SETTINGS, log)
    verdicts = {one.number: one.verdict for one in log.trials}
    assert verdicts["S5"] is Verdict.AS_EXPECTED
    put_back = [message for message in instrument.received if message.startswith(":SYSTem:SETup #")]
    assert put_back == [f":SYSTem:SETup #8{len(setup):08d}{setup.decode()}"]
    assert instrument.received.index(put_back[0]) > instrument.received.index(":NONSense 1")
    assert log.trials[-1].number == "S19"
    assert log.trials[-1].found == "put back"


def test_an_oscilloscope_that_saves_nothing_is_told_of(served, log: TrialLog) -> None:
    session, _ = served(ScriptedScope({":SYSTem:SETup?": b"", "*OPC?": "1", "*OPT?": "0"}), timeout_s=0.1)
    try_oscilloscope(session, SETTINGS, log)
    verdicts = {one.number: one.verdict for one in log.trials}
    assert verdicts["S5"] is verdicts["S19"] is Verdict.FAILED
    assert log.trials[-1].found == "oscilloscope: restore: no set-up was saved (S5)"
