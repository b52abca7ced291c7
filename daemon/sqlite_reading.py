"""SQLite reading: how a database's file is opened so that nothing is made or changed beside it; loads nothing else."""

from pathlib import Path
from urllib.parse import quote


def read_only_uri(path: Path) -> str:
    """Return SQLite's own URI of a database that is only to be read.

    A reader of a file in WAL mode needs `-wal` and `-shm` beside it, and makes them where they are missing: then nobody
    has the file open, and it can be read as one that does not change. It is opened anew for each reading, so that this
    holds for moments only.
    """
    in_use = any(path.with_name(path.name + ending).exists() for ending in ("-wal", "-journal"))
    # Quoted: a path's ? or % must not end it.
    return f"file:{quote(str(path.absolute()))}?{'mode=ro' if in_use else 'mode=ro&immutable=1'}"
