"""Run check: runs against their journal and their results, and who has them in hand."""

from collections.abc import Collection, Iterator, Sequence

from daemon.doctor.finding import EndRun, Finding, FindingCode
from daemon.doctor.scene import Scene
from daemon.doctor.survey import RunStanding
from runners.count_text import count_text
from runners.messages import RunPhase


def check_runs(scene: Scene, runs: Sequence[RunStanding], *, adoptable: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with runs.

    Args:
        scene: who has this bench's runs in hand.
        runs: the runs.
        adoptable: runs that a capture's file was found for.
    """
    for run in runs:
        if run.state is not run.journal_state:
            yield _differing(run)
        if not run.state.terminal and run.bench == scene.bench and scene.holder is None:
            yield _left(run, captured=run.captures_kept > 0 or run.run_id in adoptable)
        elif run.state is RunPhase.DONE and run.first_result_utc_ns is None:
            yield _without_result(run)
        elif _ended_otherwise(run):
            yield _not_done(run)


def _differing(run: RunStanding) -> Finding:
    last = "has none" if run.journal_state is None else f"ends with {run.journal_state.value}"
    return Finding(
        code=FindingCode.STATE_DIFFERS,
        where=f"run {run.run_id}",
        text=f"its state is {run.state.value}, and its journal {last}",
        remedy="both are written in one step, so somebody changed the database by hand: restore it from a backup",
    )


def _left(run: RunStanding, *, captured: bool) -> Finding:
    """Return the finding of a run that nobody conducts; only one of which nothing can come any more is ended here."""
    if captured or run.first_result_utc_ns is not None:
        return Finding(
            code=FindingCode.RUN_UNANALYSED,
            where=f"run {run.run_id}",
            text=f"is {run.state.value} with {count_text(run.captures_kept, 'capture')} entered, and no daemon "
            "has it in hand",
            remedy="start the daemon: it analyses what was captured as soon as the board's report is there",
        )
    return Finding(
        code=FindingCode.RUN_LEFT,
        where=f"run {run.run_id}",
        text=f"is {run.state.value}, and no daemon has it in hand",
        remedy="`--repair` ends it as interrupted; the daemon does so too when it starts. Then request the run again",
        repair=EndRun(run_id=run.run_id),
    )


def _without_result(run: RunStanding) -> Finding:
    return Finding(
        code=FindingCode.DONE_WITHOUT_RESULT,
        where=f"run {run.run_id}",
        text="is done, and has no result",
        remedy=f"`joulebench reprocess {run.run_id}` computes it from its captures",
    )


def _ended_otherwise(run: RunStanding) -> bool:
    """Return whether a run ended otherwise although its result was there; one computed afterwards is no wonder."""
    ended = run.state.terminal and run.state is not RunPhase.DONE
    return ended and run.first_result_utc_ns is not None and run.first_result_utc_ns <= run.updated_utc_ns


def _not_done(run: RunStanding) -> Finding:
    return Finding(
        code=FindingCode.RESULT_WITHOUT_DONE,
        where=f"run {run.run_id}",
        text=f"its result was computed, and then it ended as {run.state.value}",
        remedy=f"the result holds: `joulebench runs show {run.run_id}`; the end stands, for it has been announced",
    )
