"""Progress: what a journal's lines come to, run by run. Pure; whoever was interrupted reads it, and goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.campaign.cell import PlannedRun
from runners.campaign.ending import Verdict

WAITING = "waiting"
"""State of a run that has not been commanded yet."""
COMMANDED = "commanded"
"""State of a run that has been commanded, and of whose end the journal does not tell."""


@dataclass(slots=True)
class RunProgress:
    """One planned run, and all that was tried."""

    planned: PlannedRun
    """The run."""
    run_ids: list[str] = field(default_factory=list)
    """Identifier of each attempt, in order."""
    endings: list[Mapping[str, Any]] = field(default_factory=list)
    """How each of them ended; one fewer while the last is under way."""
    tries: int = 0
    """Attempts that measured nothing, since the campaign was last started; what failed before that is tried afresh."""
    skipped: bool = False
    """Given up since the campaign was last started."""

    @property
    def attempts(self) -> int:
        """How often it was commanded."""
        return len(self.run_ids)

    @property
    def open_run_id(self) -> str | None:
        """The attempt of whose end nothing is known; None: there is none."""
        return self.run_ids[-1] if len(self.endings) < len(self.run_ids) else None

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The ending that counts: the last one of a measured run that is not invalid, else the last one; None: none."""
        done = [ending for ending in self.endings if ending["verdict"] == Verdict.DONE]
        good = [ending for ending in done if ending["quality"] != "invalid"]
        return next(reversed(good or done or self.endings), None)

    @property
    def measured(self) -> int:
        """How many of its attempts were measured, invalid ones among them."""
        return sum(ending["verdict"] == Verdict.DONE for ending in self.endings)

    @property
    def state(self) -> str:
        """`waiting`, `commanded`, or the verdict on it."""
        if self.open_run_id is not None:
            return COMMANDED
        best = self.best
        return WAITING if best is None else str(best["verdict"])

    @property
    def run_id(self) -> str | None:
        """The attempt that counts; None: it was never commanded."""
        best = self.best
        return str(best["run_id"]) if best is not None else self.open_run_id

    def is_over(self, *, remeasure_invalid: int) -> bool:
        """Say whether nothing more is to be done about it while this campaign runs."""
        best = self.best
        if self.open_run_id is not None or best is None:
            return False
        match Verdict(best["verdict"]):
            case Verdict.DONE:
                return best["quality"] != "invalid" or self.skipped or self.measured > remeasure_invalid
            case Verdict.REFUSED:
                return True
            case Verdict.FAILED:
                return self.skipped

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        best = self.best or {}
        told = ("reason", "text", "quality", "reasons", "result_id", *_ENERGIES)
        return {
            **self.planned.document(),
            "run_id": self.run_id,
            "state": self.state,
            "attempts": self.attempts,
            "run_ids": list(self.run_ids),
            **{name: best.get(name) for name in told},
        }


_ENERGIES = ("gross_energy_per_image_j", "gross_u95_j", "net_energy_per_image_j", "net_u95_j")


@dataclass(slots=True)
class CampaignProgress:
    """A whole campaign, as its journal tells it."""

    campaign_id: str | None
    """Identifier; None: it has not begun."""
    runs: list[RunProgress]
    """Every planned run, in order."""
    idle_power_w: float | None = None
    """Idle power at its begin, in watts; None: not measured."""
    idle_power_reason: str | None = None
    """Why it could not be measured, so that no run waited for it; None: it was, or need not be."""
    cool_downs: list[Mapping[str, Any]] = field(default_factory=list)
    """Every wait for the board to cool down, as journalled."""
    durations_s: dict[int, list[float]] = field(default_factory=dict)
    """Time that each measured run took from the end of the one before, in seconds, by its index."""

    @classmethod
    def of(cls, planned: Iterable[PlannedRun], lines: Iterable[Mapping[str, Any]]) -> "CampaignProgress":
        """Read a journal's lines; once it has begun its own order counts, not what a later version makes of it."""
        lines = tuple(lines)
        if lines:
            planned = map(PlannedRun.from_document, lines[0]["order"])
        progress = cls(campaign_id=None, runs=[RunProgress(planned=one) for one in planned])
        for line in lines:
            progress.take(line)
        return progress

    def take(self, line: Mapping[str, Any]) -> None:
        """Take one line of the journal."""
        match line["event"]:
            case "begun":
                self.campaign_id = str(line["campaign_id"])
            case "resumed":
                self._resume(again=bool(line.get("again")))
            case "idle_power":
                self.idle_power_w, self.idle_power_reason = line["power_w"], line.get("reason")
            case "cooled":
                self.cool_downs.append(line)
            case "commanded":
                self._run(line).run_ids.append(str(line["run_id"]))
            case "ended":
                run = self._run(line)
                run.endings.append(line)
                run.tries += line["verdict"] != Verdict.DONE
                if line.get("duration_s") is not None and line["verdict"] == Verdict.DONE:
                    self.durations_s.setdefault(int(line["index"]), []).append(float(line["duration_s"]))
            case "skipped":
                self._run(line).skipped = True

    def _run(self, line: Mapping[str, Any]) -> RunProgress:
        return self.runs[int(line["index"]) - 1]

    def _resume(self, *, again: bool) -> None:
        for run in self.runs:
            run.tries, run.skipped = 0, False
            if again and run.state == Verdict.REFUSED:
                # It counts as failed from here on, and what failed is tried again.
                run.endings[-1] = {**run.endings[-1], "verdict": Verdict.FAILED.value}

    def count(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(run.state == state for run in self.runs)

    def remaining_s(self, *, remeasure_invalid: int) -> float | None:
        """Return how long what is left will take, in seconds, by what was measured so far; None: nothing was.

        A cell that was measured takes as long again; any other as long as the measured ones do on the average.
        """
        by_cell: dict[object, list[float]] = {}
        for run in self.runs:
            by_cell.setdefault(run.planned.cell, []).extend(self.durations_s.get(run.planned.index, []))
        known = {cell: sum(values) / len(values) for cell, values in by_cell.items() if values}
        if not known:
            return None
        mean_s = sum(known.values()) / len(known)
        left = [run for run in self.runs if not run.is_over(remeasure_invalid=remeasure_invalid)]
        return sum(known.get(run.planned.cell, mean_s) for run in left)
