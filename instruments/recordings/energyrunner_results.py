"""EnergyRunner's `results.txt`: how many inferences ran in each window.

Its energies are left alone: they are what the measurement is compared with, never where it comes from.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from instruments.recordings.energyrunner_file import file_error, read_file

_HEADING = re.compile(r"Performance results for window (\d{1,9}):")
_ANY_HEADING = re.compile(r"window \d")
_COUNT = re.compile(r"# Inferences\s*:\s*(\S+)")


def read_inference_counts(path: Path) -> Mapping[int, int]:
    """Return the number of inferences by window number, as the host's log tells them.

    Raises:
        RecordingError: the log cannot be read, a count is not a whole number above zero, or a window has two.
    """
    counts: dict[int, int] = {}
    for line, window, text in _told(read_file(path).decode("utf-8", errors="replace")):
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) == 0:
            raise file_error(
                path, f"line {line}: inferences of window {window} must be a whole number > 0, got {text!r}"
            )
        if counts.get(window, int(text)) != int(text):
            raise file_error(
                path, f"line {line}: window {window} has {text} inferences here and {counts[window]} before"
            )
        counts[window] = int(text)
    return counts


def _told(log: str) -> Iterator[tuple[int, int, str]]:
    """Yield line number, window and text of each count."""
    window: int | None = None
    for number, line in enumerate(log.splitlines(), start=1):
        if heading := _HEADING.search(line):
            window = int(heading[1])
        elif _ANY_HEADING.search(line):
            window = None  # another section begins: what follows is not about that window
        elif (count := _COUNT.search(line)) and window is not None:
            yield number, window, count[1]
