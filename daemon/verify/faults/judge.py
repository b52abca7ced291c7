"""Judge: says of each run whether it was lost, measured twice, or called valid wrongly; it knows only evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.verify.faults.evidence import Evidence, KeptResult, KeptRun, SeenRun
from metrology.quality import Verdict
from runners.messages import RunPhase

WITHIN = 0.005
"""A valid result lies this close to the world's energy, relative: the lab's instruments are exact."""


class Crime(StrEnum):
    """What must not happen."""

    LOST = "lost"
    """A run that was acknowledged has no end, in the store or for who asked, or was captured and has no result."""
    DUPLICATED = "duplicated"
    """A run was measured or analysed twice."""
    TORN_FILE = "torn_files"
    """A capture's file is not what was written."""
    WRONG_VALID = "wrong_valid"
    """A result is called valid and is not the world's energy."""
    STUCK = "stuck"
    """A run came to no end, or the daemon took no further one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must not happen, and did."""

    crime: Crime
    """What."""
    text: str
    """Which run or file, the fault that touched it, and what is wrong."""


def judged(evidence: Evidence) -> tuple[Finding, ...]:
    """Return everything in a portion of runs that must not be."""
    found: list[Finding] = []
    for run in evidence.seen:
        kept = evidence.kept.get(run.run_id)
        for crime, check in ((Crime.LOST, _losses), (Crime.DUPLICATED, _doubles), (Crime.WRONG_VALID, _wrongs)):
            found += (Finding(crime=crime, text=f"{_name(run)}: {text}") for text in check(run, kept))
        if not run.ended:
            found.append(Finding(crime=Crime.STUCK, text=f"{_name(run)}: no end after {run.duration_s:.0f} s"))
    found += (Finding(crime=Crime.TORN_FILE, text=text) for text in evidence.torn)
    found += (Finding(crime=Crime.STUCK, text=text) for text in evidence.stuck)
    return tuple(found)


def how_it_ended(run: SeenRun, kept: KeptRun | None) -> str:
    """Return a run's verdict, or the phase that it ended in with its reason."""
    if kept is None:
        return "never requested" if run.told is None else run.told
    if kept.state != RunPhase.DONE.value or not kept.results:
        return kept.state if kept.reason is None else f"{kept.state}: {kept.reason}"
    codes = ", ".join(kept.results[0].reasons)
    return f"{kept.results[0].quality}: {codes}" if codes else kept.results[0].quality


def is_valid(kept: KeptRun | None) -> bool:
    """Return whether a run was measured, and well."""
    return kept is not None and bool(kept.results) and kept.results[0].quality == Verdict.VALID.value


def _name(run: SeenRun) -> str:
    return f"run {run.run_id} ({run.fault}{', ' if run.moment else ''}{run.moment})"


def _losses(run: SeenRun, kept: KeptRun | None) -> Iterator[str]:
    if kept is None:
        if run.acknowledged:
            yield "it was acknowledged, and the store does not know it"
        return
    if not kept.terminal:
        yield f"the store holds it as {kept.state}, which is no end"
    elif run.told is None:
        yield f"it ended as {kept.state} ({kept.reason}), and who asked for it was never told"
    elif not run.told.startswith(kept.state):
        yield f"who asked for it was told {run.told!r}, and the store holds it as {kept.state!r} ({kept.reason})"
    if kept.results:
        if kept.state == RunPhase.DONE.value and not run.told_results:
            yield "it is done, and its result reached nobody"
    elif kept.state == RunPhase.DONE.value:
        yield "it is done, and has no result"
    elif kept.finished and kept.capture_indices:
        yield f"it was captured and the board has reported, and it has no result: {kept.state} ({kept.reason})"


def _doubles(run: SeenRun, kept: KeptRun | None) -> Iterator[str]:
    measured = sum(record.pulses > 0 for record in run.records)
    if measured > 1:
        yield f"the world saw {measured} acquisitions with its batches"
    if len(set(run.told_results)) > 1:
        yield f"{len(set(run.told_results))} different results were published"
    if kept is None:
        return
    if len(kept.results) > 1:
        yield f"the store holds {len(kept.results)} results"
    if len(kept.capture_indices) > 1:
        yield f"the store holds captures {list(kept.capture_indices)}, and one was asked for"


def _wrongs(run: SeenRun, kept: KeptRun | None) -> Iterator[str]:
    for result in () if kept is None else kept.results:
        if result.quality == Verdict.VALID.value and (text := _why_wrong(run, result)):
            yield text


def _why_wrong(run: SeenRun, result: KeptResult) -> str | None:
    """Return why a result that is called valid is not; None where it is."""
    pulsed = [record for record in run.records if record.pulses]
    if not pulsed or result.gross_energy_per_image_j is None:
        return "valid, and the world saw no acquisition with its batches"
    record = pulsed[-1]
    if not record.held_voltage:
        return "valid, and the supply did not hold its voltage"
    if not record.pulses == result.batches == run.batches:
        return f"valid with {result.batches} batches; the record holds {record.pulses}, {run.batches} were commanded"
    true_j = (record.gross_energy_j or 0.0) / (run.batch_size * record.pulses)
    error_j = abs(result.gross_energy_per_image_j - true_j)
    if error_j > min(WITHIN * true_j, result.expanded_uncertainty_j or 0.0):
        return f"valid at {result.gross_energy_per_image_j:.6g} J, and the world spent {true_j:.6g} J an image"
    return None


def first_lines(findings: Sequence[Finding], limit: int) -> list[str]:
    """Return findings in words, as many as there is room for."""
    lines = [f"{finding.crime.value}: {finding.text}" for finding in findings[:limit]]
    return lines if len(findings) <= limit else [*lines, f"and {len(findings) - limit} more"]
