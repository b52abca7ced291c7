"""What every test can ask for, and the rules that hold for all of them.

* No test may skip where JOULEBENCH_NO_SKIP=1: the gate must not pass because a tool was missing.
* A task that outlives an async test fails it.
* Random numbers come from one seed, printed first; JOULEBENCH_SEED sets another.
"""

import asyncio
import inspect
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import hypothesis
import numpy as np
import pytest
import pytest_asyncio

from tests.mosquitto import MosquittoBroker, mosquitto_path
from tests.postgresql import PostgresqlServer, postgresql_folder

SEED = int(os.environ.get("JOULEBENCH_SEED", "1605"))
NO_SKIP = os.environ.get("JOULEBENCH_NO_SKIP", "") not in ("", "0")
REPOSITORY = Path(__file__).resolve().parent.parent

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Whoever starts the tests in the background, or under nohup, has these ignored, and so would every process of theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# Tables are tested as they come out of a pipe; a parallel worker is told the terminal's width.
os.environ.pop("COLUMNS", None)
# A variable that names the lab's instruments would go before the addresses of the simulated ones.
for _name in [name for name in os.environ if name.startswith("JOULEBENCH_") and "__" in name]:
    del os.environ[_name]

hypothesis.settings.register_profile("joulebench", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("joulebench")


def pytest_sessionstart(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"seed {SEED} (JOULEBENCH_SEED), skips {'fail' if NO_SKIP else 'are allowed'}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(inspect.unwrap(item.obj)):
            item.fixturenames.insert(0, "no_leaked_tasks")  # first set up, so last to look


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _forbid_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _forbid_skip(report)


def _forbid_skip(report: Report) -> Report:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"JOULEBENCH_NO_SKIP is set, yet this skips: {reason}"
    return report


@pytest_asyncio.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail an async test that leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)  # a task that was cancelled last gets its turn to end
    leaked = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
    assert not leaked, f"tasks outlived the test: {leaked}"


@pytest.fixture(autouse=True)
def log_levels() -> Iterator[None]:
    """Put the loggers' levels and outputs back: a verb that is called in this process sets them for good.

    An output that is left would write into the file of a test that is over, with a traceback for every line.
    """
    before = {one.name: one.level for one in _loggers()}
    outputs = list(logging.root.handlers)
    yield
    for one in _loggers():
        one.setLevel(before.get(one.name, logging.NOTSET))
    for handler in list(logging.root.handlers):
        if type(handler) is logging.StreamHandler and handler not in outputs:
            logging.root.removeHandler(handler)


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(one for one in known if isinstance(one, logging.Logger))]


@pytest.fixture
def seed() -> int:
    """The session's seed."""
    return SEED


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that gives the same numbers to this test in each run."""
    return np.random.default_rng(SEED)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the project's files."""
    return REPOSITORY


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of the six MLPerf Tiny recordings, one folder each; skips where they are absent."""
    default = REPOSITORY.parent / "shared" / "data" / "mlperf-tiny-v1.0"
    folder = Path(os.environ.get("JOULEBENCH_RECORDINGS", default))
    if not folder.is_dir():
        pytest.skip(f"no MLPerf Tiny recordings at {folder} (set JOULEBENCH_RECORDINGS)")
    return folder


@pytest.fixture
def mosquitto_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MosquittoBroker]:
    """A running mosquitto on a port of its own: `host`, `port`, `url`, `stop(kill=...)`, `start()`."""
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    broker = MosquittoBroker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A running PostgreSQL, one for all tests of this process: `url()`, `new_database()`, `stop(kill=...)`, `start()`.

    Whoever stops it starts it again.
    """
    if postgresql_folder() is None:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    # Not in pytest's own folder, which is private: the server runs as another user where the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="joulebench-postgresql-"))
    try:
        server = PostgresqlServer(folder)
        server.start()
        yield server
        server.stop(kill=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> str:
    """The URL of an empty database on a real PostgreSQL."""
    return postgresql_server.bare_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, of each kind that is supported."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'data' / 'joulebench.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without rows, of each kind that is supported; on PostgreSQL its tables stand already."""
    if request.param == "postgresql":
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        return server.emptied_database()
    return f"sqlite:///{tmp_path / 'data' / 'joulebench.sqlite'}"
