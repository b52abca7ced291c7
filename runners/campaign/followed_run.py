"""Followed run: what the lab has heard so far of a run that it commanded."""

from dataclasses import dataclass

from runners.campaign.ending import Ending
from runners.messages import RunAnswer, RunPhase, RunResult, RunState


@dataclass(slots=True)
class FollowedRun:
    """What has been heard of the run in hand."""

    run_id: str
    """Identifier of the run."""
    state: RunState | None = None
    """The last state, the first terminal one above all; None: none was heard."""
    result: RunResult | None = None
    """The energy; None until it came."""
    answer: RunAnswer | None = None
    """The daemon's answer to the last question; None until it came."""
    taken: bool = False
    """The board has said that it performs it."""
    doubtful: bool = False
    """Something happened that may have cost us news."""
    heard_s: float = 0.0
    """When something of it was heard last, by the event loop's clock, in seconds; answers to questions left out."""
    told: RunPhase | None = None
    """Phase that was told to whoever watches."""

    def ending(self) -> Ending | None:
        """Return how it ended; None while that is not known, or a result is still to come."""
        last = self.state if self.state is not None and self.state.terminal else self.answer
        if last is None or last.state is None or not last.state.terminal:
            return None
        if last.state is RunPhase.DONE and self.result is None:
            return None
        return Ending(state=last.state, reason=last.reason, text=last.text, result=self.result)
