"""Import store: a recording kept as a run in the store that the options name."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.captures import CaptureFiles
from daemon.cli.import_options import Wanted
from daemon.cli.run_store import database_url
from daemon.configuration import load_configuration
from daemon.imports.stored_import import BENCH, store_import
from daemon.store import Store

if TYPE_CHECKING:
    from daemon.imports.draft import ImportDraft


def keep(
    draft: "ImportDraft", wanted: Wanted, *, images_per_window: int, tell: Callable[[str], None]
) -> Mapping[str, Any]:
    """Store a draft and return its result as JSON values."""
    bench, url, captures = _place(wanted)
    with Store(url, bench=bench) as store:
        names = wanted.names(images_per_window)
        result = store_import(
            draft, names, store=store, files=CaptureFiles(captures), version=version("joulebench"), tell=tell
        )
    return result.model_dump(mode="json")


def _place(wanted: Wanted) -> tuple[str, str, Path]:
    """Return the bench, the URL of the database and the folder of captures; what is missing of a folder is made.

    In the store of a bench a run is entered as one of its own, so that its daemon's page shows it.
    """
    if wanted.directory is not None:
        wanted.directory.mkdir(parents=True, exist_ok=True)
        return BENCH, database_url(None, wanted.directory), wanted.directory / "captures"
    configuration = load_configuration(Path(str(wanted.config)))
    return configuration.bench.name, configuration.storage.url, configuration.storage.captures_directory
