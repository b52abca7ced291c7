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
    if wanted.directory is not None:
        wanted.directory.mkdir(parents=True, exist_ok=True)
    with Store(database_url(wanted.config, wanted.directory), bench=BENCH) as store:
        files = CaptureFiles(_captures_folder(wanted))
        names = wanted.names(images_per_window)
        result = store_import(draft, names, store=store, files=files, version=version("joulebench"), tell=tell)
    return result.model_dump(mode="json")


def _captures_folder(wanted: Wanted) -> Path:
    if wanted.directory is not None:
        return wanted.directory / "captures"
    return load_configuration(Path(str(wanted.config))).storage.captures_directory
