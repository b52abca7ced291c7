"""One file of an EnergyRunner recording: its bytes, or an error that names it."""

from pathlib import Path

from instruments.recordings.errors import RecordingError


def file_error(path: Path, problem: str) -> RecordingError:
    """Return the error for a file or folder of a recording."""
    return RecordingError(path, problem, instrument="EnergyRunner")


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        RecordingError: it is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise file_error(path, "the file is missing") from None
    except OSError as error:
        raise file_error(path, f"cannot be read: {error.strerror}") from error
