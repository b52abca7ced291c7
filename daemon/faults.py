"""Faults: the stable reason code of everything that can end a run."""

import logging

from calibration.errors import CertificateFileError
from daemon.errors import CaptureFileError, RunRefusal, StoreError, SupplyRefusal
from daemon.lifecycle import Fault
from instruments.errors import (
    AuditFailed,
    BadAnswer,
    BadBlock,
    BenchNotReady,
    ConnectionFailed,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from metrology.errors import MetrologyError

logger = logging.getLogger(__name__)

REASON_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (BenchNotReady, "bench_not_ready"),
    (WrongInstrument, "wrong_instrument"),
    (ConnectionFailed, "instrument_unreachable"),
    (InstrumentTimeout, "instrument_timeout"),
    (BadBlock, "bad_block"),
    (BadAnswer, "bad_answer"),
    (InstrumentReported, "instrument_reported"),
    (SettingRefused, "setting_refused"),
    (AuditFailed, "audit_failed"),
    (NotTriggered, "no_trigger"),
    (InstrumentError, "instrument_error"),
    (CaptureFileError, "capture_not_stored"),
    (StoreError, "store_refused"),
    (MetrologyError, "not_measurable"),
    (CertificateFileError, "calibration_unreadable"),
    (OSError, "disk_error"),
)
"""First match counts: leaves stand before their parents."""


def fault_of(error: BaseException) -> Fault:
    """Return the event that an error makes of a run; one that nobody foresaw is logged with its trace."""
    if isinstance(error, SupplyRefusal | RunRefusal):
        return Fault(reason=error.reason, text=str(error))
    for kind, code in REASON_CODES:
        if isinstance(error, kind):
            return Fault(reason=_single_cause(error, code), text=str(error))
    logger.error("unforeseen %s", type(error).__name__, exc_info=error)
    return Fault(reason="internal_error", text=f"{type(error).__name__}: {error}; this is a defect, please report it")


def _single_cause(error: BaseException, code: str) -> str:
    """Name the one instrument's failure where only one has failed, since that says more than `bench_not_ready`."""
    if isinstance(error, BenchNotReady) and len(error.failures) == 1:
        return fault_of(error.failures[0]).reason
    return code
