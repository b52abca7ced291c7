"""Retention: which runs' raw captures are beyond what is to be kept; a pure choice, made of what is there.

A run's captures go together or not at all: a result is computed from all of them, so what is left of some is of no use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from daemon.sections.retention import RetentionSection
from runners.size_text import size_text

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """The raw captures of one run, as far as they are kept."""

    run_id: str
    """The run."""
    capture_ids: tuple[str, ...]
    """Its captures."""
    size_bytes: int
    """Length of their files together, in bytes."""
    captured_utc_ns: int
    """When the last of them was stored, in nanoseconds of UTC."""
    results: int
    """Results that were computed from them."""
    over: bool
    """The run has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A run whose captures are to be removed."""

    run: KeptRun
    """The run."""
    reason: str
    """Which limit it is beyond, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """What is beyond the limits."""

    removals: tuple[Removal, ...]
    """What is to be removed, the oldest first."""
    spared: tuple[Removal, ...]
    """What would be, but that results refer to it."""
    kept_bytes: int
    """Size of what is kept then, in bytes."""
    over_limit_bytes: int
    """By how much that is still larger than the limit, in bytes; 0 where it is not, or where there is none."""

    @property
    def removed_bytes(self) -> int:
        """Size of what is to be removed, in bytes."""
        return sum(one.run.size_bytes for one in self.removals)


def retention_plan(runs: Sequence[KeptRun], limits: RetentionSection, *, now_utc_ns: int) -> RetentionPlan:
    """Return what is beyond the limits; a run that goes on is never touched.

    Args:
        runs: every run of which captures are kept.
        limits: how much is kept.
        now_utc_ns: what ages are counted from, in nanoseconds of UTC.
    """
    kept_bytes = sum(one.size_bytes for one in runs)
    spared_bytes = 0
    removals: list[Removal] = []
    spared: list[Removal] = []
    ended = sorted((one for one in runs if one.over), key=lambda one: (one.captured_utc_ns, one.run_id))
    # By age first: what goes for its age need not go for the room.
    for run in sorted(ended, key=lambda one: not _too_old(one, limits, now_utc_ns)):
        is_spared = run.results > 0 and not limits.including_referenced
        # What is spared makes no room for others, and need be spared only while room is wanted.
        size_bytes = kept_bytes - spared_bytes if is_spared else kept_bytes
        reason = next(_reasons(run, limits, now_utc_ns, size_bytes), None)
        if reason is None:
            continue
        if is_spared:
            spared.append(Removal(run=run, reason=reason))
            spared_bytes += run.size_bytes
        else:
            removals.append(Removal(run=run, reason=reason))
            kept_bytes -= run.size_bytes
    over = 0 if limits.max_bytes is None else max(0, kept_bytes - limits.max_bytes)
    return RetentionPlan(removals=tuple(removals), spared=tuple(spared), kept_bytes=kept_bytes, over_limit_bytes=over)


def _reasons(run: KeptRun, limits: RetentionSection, now_utc_ns: int, kept_bytes: int) -> Iterator[str]:
    if _too_old(run, limits, now_utc_ns):
        yield f"older than {limits.max_age_days:g} days"
    if limits.max_bytes is not None and kept_bytes > limits.max_bytes:
        yield f"captures took more than {size_text(limits.max_bytes)}"


def _too_old(run: KeptRun, limits: RetentionSection, now_utc_ns: int) -> bool:
    return limits.max_age_days is not None and now_utc_ns - run.captured_utc_ns > limits.max_age_days * DAY_NS


def removed_text(removed_utc_ns: int, reason: str | None) -> str:
    """Return when retention removed a capture, and why."""
    day = datetime.fromtimestamp(removed_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"removed by retention on {day}" + (f" ({reason})" if reason else "")
