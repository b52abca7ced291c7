"""Scene: what is examined, and who else may be at it meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from daemon.bench_lock import BenchLock, holder_of
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration

Watch = Callable[[str, int, int], None]
"""Is told what is being examined, how many of it are, and how many there are in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One bench's storage, as its configuration names it."""

    configuration: Configuration
    """Everything."""
    files: CaptureFiles
    """The captures' folder."""
    holder: str | None
    """Who holds the bench, and may have a run in hand; None: nobody."""
    others_write: bool
    """Another bench of the same folder is held, whose files may be in the middle of being written."""

    @classmethod
    def of(cls, configuration: Configuration, *, held: bool) -> Self:
        """Look who is there.

        Args:
            configuration: of the bench.
            held: the caller itself holds the bench, so that nobody else does.
        """
        own = BenchLock(configuration).path
        others = [path for path in own.parent.glob("*.lock") if path != own]
        return cls(
            configuration=configuration,
            files=CaptureFiles(configuration.storage.captures_directory),
            holder=None if held else holder_of(own),
            others_write=any(holder_of(path) is not None for path in others),
        )

    @property
    def bench(self) -> str:
        """Name of the bench."""
        return self.configuration.bench.name

    def holds(self, bench: str) -> bool:
        """Return whether files of a bench's runs belong into this folder.

        The database inside the folder is this folder's alone; one that is named by its URL may be shared by benches
        with folders of their own.
        """
        return self.configuration.storage.database_url is None or bench == self.bench

    def capture_files(self) -> list[Path]:
        """Return every capture file that is there, whole or not, in the order of their names."""
        return sorted(self.files.directory.glob("*.parquet"))
