"""Trials of the oscilloscope. They programme it as a run does, and put its set-up back."""

import math
import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from instruments.errors import InstrumentError, InstrumentReported
from instruments.identity import parse_identity
from instruments.operation import Operation
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import OscilloscopeSettings
from instruments.trials.round_trips import round_trips_s
from instruments.trials.trial import TrialLog
from instruments.visa_session import VisaSession
from metrology.capture import Capture

LOWEST_RATE_HZ = 50e3 * (1 - 1e-4)
"""Lowest sample rate of a valid record, in hertz, less what its clock may be off."""
NO_ERROR = '+0,"No error"'
ARM_S = 5.0
"""Time for arming, in seconds, beyond the pre-trigger part."""
FORCE_S = 2.0
"""Time for a forced trigger to be taken, in seconds."""
CODES_PER_SCREEN = 199
"""Steps of the converter in eight divisions (reference 1.6)."""
_CLAMPS = (
    ("S10", ":CHANnel1:OFFSet", "1E6", "highest offset at the present scale and ratio", "not known: it is noted"),
    ("S11", ":CHANnel1:SCALe", "1E6", "largest scale at the present ratio", "5 V/div at the connector"),
    ("S13", ":TIMebase:RANGe", "1E6", "longest record", "500 s"),
)
"""Settings sent far out of range: number, header, value, what is looked for, what is expected."""
_STEPS = (
    # The probe's ratio after the clamps: the limits of the others are multiples of it.
    ("S12", ":POD1:THReshold", ("6", "7", "8", "9", "100"), "highest threshold of the pod", "8 V [?]"),
    ("S14", ":CHANnel1:PROBe", ("100", "1000", "2000", "10000", "20000"), "highest probe ratio", "1000 [?]"),
    ("S15", ":CHANnel1:PROBe", ("1", "0.1", "0.05", "0.01", "0.001", "0.0005"), "lowest probe ratio", "0.1 [?]"),
)
"""Settings sent in steps until one is not taken; far out of range they may be refused, and a refusal tells no limit:
number, header, values, what is looked for, what is expected."""


def try_oscilloscope(session: VisaSession, settings: OscilloscopeSettings, log: TrialLog) -> None:
    """Make every trial of the oscilloscope; afterwards its front panel is as it was.

    Args:
        session: session to it.
        settings: what a run programmes.
        log: where it is written down.
    """
    _identity(session, log)
    setup = _saved(session, log)
    try:
        _run(Oscilloscope(session), settings, log)
        _limits(session, log)
    finally:
        _restore(session, setup, log)


def _saved(session: VisaSession, log: TrialLog) -> bytes | None:
    saved: list[bytes] = []

    def save() -> int:
        saved.append(session.query_block(":SYSTem:SETup?", "u1").tobytes())
        return len(saved[0])

    log.attempt(
        "S5",
        "save the front panel's set-up (:SYSTem:SETup?), in bytes",
        save,
        expected="some thousand",
        accepts=lambda found: found > 100,
    )
    return saved[0] if saved else None


def _identity(session: VisaSession, log: TrialLog) -> None:
    log.attempt(
        "S1",
        "identity (*IDN?)",
        lambda: session.query("*IDN?"),
        expected="AGILENT or KEYSIGHT TECHNOLOGIES, MSO-X 2024A, serial, firmware",
        accepts=lambda found: parse_identity(found, instrument=session.role).model.upper() == "MSO-X 2024A",
    )
    log.attempt("S2", "options (*OPT?): memory, segments", lambda: session.query("*OPT?"))
    log.attempt(
        "S3",
        "error queue when nothing is wrong",
        lambda: _after_draining(session),
        expected=NO_ERROR,
        accepts=lambda found: found == NO_ERROR,
    )
    log.attempt(
        "S4",
        "time of a short question (*OPC?)",
        lambda: round_trips_s(session, "*OPC?"),
        expected="a median below 0.05 s",
        accepts=lambda found: found["median_s"] < 0.05,
    )


def _run(scope: Oscilloscope, settings: OscilloscopeSettings, log: TrialLog) -> None:
    """Make one capture with a forced trigger, as a run without marker does."""
    if log.attempt("S6", "programme a run's settings and read them back", lambda: scope.configure(settings)) is None:
        return
    pretrigger_s = settings.time_base.range_s * settings.time_base.pretrigger_fraction
    log.attempt(
        "S7",
        "condition register while armed",
        lambda: _armed_condition(scope, pretrigger_s + ARM_S),
        expected="40: running, waiting for the trigger",
        accepts=lambda found: found == Operation.RUN | Operation.WAIT_TRIGGER,
    )
    log.attempt(
        "S8",
        "a forced trigger, in seconds until it is seen",
        lambda: _forced_s(scope),
        expected="below 0.1 s",
        accepts=lambda found: found < 0.1,
    )
    log.attempt(
        "S9",
        "the record: points, rate, read-out time, steps of eight divisions, memory",
        lambda: _record(scope, settings),
        expected=f"at least 50 kSa/s, {CODES_PER_SCREEN} steps in eight divisions",
        accepts=_record_is_as_expected,
    )
    log.attempt(
        "S20",
        "unit of the trigger level of a channel in ampere",
        lambda: _level(scope.session, settings),
        expected="ampere at the conductor, as sent [?]",
        accepts=lambda found: abs(found["sent_a"] - found["read_back_a"]) <= 0.02 * settings.current.scale_per_div,
    )


def _after_draining(session: VisaSession) -> str:
    session.drain_errors()
    return session.query(":SYSTem:ERRor?")


def _armed_condition(scope: Oscilloscope, deadline_s: float) -> int:
    scope.arm(deadline_s)
    return int(scope.condition())


def _level(session: VisaSession, settings: OscilloscopeSettings) -> dict[str, float]:
    """Set the trigger level that keeps every edge out, as a run without marker does; return sent and read back."""
    current = settings.current
    sent = current.offset + 3.9 * current.scale_per_div
    session.write(f":TRIGger:EDGE:SOURce CHANnel{current.number};LEVel {sent:.9G}")
    session.check_errors("trigger level")
    return {"sent_a": sent, "read_back_a": session.query_number(":TRIGger:EDGE:LEVel?")}


def _forced_s(scope: Oscilloscope) -> float:
    forced = scope.force_and_see(deadline_s=FORCE_S)
    return (forced.taken_ns - forced.sent_ns) * 1e-9


def _record(scope: Oscilloscope, settings: OscilloscopeSettings) -> dict[str, float | None]:
    end = time.monotonic() + settings.time_base.range_s + ARM_S
    while not scope.is_complete() and time.monotonic() < end:
        time.sleep(0.02)
    begun_s = time.monotonic()
    capture = scope.read_capture()
    read_s = time.monotonic() - begun_s
    memory = scope.session.query_number(":ACQuire:POINts?")
    return _summary(capture, settings) | {"read_s": read_s, "acquire_points": memory}


def _record_is_as_expected(found: dict[str, float | None]) -> bool:
    rate_hz, steps = found["rate_hz"] or 0.0, found["codes_per_screen"] or 0.0
    return rate_hz >= LOWEST_RATE_HZ and round(steps) == CODES_PER_SCREEN


def _summary(capture: Capture, settings: OscilloscopeSettings) -> dict[str, float | None]:
    step = abs(capture.current.scale.increment) * 256.0  # a code of 16 bits is a 256th of a converter's step
    counts, mean_a = capture.current.counts, float(np.mean(capture.current.values))
    return {
        "points": float(counts.size),
        "rate_hz": capture.time_base.rate_hz,
        "codes_per_screen": 8.0 * settings.current.scale_per_div / step,
        "codes_with_low_bits": float(np.count_nonzero(counts % 256)),
        "mean_a": mean_a if math.isfinite(mean_a) else None,
    }


def _limits(session: VisaSession, log: TrialLog) -> None:
    for number, header, value, what, expected in _CLAMPS:
        log.attempt(number, f"{what} ({header} {value})", partial(_clamped, session, header, value), expected=expected)
    for number, header, values, what, expected in _STEPS:
        text = f"{what} ({header} {values[0]}, and on to {values[-1]})"
        log.attempt(number, text, partial(_stepped, session, header, values), expected=expected)
    log.attempt(
        "S16",
        "raw records read back (:WAVeform:POINts:MODE RAW)",
        lambda: _clamped(session, ":WAVeform:POINts:MODE", "RAW"),
        expected="RAW or MAX read back",
        accepts=lambda found: found["read_back"] in ("RAW", "MAX"),
    )
    log.attempt(
        "S17",
        "an input of 50 ohm, which it has not (:CHANnel1:IMPedance FIFTy)",
        lambda: _clamped(session, ":CHANnel1:IMPedance", "FIFTy"),
        expected="refused with an error, or ONEM read back",
        accepts=lambda found: bool(found["errors"]) or found["read_back"].upper().startswith("ONEM"),
    )
    log.attempt(
        "S18",
        "error of an unknown command (:NONSense 1)",
        lambda: _errors_of(session, ":NONSense 1"),
        expected='-113,"Undefined header"',
        accepts=lambda found: found == '-113,"Undefined header"',
    )


def _clamped(session: VisaSession, header: str, value: str) -> dict[str, str]:
    """Send a setting that is out of range; return what stands afterwards, and what the error queue says."""
    errors = _errors_of(session, f"{header} {value}")
    return {"read_back": session.query(f"{header}?"), "errors": errors}


def _stepped(session: VisaSession, header: str, values: Sequence[str]) -> dict[str, str | float]:
    """Send settings in turn until one is not taken; return the last that was, and what became of that one."""
    taken = ""
    for value in values:
        errors = _errors_of(session, f"{header} {value}")
        read_back = session.query_number(f"{header}?")
        if errors or not math.isclose(read_back, float(value), rel_tol=1e-3):
            return {"taken": taken, "sent": value, "read_back": read_back, "errors": errors}
        taken = value
    return {"taken": taken}


def _errors_of(session: VisaSession, command: str) -> str:
    session.write(command)
    return "; ".join(session.drain_errors())


def _restore(session: VisaSession, setup: bytes | None, log: TrialLog) -> None:
    def restore() -> str:
        if setup is None:
            raise InstrumentError("no set-up was saved (S5)", instrument=session.role, operation="restore")
        session.connection.write(b":SYSTem:SETup #8%08d" % len(setup) + setup + b"\n")
        session.query("*OPC?")
        if entries := session.drain_errors():
            raise InstrumentReported(entries, instrument=session.role, operation=":SYSTem:SETup")
        return "put back"

    log.attempt(
        "S19", "put the front panel's set-up back; look at the screen", restore, expected="the screen is as it was"
    )
