"""Fault table: what each fault of a campaign did, for people."""

from collections.abc import Mapping

from rich.markup import escape
from rich.table import Table

from daemon.verify.faults.evidence import NO_FAULT
from daemon.verify.faults.judge import Crime
from daemon.verify.faults.report import FaultReport


def fault_table(report: FaultReport) -> Table:
    """Return one line for each fault with how its runs ended, under what the whole campaign found."""
    crimes = ", ".join(f"{crime.value.replace('_', ' ')} {report.count(crime)}" for crime in Crime)
    title = f"{report.faults} faults over {report.runs} runs: {crimes}"
    table = Table("fault", "its runs ended", title=title, row_styles=("", "dim"))
    table.add_column("count", justify="right")
    for name, toll in report.by_fault.items():
        if name != NO_FAULT:
            table.add_row(escape(name.replace("_", " ")), _listed(toll["ended"]), str(toll["count"]))
    untouched = report.by_fault[NO_FAULT]
    table.add_row(f"none: {untouched['valid']} valid", _listed(untouched["ended"]), str(untouched["runs"]))
    return table


def _listed(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{count} {escape(name)}" for name, count in counts.items())
