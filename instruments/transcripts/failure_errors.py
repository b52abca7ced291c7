"""Failure errors: the error that a transcript tells of, as it was raised when it was recorded."""

import builtins

import pyvisa

from instruments.errors import BadAnswer, BadBlock, ConnectionFailed, InstrumentTimeout
from instruments.transcripts.line import Failure

_OWN = {error.__name__: error for error in (BadAnswer, BadBlock, ConnectionFailed, InstrumentTimeout)}


def failure_to_error(failure: Failure, *, role: str) -> Exception:
    """Return the error to raise again; one of an unknown class becomes PyVISA's root, which loses the connection."""
    if failure.kind == "VisaIOError" and failure.code is not None:
        return pyvisa.errors.VisaIOError(failure.code)
    if failure.kind in _OWN:
        instrument = failure.instrument or role
        return _OWN[failure.kind](failure.text, instrument=instrument, operation=failure.operation)
    system = getattr(builtins, failure.kind, None)
    if isinstance(system, type) and issubclass(system, OSError):
        return system(failure.text) if failure.code is None else system(failure.code, failure.text)
    return pyvisa.errors.Error(f"{failure.kind}: {failure.text}")
