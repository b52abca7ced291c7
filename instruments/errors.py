"""What can go wrong with an instrument, or on the way to it, by what the caller can do about it.

JoulebenchError
`- InstrumentError        anything below; names the instrument's role and the operation
   |- ConnectionFailed    no way to the instrument: check power, cable, address; try again
   |- WrongInstrument     something else answers at this address: correct the configuration
   |- InstrumentTimeout   no answer within the deadline: try again, then power-cycle
   |- BadAnswer           an answer that cannot be understood: the session resynchronises, try again
   |  `- BadBlock         a block of binary data truncated or garbled: read it again
   |- InstrumentReported  the instrument's own error queue is not empty: correct the command
   |- SettingRefused      a setting outside envelope or range, or silently clamped: choose another
   |- SoftStartAborted    the output was switched off again while it rose: find what draws the current
   |- AuditFailed         a change of the supply cannot be written down, and was not sent: make room on the disk
   |- NotTriggered        the record holds no triggered acquisition: arm again
   `- BenchNotReady       several of the above at once, one for each instrument
"""

from collections.abc import Sequence

from metrology.errors import JoulebenchError


class InstrumentError(JoulebenchError):
    """Root of every failure of an instrument."""

    def __init__(self, text: str, *, instrument: str, operation: str = "") -> None:
        where = f"{instrument}: {operation}: " if operation else f"{instrument}: "
        super().__init__(where + text)
        self.instrument = instrument
        """Role of the instrument, such as `oscilloscope`."""
        self.operation = operation
        """What was attempted: a command, a setting or a verb."""


class ConnectionFailed(InstrumentError):
    """No way to the instrument."""


class WrongInstrument(InstrumentError):
    """Something else answers at the address."""


class InstrumentTimeout(InstrumentError):
    """No answer within the deadline."""


class BadAnswer(InstrumentError):
    """An answer that cannot be understood."""


class BadBlock(BadAnswer):
    """A block of binary data that is truncated or garbled."""


class InstrumentReported(InstrumentError):
    """The instrument's error queue was not empty after an operation."""

    def __init__(self, entries: Sequence[str], *, instrument: str, operation: str) -> None:
        super().__init__(f"the instrument reports {'; '.join(entries)}", instrument=instrument, operation=operation)
        self.entries = tuple(entries)
        """Entries of the queue, oldest first, as the instrument wrote them."""


class SettingRefused(InstrumentError):
    """A setting that may not be sent, or that the instrument did not take as it was sent."""


class SoftStartAborted(InstrumentError):
    """A supply's output that was to rise slowly was switched off again on the way."""

    def __init__(self, problem: str, *, instrument: str, operation: str) -> None:
        super().__init__(problem, instrument=instrument, operation=operation)
        self.problem = problem
        """What happened, without where."""


class AuditFailed(InstrumentError):
    """A change of the supply could not be written into its audit log, so it was not sent."""


class NotTriggered(InstrumentError):
    """The acquisition ended, or its deadline passed, without a trigger."""


class BenchNotReady(InstrumentError):
    """One or more instruments of the bench could not be opened; every failure is listed."""

    def __init__(self, failures: Sequence[InstrumentError]) -> None:
        listed = "".join(f"\n  - {failure}" for failure in failures)
        count = f"{len(failures)} instrument{'s' if len(failures) != 1 else ''} not ready:"
        super().__init__(count + listed, instrument="bench", operation="open")
        self.failures = tuple(failures)
        """The failures, one for each instrument."""
