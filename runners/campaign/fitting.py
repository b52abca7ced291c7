"""Fitting: does a board have what a plan asks for?"""

from collections.abc import Iterable, Sequence

from runners.campaign.cell import Cell


def lacking(
    cells: Sequence[Cell], *, networks: Sequence[str], precisions: Sequence[str], backends: Sequence[str]
) -> list[str]:
    """Return a sentence for each network, precision and back end that is asked for and not offered.

    A board that names none is asked run by run; so are precisions with any back end but its first, which are not told.
    """
    usual = (None, *backends[:1])
    return [
        *_missing("network", (cell.network for cell in cells), networks),
        *(
            f"{problem}; what a device only imitates is announced by `joulebench board serve --slow-precisions`"
            for problem in _missing("precision", (c.precision for c in cells if c.backend in usual), precisions)
        ),
        *_missing("backend", (cell.backend for cell in cells if cell.backend is not None), backends),
    ]


def _missing(what: str, wanted: Iterable[str], offered: Sequence[str]) -> list[str]:
    missing = [name for name in dict.fromkeys(wanted) if name not in offered] if offered else []
    return [f"{what} {name!r} is not among those that it runs: {', '.join(offered)}" for name in missing]
