"""Which captures are beyond what is to be kept: a pure choice, for any runs and limits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.retention import DAY_NS, KeptRun, RetentionPlan, removed_text, retention_plan
from daemon.sections.retention import RetentionSection

NOW_NS = 1_800_000_000_000_000_000


def run(number: int, *, days: float = 1.0, size_bytes: int = 100, results: int = 0, over: bool = True) -> KeptRun:
    captured_utc_ns = NOW_NS - int(days * DAY_NS)
    return KeptRun(
        run_id=f"run-{number}", capture_ids=(f"run-{number}-0",), size_bytes=size_bytes,
        captured_utc_ns=captured_utc_ns, results=results, over=over,
    )  # fmt: skip


def plan(runs: list[KeptRun], **limits: object) -> RetentionPlan:
    return retention_plan(runs, RetentionSection.model_validate(limits), now_utc_ns=NOW_NS)


def names(planned: RetentionPlan) -> list[str]:
    return [one.run.run_id for one in planned.removals]


def spared(planned: RetentionPlan) -> list[str]:
    return [one.run.run_id for one in planned.spared]


def test_without_a_limit_everything_stays() -> None:
    planned = plan([run(1, days=10_000, size_bytes=10**15)])
    assert (planned.removals, planned.spared, planned.kept_bytes) == ((), (), 10**15)


def test_what_is_older_goes_the_oldest_first() -> None:
    planned = plan([run(1, days=29.9), run(2, days=30.1), run(3, days=400)], max_age_days=30)
    assert names(planned) == ["run-3", "run-2"]
    assert planned.removals[0].reason == "older than 30 days"
    assert (planned.removed_bytes, planned.kept_bytes) == (200, 100)


def test_room_is_made_by_the_oldest_and_no_more_than_needed() -> None:
    planned = plan([run(day, days=day) for day in range(1, 6)], max_bytes=250)
    assert names(planned) == ["run-5", "run-4", "run-3"]
    assert planned.removals[0].reason == "captures took more than 250 B"
    assert (planned.kept_bytes, planned.over_limit_bytes) == (200, 0)


def test_what_goes_for_its_age_makes_room() -> None:
    planned = plan([run(1, days=1), run(2, days=2), run(3, days=40)], max_age_days=30, max_bytes=200)
    assert names(planned) == ["run-3"]


def test_what_results_refer_to_is_spared_and_told() -> None:
    runs = [run(1, days=40, results=2), run(2, days=40), run(3, days=50, results=1)]
    planned = plan(runs, max_age_days=30)
    assert (names(planned), spared(planned)) == (["run-2"], ["run-3", "run-1"])
    allowed = plan(runs, max_age_days=30, including_referenced=True)
    assert (names(allowed), spared(allowed)) == (["run-3", "run-1", "run-2"], [])


def test_what_is_spared_makes_no_room_and_the_rest_over_the_limit_is_told() -> None:
    runs = [run(1, days=5, results=1), run(2, days=4), run(3, days=3, results=1), run(4, days=2), run(5, days=1)]
    planned = plan(runs, max_bytes=150)
    assert names(planned) == ["run-2", "run-4", "run-5"]
    assert spared(planned) == ["run-1", "run-3"]
    assert (planned.kept_bytes, planned.over_limit_bytes) == (200, 50)


def test_a_run_that_goes_on_is_never_touched() -> None:
    planned = plan([run(1, days=100, over=False)], max_age_days=1, max_bytes=0, including_referenced=True)
    assert (planned.removals, planned.spared, planned.over_limit_bytes) == ((), (), 100)


RUNS = st.lists(
    st.builds(
        run,
        st.integers(0, 10**6),
        days=st.floats(0, 100),
        size_bytes=st.integers(0, 1000),
        results=st.integers(0, 2),
        over=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.run_id,
)
LIMITS = st.fixed_dictionaries(
    {
        "max_age_days": st.none() | st.floats(0.01, 100),
        "max_bytes": st.none() | st.integers(0, 20_000),
        "including_referenced": st.booleans(),
    }
)


@settings(max_examples=40)
@given(runs=RUNS, limits=LIMITS)
def test_for_any_runs_and_limits(runs: list[KeptRun], limits: dict[str, object]) -> None:
    planned = plan(runs, **limits)
    removed = {one.run for one in planned.removals}
    kept = set(runs) - removed
    assert planned.kept_bytes == sum(one.size_bytes for one in kept)
    assert all(one.over for one in removed)
    assert {one.run for one in planned.spared} <= kept
    if not limits["including_referenced"]:
        assert all(one.results == 0 for one in removed)
    free = {one for one in kept if one.over and (limits["including_referenced"] or not one.results)}
    age, size = limits["max_age_days"], limits["max_bytes"]
    if isinstance(age, float):
        assert all(NOW_NS - one.captured_utc_ns <= age * DAY_NS for one in free)
    if isinstance(size, int):
        # what may go has gone, or there is room; and the last that went was needed
        assert planned.kept_bytes <= size or not free
        by_size = [one.run for one in planned.removals if one.reason.startswith("captures took")]
        assert not by_size or planned.kept_bytes + by_size[-1].size_bytes > size
        assert all(one.captured_utc_ns >= by_size[-1].captured_utc_ns for one in free if by_size)
    if age is None and size is None:
        assert removed == set()


def test_when_and_why_is_told() -> None:
    assert removed_text(NOW_NS, "older than 30 days") == (
        "removed by retention on 2027-01-15 08:00 UTC (older than 30 days)"
    )
    assert removed_text(NOW_NS, None) == "removed by retention on 2027-01-15 08:00 UTC"
