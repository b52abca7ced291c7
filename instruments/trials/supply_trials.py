"""Trials of the supply. All of them are questions: a board may hang on its output."""

import re
from functools import partial

from instruments.identity import parse_identity
from instruments.trials.round_trips import round_trips_s
from instruments.trials.trial import TrialLog
from instruments.visa_session import VisaSession

_NUMBER = re.compile(r"[+-]?\d\.\d+E[+-]\d\d")


def try_supply(session: VisaSession, log: TrialLog) -> None:
    """Make every trial of the supply; nothing is set.

    Args:
        session: session to it.
        log: where it is written down.
    """
    _identity(session, log)
    _limits(session, log)
    _state(session, log)


def _identity(session: VisaSession, log: TrialLog) -> None:
    log.attempt(
        "P1",
        "identity (*IDN?)",
        lambda: session.query("*IDN?"),
        expected="Agilent Technologies,E3645A,0,X.X-Y.Y-Z.Z",
        accepts=lambda found: parse_identity(found, instrument=session.role).model.upper() == "E3645A",
    )
    log.attempt("P2", "SCPI version (SYSTem:VERSion?)", lambda: session.query("SYSTem:VERSion?"), expected="YYYY.V")
    log.attempt(
        "P3",
        "error queue when nothing is wrong",
        lambda: _after_draining(session),
        expected='+0,"No error"',
        accepts=lambda found: found == '+0,"No error"',
    )
    log.attempt(
        "P4",
        "time of a measurement (MEASure:CURRent?)",
        lambda: round_trips_s(session, "MEASure:CURRent?"),
        expected="a longest below 0.3 s, for which `joulebench discover` waits",
        accepts=lambda found: found["longest_s"] < 0.3,
    )


def _after_draining(session: VisaSession) -> str:
    session.drain_errors()
    return session.query("SYSTem:ERRor?")


def _limits(session: VisaSession, log: TrialLog) -> None:
    log.attempt(
        "P5",
        "range (VOLTage:RANGe?)",
        lambda: session.query("VOLTage:RANGe?"),
        expected="P35V or P60V",
        accepts=lambda found: found in ("P35V", "P60V"),
    )
    for number, question, expected in (
        ("P6", "VOLTage? MAX", "36.05 in P35V, 61.8 in P60V [?]"),
        ("P7", "CURRent? MAX", "2.266 in P35V, 1.339 in P60V [?]"),
        ("P8", "VOLTage:PROTection? MAX", "66 [?]"),
    ):
        log.attempt(number, question, partial(session.query_number, question), expected=expected)


def _state(session: VisaSession, log: TrialLog) -> None:
    log.attempt("P9", "APPLy?, for the digits", lambda: session.query("APPLy?"), expected='"35.00000,2.20000" [?]')
    log.attempt(
        "P10",
        "form of a number (VOLTage?)",
        lambda: session.query("VOLTage?"),
        expected="+1.20000000E+01",
        accepts=lambda found: _NUMBER.fullmatch(found) is not None,
    )
    log.attempt(
        "P11",
        "regulation now (STATus:QUEStionable:CONDition?)",
        lambda: session.query_number("STATus:QUEStionable:CONDition?"),
        expected="2 (constant voltage) with the output on, 0 with it off",
        accepts=lambda found: found in (0, 2),
    )
    log.attempt(
        "P12",
        "over-voltage protection: level, switch, trip",
        lambda: {
            question: session.query(question)
            for question in ("VOLTage:PROTection?", "VOLTage:PROTection:STATe?", "VOLTage:PROTection:TRIPped?")
        },
    )
    log.attempt(
        "P13",
        "set and measured",
        lambda: {q: session.query_number(q) for q in ("VOLTage?", "CURRent?", "MEASure:VOLTage?", "MEASure:CURRent?")},
        expected="measured within (0.05 % + 15 mV) of the set voltage in constant voltage",
    )
