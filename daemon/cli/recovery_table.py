"""Recovery table: what each fault did, for people."""

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from daemon.quantity_text import ABSENT
from daemon.verify.recovery import Toll


def recovery_table(tolls: Sequence[Toll]) -> Table:
    """Return one line for each fault: what became of the runs that it struck and of the next, and how it was mended."""
    table = Table("fault", "the run in hand", "back by", title="Faults", row_styles=("", "dim"))
    for name in ("strikes", "next valid", "wrong valid", "median / s", "longest / s"):
        table.add_column(name, justify="right")
    for one in tolls:
        table.add_row(
            escape(one.fault), _listed(one.ended), _listed(one.steps), str(one.strikes), str(one.next_valid),
            str(one.wrong_valid), _seconds(one.recovery_median_s), _seconds(one.recovery_max_s),
        )  # fmt: skip
    return table


def complaints(tolls: Sequence[Toll]) -> list[str]:
    """Return what is wrong, a sentence each; nothing where every fault was survived."""
    found = []
    for one in tolls:
        if one.wrong_valid:
            found.append(f"{one.fault}: {one.wrong_valid} results were called valid and were not")
        if one.next_valid < one.strikes:
            ends = ", ".join(f"{count} {name}" for name, count in one.next_ended.items())
            found.append(f"{one.fault}: the next run was not always measured: {ends}")
    return found


def _listed(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{count} {escape(name)}" for name, count in counts.items())


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}"
