"""What can go wrong on the lab side.

DaemonError
|- ConfigurationError    the configuration file or environment: every problem of it at once
|- StoreError            the database of runs and results
|  `- StoreInterrupted   a transaction that never happened, and may do so when it is tried again
|- CertificateDemandError  two certificates of one kind are to be used at once
|- CaptureFileError      one capture's file: not written, not readable, or not what was written
|  `- CaptureRemoved     retention has removed it
|- ImportRefused         a recording of another instrument that cannot become a run
|- ExportError           what was measured could not be written as asked
|- BackupError           a backup that was not made, is not whole, or cannot be restored there
|- StorageHeld           a backup and retention at the captures at once
|- BenchInUse            another program holds the bench
|- AlarmNotSeen          an alarm of the supply came while others were acknowledged
|- DryRunRefusal         what cannot be done without changing the supply, in a dry run
|- SupplyRefusal         the supply is not fit for a measurement
|- VerificationFailed    a virtual bench could not be calibrated or measured
`- RunRefusal            a request that cannot become a run
"""

from collections.abc import Sequence
from pathlib import Path

from metrology.errors import JoulebenchError
from runners.count_text import listed_problems


class DaemonError(JoulebenchError):
    """Root of the lab side's errors."""


class ConfigurationError(DaemonError):
    """A configuration that cannot be used; lists all of its problems."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(listed_problems(f"{path}", self.problems, of="the configuration"))


class StoreError(DaemonError):
    """The database refused, or holds what it must not."""


class StoreInterrupted(StoreError):
    """A transaction that left no trace, for a reason that may be gone in a moment."""


class CertificateDemandError(DaemonError):
    """Two certificates of one kind that are to be used at once."""

    def __init__(self, kind: str, first: str, second: str) -> None:
        super().__init__(
            f"certificates {first} and {second} are both of the kind {kind!r}, and a result uses one of each kind; "
            "name one of them"
        )


class ImportRefused(DaemonError):
    """A recording of another instrument that cannot become a run; the text says why, and what to do."""


class CaptureFileError(DaemonError):
    """A capture's file: which one, what was being done, and why it failed."""

    def __init__(self, path: Path, operation: str, problem: str) -> None:
        self.path = path
        self.operation = operation
        super().__init__(f"cannot {operation} capture file {path}: {problem}")


class CaptureRemoved(CaptureFileError):
    """A capture whose file retention has removed."""


class ExportError(DaemonError):
    """What was measured could not be written as asked."""


class BackupError(DaemonError):
    """A backup that was not made, is not whole, or cannot be restored where it was to be."""


class StorageHeld(DaemonError):
    """Somebody is at the captures who must not be disturbed."""

    def __init__(self, directory: Path, *, removing: bool) -> None:
        who = "a backup is being made of it, or retention is at work" if removing else "retention is removing captures"
        super().__init__(f"the captures of {directory} are in use ({who}): try again when it is done")


class BenchInUse(DaemonError):
    """Another program holds the bench."""

    def __init__(self, bench: str, holder: str, path: Path) -> None:
        super().__init__(
            f"bench {bench!r} is in use by {holder} (lock {path}): stop that program, or wait until it ends, and try "
            "again"
        )
        self.holder = holder
        """Who holds it, since when."""


class AlarmNotSeen(DaemonError):
    """An alarm of the supply came while others were acknowledged."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another alarm has come meanwhile, and none was cleared ({path}): look at it, then try again")


class DryRunRefusal(DaemonError):
    """What cannot be done without changing the supply was asked for in a dry run."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} switches the supply's output, and tells you when it is off: that cannot be rehearsed while "
            "nothing is sent; set safety.dry_run = false (JOULEBENCH_SAFETY__DRY_RUN)"
        )


class SupplyRefusal(DaemonError):
    """The supply is not fit for a measurement."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        """Reason code, stable."""


class VerificationFailed(DaemonError):
    """A virtual bench could not be calibrated or measured."""


class RunRefusal(DaemonError):
    """A request that cannot become a run."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        """Reason code, stable."""
