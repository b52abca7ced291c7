"""Page files: what a browser is given of the page, from the package itself; nothing comes from another host."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_FOLDER = "static"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Kinds of files that are served; others in the folder, such as a licence, are for whoever reads the package."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page."""

    content: bytes
    """What is in it."""
    media_type: str
    """What kind it is."""


@cache
def page_files() -> dict[str, PageFile]:
    """Return every file of the page by its path below the folder; nothing else can be asked for."""
    return dict(_found(files("daemon.web") / _FOLDER, ""))


def _found(folder: Traversable, prefix: str) -> list[tuple[str, PageFile]]:
    found: list[tuple[str, PageFile]] = []
    for entry in folder.iterdir():
        suffix = "." + entry.name.rpartition(".")[2]
        if entry.is_dir():
            found += _found(entry, f"{prefix}{entry.name}/")
        elif suffix in _MEDIA_TYPES:
            found.append((prefix + entry.name, PageFile(entry.read_bytes(), _MEDIA_TYPES[suffix])))
    return found
