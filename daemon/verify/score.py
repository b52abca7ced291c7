"""Score: one virtual bench's result against the truth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A result and what it should have been."""

    seed: int
    """Seed of the bench's world."""
    quality: str
    """Verdict of the result."""
    sync: str
    """How its windows were found."""
    reasons: tuple[str, ...]
    """Reason codes."""
    true_j: float
    """Gross energy per image that the world spent, in joules."""
    measured_j: float | None
    """What was measured; None where nothing could be."""
    u95_j: float | None
    """Its expanded uncertainty, in joules."""
    supply_was_read: bool = True
    """Whether the supply was read while the board ran, as it is wherever the computer keeps the world's pace."""

    @classmethod
    def without_result(cls, seed: int, *, cause: str) -> "Score":
        """Return the score of a bench that came to no result at all."""
        return cls(
            seed=seed, quality="invalid", sync="", reasons=(cause,), true_j=float("nan"), measured_j=None, u95_j=None
        )

    @property
    def counts(self) -> bool:
        """Whether it is a result: an invalid one is none."""
        return self.measured_j is not None and self.quality != "invalid"

    @property
    def error(self) -> float:
        """Relative error; NaN without a result."""
        return float("nan") if self.measured_j is None else self.measured_j / self.true_j - 1

    @property
    def relative_u95(self) -> float:
        """Expanded uncertainty relative to the truth; NaN without a result."""
        return float("nan") if self.u95_j is None else self.u95_j / self.true_j

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        if self.measured_j is None or self.u95_j is None:
            return False
        return abs(self.measured_j - self.true_j) <= self.u95_j
