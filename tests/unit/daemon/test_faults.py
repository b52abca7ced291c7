"""Faults: every error has a stable reason code, and one that nobody foresaw is logged."""

import logging

import pytest

from daemon.errors import SupplyRefusal
from daemon.faults import fault_of
from instruments.errors import (
    BadBlock,
    BenchNotReady,
    ConnectionFailed,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    SettingRefused,
    WrongInstrument,
)

LOST = ConnectionFailed("refused", instrument="oscilloscope")
SLOW = InstrumentTimeout("5 s", instrument="power_supply")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LOST, "instrument_unreachable"),
        (SLOW, "instrument_timeout"),
        (WrongInstrument("34465A", instrument="oscilloscope"), "wrong_instrument"),
        (BadBlock("short", instrument="oscilloscope"), "bad_block"),
        (SettingRefused("clamped", instrument="oscilloscope"), "setting_refused"),
        (InstrumentReported(["-113"], instrument="oscilloscope", operation="configure"), "instrument_reported"),
        (InstrumentError("odd", instrument="oscilloscope"), "instrument_error"),
        (BenchNotReady([LOST, SLOW]), "bench_not_ready"),
        (BenchNotReady([LOST]), "instrument_unreachable"),
        (SupplyRefusal("supply_off", "off"), "supply_off"),
        (OSError(28, "No space left on device"), "disk_error"),
    ],
)
def test_reason_codes(error: Exception, reason: str) -> None:
    fault = fault_of(error)
    assert fault.reason == reason
    assert fault.text == str(error)


def test_the_unforeseen_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        fault = fault_of(ZeroDivisionError("planted"))
    assert fault.reason == "internal_error"
    assert "ZeroDivisionError: planted" in fault.text
    assert "ZeroDivisionError" in caplog.text
