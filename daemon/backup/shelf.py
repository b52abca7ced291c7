"""Shelf: a folder of backups, each a folder named by its instant; what is being made has another name."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from daemon.backup.manifest import NAME
from daemon.errors import BackupError

_PREFIX = "joulebench-"
_UNFINISHED = ".part"


class Shelf:
    """A folder of backups."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        """The folder; made with the first backup."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from making a backup here meanwhile, and remove what somebody left half made.

        Raises:
            BackupError: somebody does.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(f"another backup is being made in {self.directory}: wait until it is done") from error
            for left in self.directory.glob(f"{_PREFIX}*{_UNFINISHED}"):
                shutil.rmtree(left)
            yield
        finally:
            os.close(handle)

    def backups(self) -> list[Path]:
        """Return the whole backups, the oldest first."""
        found = (path for path in self.directory.glob(f"{_PREFIX}*") if path.suffix != _UNFINISHED)
        return sorted(path for path in found if (path / NAME).is_file())

    def newest(self) -> Path | None:
        """Return the newest backup; None where there is none."""
        return next(reversed(self.backups()), None)

    @contextmanager
    def unfinished(self, at_utc_ns: int) -> Iterator[tuple[Path, Path]]:
        """Yield the folder to make a backup in, and the one that it is to be: renamed at the end, or removed.

        Raises:
            BackupError: there is a backup of that name.
        """
        at = datetime.fromtimestamp(at_utc_ns / 1e9, UTC)
        target = self.directory / f"{_PREFIX}{at:%Y%m%dT%H%M%S}.{at_utc_ns // 1000 % 1_000_000:06d}Z"
        if target.exists():
            raise BackupError(f"there is a backup {target} already")
        folder = target.with_name(target.name + _UNFINISHED)
        folder.mkdir()
        try:
            yield folder, target
            # All that was written is on the disk before it has its name; one call for a hundred thousand files.
            os.sync()
            folder.rename(target)
            os.sync()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep_newest(self, count: int) -> list[Path]:
        """Remove all but the newest backups, and return those that were removed; what others are linked to stays."""
        old = self.backups()[:-count]
        for path in old:
            # Renamed first: what is half removed is no backup, and the next to come removes the rest of it.
            shutil.rmtree(path.rename(path.with_name(path.name + _UNFINISHED)))
        return old


def backup_at(path: Path) -> Path:
    """Return the backup that a path names: itself, or the newest in it.

    Raises:
        BackupError: there is none.
    """
    if (path / NAME).is_file():
        return path
    newest = Shelf(path).newest()
    if newest is None:
        raise BackupError(f"{path} is no backup, and holds none")
    return newest
