"""The rules of tests/conftest.py, each seen to go red."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SKIPPING = """
    import pytest

    def test_in_the_body():
        pytest.skip("no such tool")

    @pytest.mark.skipif(True, reason="not here")
    def test_by_mark():
        pass

    @pytest.mark.xfail(raises=ZeroDivisionError)
    def test_expected_to_fail():
        1 / 0
"""

SKIPPING_MODULE = """
    import pytest

    pytest.importorskip("a_module_that_nobody_wrote")
"""

LEAKING = """
    import asyncio

    TASKS = []

    async def test_leaves_a_task():
        TASKS.append(asyncio.get_running_loop().create_task(asyncio.Event().wait(), name="the straggler"))

    async def test_awaits_its_task():
        await asyncio.get_running_loop().create_task(asyncio.sleep(0))

    async def test_cancels_its_task():
        asyncio.get_running_loop().create_task(asyncio.Event().wait()).cancel()
"""

SEEDED = """
    import numpy as np

    def test_seed(seed, rng):
        assert seed == 77
        assert rng.integers(10**9) == np.random.default_rng(77).integers(10**9)
"""

USING_MOSQUITTO = """
    def test_broker(mosquitto_broker):
        assert mosquitto_broker.running
"""

USING_RECORDINGS = """
    def test_recordings(recordings):
        assert recordings.is_dir()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, repository: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project whose tests follow this project's rules."""
    monkeypatch.delenv("JOULEBENCH_NO_SKIP", raising=False)
    pytester.makeconftest((repository / "tests" / "conftest.py").read_text())
    pytester.makeini(
        f"[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npythonpath = {repository}\n"
    )
    return pytester


def test_skips_are_allowed_by_default(project: pytest.Pytester) -> None:
    project.makepyfile(SKIPPING)
    project.runpytest_subprocess().assert_outcomes(skipped=2, xfailed=1)


def test_skips_fail_where_none_may_skip(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_NO_SKIP", "1")
    project.makepyfile(SKIPPING)
    result = project.runpytest_subprocess()
    result.assert_outcomes(failed=1, errors=1, xfailed=1)
    result.stdout.fnmatch_lines(["*JOULEBENCH_NO_SKIP is set, yet this skips: *no such tool*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_module_that_skips_fails_too(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_NO_SKIP", "1")
    project.makepyfile(SKIPPING_MODULE)
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*a_module_that_nobody_wrote*"])


def test_a_leaked_task_fails_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(LEAKING)
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*tasks outlived the test*the straggler*"])


def test_seed_is_printed_first_and_can_be_set(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_SEED", "77")
    project.makepyfile(SEEDED)
    result = project.runpytest_subprocess("-q")
    result.stdout.fnmatch_lines(["seed 77 (JOULEBENCH_SEED)*"])
    result.assert_outcomes(passed=1)


def test_a_missing_broker_skips_with_the_reason(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.mosquitto.mosquitto_path", lambda: None)
    project.makepyfile(USING_MOSQUITTO)
    result = project.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*mosquitto is not installed*"])


def test_missing_recordings_skip_with_the_reason(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_RECORDINGS", str(project.path / "nowhere"))
    project.makepyfile(USING_RECORDINGS)
    result = project.runpytest_subprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no MLPerf Tiny recordings at *nowhere*JOULEBENCH_RECORDINGS*"])
