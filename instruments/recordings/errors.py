"""What can go wrong with another instrument's files.

InstrumentError
`- RecordingError    one file of a recording: which, and what is wrong with it
"""

from pathlib import Path

from instruments.errors import InstrumentError


class RecordingError(InstrumentError):
    """A file that is missing, unreadable, or not what its instrument writes."""

    def __init__(self, path: Path, problem: str, *, instrument: str) -> None:
        super().__init__(f"{path}: {problem}", instrument=instrument, operation="read recording")
        self.path = path
        """The file or folder."""
        self.problem = problem
        """What is wrong with it."""
