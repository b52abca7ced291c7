"""Simulation: whether runs were measured on the simulated bench, by whatever still tells."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from daemon.records import RunRecord
from daemon.report.described_capture import DescribedCapture
from instruments.simulated_identity import SCOPE, SIMULATED_BENCHES, SIMULATED_SCOPE_IDENTITY


def is_simulated(
    runs: Iterable[RunRecord],
    captures: Sequence[DescribedCapture],
    certified: Mapping[str, str],
    imported: Collection[str],
) -> bool | None:
    """Return whether any of these runs was simulated; None where nothing tells it of one of their benches.

    A bench is told by the oscilloscope that its kept captures name, or else the one that a certificate was made with
    that its results used, or else by the name that the simulated bench has in what comes with joulebench.

    Args:
        runs: that the report rests on.
        captures: of theirs, as far as they are kept.
        certified: by run, the oscilloscope that its certificate was made with.
        imported: runs that were imported: no bench of ours measured them.
    """
    scopes = dict(certified) | {one.run_id: one.instruments[SCOPE] for one in captures if SCOPE in one.instruments}
    if SIMULATED_SCOPE_IDENTITY in scopes.values():
        return True
    benches: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        if run.run_id not in imported:
            benches[run.bench].add(run.run_id)
    untold = [bench for bench, run_ids in benches.items() if not run_ids & scopes.keys()]
    if any(bench in SIMULATED_BENCHES for bench in untold):
        return True
    return None if untold else False
