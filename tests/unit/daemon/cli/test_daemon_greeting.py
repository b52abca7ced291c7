"""What a daemon says once it serves: never that all is well where no run is taken."""

import pytest

from daemon.cli.daemon import _greeting
from daemon.readiness import Finding

OPEN = Finding(part="instruments", ok=True, text="open")
SHUT = Finding(part="instruments", ok=False, text="not open: bench: 2 instruments not ready:\n  - scope\n  - supply")


@pytest.mark.parametrize(
    ("instruments", "dry_run", "text"),
    [
        (OPEN, False, "bench b is served; Ctrl-C stops"),
        (OPEN, True, "bench b is served as a dry run: every run is rejected; Ctrl-C stops"),
        (
            SHUT,
            False,
            "bench b is served, and takes no run until its instruments answer (not open: bench: 2 "
            "instruments not ready); Ctrl-C stops",
        ),
    ],
)
def test_the_greeting_says_whether_runs_are_taken(instruments: Finding, dry_run: bool, text: str) -> None:
    assert _greeting("b", instruments, dry_run=dry_run) == text
