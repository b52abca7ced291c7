"""Reason codes: every one that a run may end with, so that nothing else becomes a name in the metrics."""

from calibration.selection import SelectionOutcome
from daemon.faults import REASON_CODES
from metrology.quality import ReasonCode

OTHER = "other"
"""Stands for a code that a board made up."""

_DAEMON = (
    *("aborted_by_lab", "bench_busy", "board_restarted", "daemon_stopped", "daemon_stopping", "disk_full", "dry_run"),
    *("finished_before_armed", "finished_missing", "images_not_whole_batches", "internal_error", "malformed_message"),
    *("run_id_taken", "shutdown", "supply_alarm", "supply_not_cv", "supply_off", "supply_tripped"),
    *("sync_unavailable", "too_many_captures", "unknown_network"),
)
_BOARD = (
    *("agent_stopped", "bad_message", "broker_unavailable", "busy", "command_lost", "daemon_silent", "marker_failed"),
    *("out_of_memory", "program_failed", "runner_error", "unsupported", "workload_failed"),
)

QUALITY = frozenset(code.value for code in ReasonCode)
"""What may be wrong with a result."""
ENDS = frozenset(
    {
        *_DAEMON,
        *_BOARD,
        *(code for _, code in REASON_CODES),
        *(one.value for one in SelectionOutcome if one is not SelectionOutcome.FOUND),
    }
)
"""Why a run may have no result."""


def declared(code: str | None) -> str:
    """Return a code if it is one of ours, and `other` for whatever else a message brought."""
    return code if code in QUALITY or code in ENDS else OTHER
