"""Material: what a report is made of, read from a store: cells, what was left out, and with what it was measured."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from daemon.errors import StoreError
from daemon.records import RunRecord
from daemon.report.measured_cell import SPECS, MeasuredCell, Pair, cell_of
from daemon.result_energy import EVERY_RUN
from daemon.store import Store
from runners.messages import RunPhase

_ORDER = {name: number for number, name in enumerate(SPECS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a report says, before it is said."""

    title: str
    cells: tuple[MeasuredCell, ...]
    """Every cell, by network and batch size."""
    invalid: tuple[str, ...]
    """Runs left out because their result is invalid or has no energy."""
    unmeasured: Counter[str] = field(default_factory=Counter)
    """How many runs ended without a result, by state."""
    certificates: tuple[str, ...] = ()
    """Calibration certificates that the results used."""
    software: tuple[str, ...] = ()
    """Versions that computed them."""
    syncs: tuple[str, ...] = ()
    """Synchronisation methods used."""
    capture_names: tuple[str, ...] = ()
    """Files of the captures that are still kept, first runs first."""

    @property
    def main_setting(self) -> tuple[str, str, str]:
        """The board, precision and backend with the most cells: what the figures show."""
        return Counter(cell.setting for cell in self.cells).most_common(1)[0][0]

    @property
    def shown(self) -> tuple[MeasuredCell, ...]:
        """The cells of that setting."""
        return tuple(cell for cell in self.cells if cell.setting == self.main_setting)

    @property
    def smallest(self) -> tuple[MeasuredCell, ...]:
        """One cell a network: that of its smallest batch."""
        found: dict[str, MeasuredCell] = {}
        for cell in self.shown:
            found.setdefault(cell.network, cell)
        return tuple(found.values())


def read_material(store: Store, *, title: str, run_ids: Collection[str] | None = None) -> Material:
    """Read what the runs of a store, or only those named, have measured.

    Raises:
        StoreError: none of them has a result to report.
    """
    runs = [run for run in reversed(store.runs(EVERY_RUN)) if run_ids is None or run.run_id in run_ids]
    groups: dict[tuple[object, ...], list[Pair]] = defaultdict(list)
    invalid, unmeasured, used = [], Counter[str](), list[Pair]()
    for run in runs:
        result = store.latest_result(run.run_id) if run.state is RunPhase.DONE else None
        if result is None:
            unmeasured[run.state.value] += 1
        elif result.quality == "invalid" or not (result.gross_energy_per_image_j or 0) > 0:
            invalid.append(run.run_id)
        else:
            groups[_key(run)].append((run, result))
            used.append((run, result))
    if not used:
        raise StoreError(_nothing(len(runs), len(invalid)))
    documents = [result.document for _, result in used]
    return Material(
        title=title,
        cells=tuple(sorted(map(cell_of, groups.values()), key=_place)),
        invalid=tuple(invalid),
        unmeasured=unmeasured,
        certificates=tuple(sorted({one for document in documents for one in document.get("certificate_ids") or ()})),
        software=tuple(sorted({str(document.get("software_version", "unknown")) for document in documents})),
        syncs=tuple(sorted({str(document.get("sync", "unknown")) for document in documents})),
        capture_names=tuple(
            one.name for run, _ in used for one in store.captures(run.run_id) if one.removed_utc_ns is None
        ),
    )


def _nothing(runs: int, invalid: int) -> str:
    return (
        f"there is nothing to report: of {runs} runs none has a usable result ({invalid} invalid); "
        "`joulebench runs list` shows what became of them"
    )


def _key(run: RunRecord) -> tuple[object, ...]:
    return run.network, run.batch_size, run.board, run.precision, run.backend


def _place(cell: MeasuredCell) -> tuple[object, ...]:
    return _ORDER.get(cell.network, len(_ORDER)), cell.network, cell.setting, cell.batch_size
