"""Supply table: audit lines and alarms, for people."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from daemon.supply_alarm import Alarm

STYLES = {"failed": "red", "would": "yellow", "event": "cyan"}
UNITS = {"voltage_v": "V", "current_a": "A", "ovp_v": "V OVP"}


def audit_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the lines of an audit log as a table; what was intended is left out where what came of it follows."""
    ended = {line.get("change") for line in lines if line.get("stage") in ("done", "failed")}
    table = Table("UTC", "", "change", "from", "to", "by", "why, and what came of it")
    for line in lines:
        if line.get("stage") == "intended" and line.get("change") in ended:
            continue
        stage = str(line.get("stage", "?"))
        table.add_row(
            escape(str(line.get("utc", "?"))[:19].replace("T", " ")),
            f"[{STYLES[stage]}]{stage}[/]" if stage in STYLES else escape(stage),
            escape(str(line.get("action", "?"))),
            escape(_state(line.get("before"))),
            escape(_state(line.get("after") or line.get("wanted"))),
            escape(_who(line.get("by"))),
            escape(_why(line)),
        )
    return table


def alarms_table(alarms: "Sequence[Alarm]") -> Table:
    """Return alarms as a table."""
    table = Table("UTC", "policy", "run", "what was seen and done")
    for alarm in alarms:
        moment = datetime.fromtimestamp(alarm.at_utc_ns / 1e9, UTC)
        table.add_row(f"{moment:%Y-%m-%d %H:%M:%S}", alarm.kind, escape(alarm.run_id or "-"), escape(alarm.text))
    return table


def _state(state: Any) -> str:
    if not isinstance(state, Mapping):
        return "-"
    words = ["on" if state["output_on"] else "off"] if "output_on" in state else []
    words += [f"{state[name]:g} {unit}" for name, unit in UNITS.items() if isinstance(state.get(name), int | float)]
    return ", ".join(words) or "-"


def _who(by: Any) -> str:
    if not isinstance(by, Mapping):
        return "?"
    names = [by.get("program"), by.get("run_id") and f"run {by['run_id']}", by.get("procedure"), by.get("user")]
    return ", ".join(str(name) for name in names if name)


def _why(line: Mapping[str, Any]) -> str:
    by = line.get("by")
    reason = by.get("reason") if isinstance(by, Mapping) else None
    words = (reason, line.get("text"), line.get("outcome"), line.get("note"), line.get("error"), line.get("unread"))
    return "; ".join(str(word) for word in words if word)
