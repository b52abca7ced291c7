"""Command line: what typer alone cannot check, refused in its words, with exit status 2, before anything is begun."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from runners.messages import BoardCommand

RecordOption = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="FILE", help="Write every message to the instruments and every answer here, as JSON lines."
    ),
]
"""Option of the verbs that speak to instruments; the file must not exist yet."""

RecordLimitOption = Annotated[
    int,
    typer.Option(
        "--record-limit-mb",
        min=1,
        metavar="MB",
        help="Largest size of that file, in megabytes; there the recording ends, and the work goes on.",
    ),
]
"""Option beside it."""
RECORD_LIMIT_MB = 2000
"""Its default: 5000 captures of one channel, or eighteen hours of waiting for runs."""
MB = 1_000_000

_OPTIONS = {"images_planned": "--images"}
"""Options that are not named like the key of the message."""


def board_command(**wish: Any) -> "BoardCommand":
    """Return the command to a board that options ask for."""
    from pydantic import ValidationError

    from runners.messages import BoardCommand

    try:
        return BoardCommand(**wish)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = str(problem["loc"][0])
        text = f"{problem['msg']}, got {problem['input']!r}"
        raise typer.BadParameter(text, param_hint=_OPTIONS.get(key, f"--{key.replace('_', '-')}")) from None


def check_identifiers(**names: str) -> None:
    """Refuse names that no topic can hold; keyed by their options."""
    from runners.messages import IDENTIFIER_PATTERN

    for key, name in names.items():
        if re.fullmatch(IDENTIFIER_PATTERN, name) is None:
            raise typer.BadParameter(f"must match {IDENTIFIER_PATTERN}, got {name!r}", param_hint=f"--{key}")


def check_folder(path: Path | None, *, option: str) -> None:
    """Refuse a file in a folder that is not there."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(path.parent)!r}", param_hint=option)
