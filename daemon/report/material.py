"""Material: what a report is made of, read from a store: cells, what was left out, and with what it was measured."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.errors import StoreError
from daemon.records import ResultRecord, RunRecord
from daemon.report.described_capture import DescribedCapture, read_described
from daemon.report.measured_cell import SPECS, MeasuredCell, Setting, cell_of, scatters_of
from daemon.report.provenance import Provenance, read_provenance
from daemon.report.result_values import Pair
from daemon.result_energy import EVERY_RUN
from daemon.store import Store
from runners.messages import RunPhase

_ORDER = {name: number for number, name in enumerate(SPECS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A run that no number of the report rests on."""

    run_id: str
    what: str
    """Network and batch size."""
    state: str
    """What became of it: `invalid`, or the state it ended in."""
    why: str
    """In words, as the result or the run says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a report says, before it is said."""

    title: str
    cells: tuple[MeasuredCell, ...]
    """Every cell, by network and batch size."""
    left_out: tuple[LeftOut, ...]
    """Runs left out: invalid, without energy, or ended without a result."""
    provenance: Provenance
    """With what the others were measured."""
    captures: tuple[DescribedCapture, ...] = ()
    """Their captures that are still kept and can be read, first runs first."""

    @property
    def valid_runs(self) -> int:
        """Runs whose result is valid."""
        return sum(len(cell.run_ids) for cell in self.cells) - self.degraded_runs

    @property
    def degraded_runs(self) -> int:
        """Runs whose result is degraded."""
        return sum(cell.degraded_runs for cell in self.cells)

    @property
    def invalid(self) -> tuple[str, ...]:
        """Runs whose result is invalid."""
        return tuple(one.run_id for one in self.left_out if one.state == "invalid")

    @property
    def main_setting(self) -> Setting:
        """The board, precision, backend, bench and recorder with the most cells: what the figures show."""
        return Counter(cell.setting for cell in self.cells).most_common(1)[0][0]

    def setting_text(self, setting: Setting) -> str:
        """Return board, precision and backend in words; bench and recorder only where they differ between cells."""
        differ = [len({cell.setting[place] for cell in self.cells}) > 1 for place in range(len(setting))]
        return ", ".join(word for place, word in enumerate(setting) if word and (place < 3 or differ[place]))

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


def read_material(
    store: Store,
    *,
    title: str,
    files: CaptureFiles,
    certificates: CertificateStore | None = None,
    run_ids: Collection[str] | None = None,
    missing: Sequence[LeftOut] = (),
) -> Material:
    """Read what the runs of a store, or only those named, have measured; `missing` was planned and is not there.

    Raises:
        StoreError: none of them has a result to report.
    """
    runs = [run for run in reversed(store.runs(EVERY_RUN)) if run_ids is None or run.run_id in run_ids]
    used: list[Pair] = []
    left_out: list[LeftOut] = []
    for run in runs:
        result = store.latest_result(run.run_id) if run.state is RunPhase.DONE else None
        if (reason := _left_out(run, result)) is not None:
            left_out.append(reason)
        elif result is not None:
            used.append((run, result))
    if not used:
        raise StoreError(_nothing(len(runs), sum(one.state == "invalid" for one in left_out)))
    captures, unread = read_described(store, (run.run_id for run, _ in used), files)
    recorders = _recorders(store, used, captures)
    groups: dict[tuple[object, ...], list[Pair]] = defaultdict(list)
    for run, result in used:
        groups[_key(run, recorders.get(run.run_id, ""))].append((run, result))
    scatters = scatters_of(groups.values())
    cells = (cell_of(group, scatters, recorder=recorders.get(group[0][0].run_id, "")) for group in groups.values())
    return Material(
        title=title,
        cells=tuple(sorted(cells, key=_place)),
        left_out=(*left_out, *missing),
        provenance=read_provenance(used, captures, unread, certificates, recorders),
        captures=captures,
    )


def _recorders(store: Store, pairs: Sequence[Pair], captures: Sequence[DescribedCapture]) -> dict[str, str]:
    """Return by imported run what recorded its file; runs that a bench measured are not in it."""
    described = {one.run_id for one in captures}
    found = {one.run_id: one.recorder for one in captures if one.recording is not None}
    for run, _ in pairs:
        if run.run_id not in described and any(one.event == "imported" for one in store.journal(run.run_id)):
            found[run.run_id] = "a recorder that no kept capture names"
    return found


def _left_out(run: RunRecord, result: ResultRecord | None) -> LeftOut | None:
    def say(state: str, why: str) -> LeftOut:
        return LeftOut(run_id=run.run_id, what=f"{run.network}, batch {run.batch_size}", state=state, why=why)

    if result is None:
        return say(run.state.value, run.text or run.reason or "it has no result")
    reasons = "; ".join(str(one.get("text") or one.get("code")) for one in result.document.get("reasons") or ())
    if result.quality == "invalid":
        return say("invalid", reasons or "its result says no reason")
    if not (result.gross_energy_per_image_j or 0) > 0:
        return say("without energy", reasons or f"gross energy per image is {result.gross_energy_per_image_j!r} J")
    return None


def _nothing(runs: int, invalid: int) -> str:
    return (
        f"there is nothing to report: of {runs} runs none has a usable result ({invalid} invalid); "
        "`joulebench runs list` shows what became of them"
    )


def _key(run: RunRecord, recorder: str) -> tuple[object, ...]:
    """Return what repeats have in common; two benches, or two recorders, have errors of their own."""
    return run.network, run.batch_size, run.board, run.precision, run.backend, run.bench, recorder


def _place(cell: MeasuredCell) -> tuple[object, ...]:
    return _ORDER.get(cell.network, len(_ORDER)), cell.network, cell.setting, cell.batch_size
