"""Migrations: on both databases the tables end as `daemon.tables` has them, and no row is lost on the way."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from daemon.database import engine_on, open_database
from daemon.errors import StoreError
from daemon.migrator import migrate
from daemon.schema import MIGRATIONS, NEWEST, REVISIONS, held_revision, pending
from daemon.store import Store
from daemon.tables import metadata
from tests.postgresql import PostgresqlServer
from tests.unit.daemon.old_databases import VERSIONS, restore

TABLES = ("runs", "captures", "results", "journal")


@pytest.fixture(params=[VERSIONS[0], *(pytest.param(one, marks=pytest.mark.long) for one in VERSIONS[1:])])
def old_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """The URL of a database that older software wrote."""
    is_sqlite = database_url.startswith("sqlite")
    restore(request.param, database_url, None if is_sqlite else request.getfixturevalue("postgresql_server"))
    return database_url


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = engine_on(url, create=False)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    with connected(url) as connection:
        return {
            table: [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]
            for table in TABLES
        }


def revision(url: str) -> str | None:
    with connected(url) as connection:
        return held_revision(connection)


def differences(url: str) -> list[Any]:
    with connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def test_a_new_database_has_the_tables_that_the_store_knows(database_url: str) -> None:
    open_database(database_url, create=True).dispose()

    assert differences(database_url) == []
    assert revision(database_url) == NEWEST


def test_a_difference_would_be_seen(database_url: str) -> None:
    open_database(database_url, create=True).dispose()
    with connected(database_url) as connection:
        connection.execute(text("ALTER TABLE runs DROP COLUMN backend"))
        connection.execute(text("DROP INDEX results_by_network"))

    assert {one[0] for one in differences(database_url)} == {"add_column", "add_index"}


def test_an_old_database_comes_to_the_same_tables_and_keeps_every_row(old_url: str) -> None:
    before, held = rows(old_url), revision(old_url)
    assert [len(before[table]) for table in TABLES] == [3, 2, 2, 10]

    done = migrate(old_url)

    assert (done.before, done.after, done.applied) == (held, NEWEST, pending(held))
    assert differences(old_url) == []
    after = rows(old_url)
    for table in TABLES:
        kept = [{name: row[name] for name in row if name in before[table][0]} for row in after[table]]
        assert kept == before[table], table


def test_what_an_old_database_holds_is_read_and_added_to(old_url: str) -> None:
    migrate(old_url)

    with Store(old_url, create=False, bench="bench-1") as store:
        run = store.run("measured")
        assert run is not None
        assert (run.state, run.sync, run.finished and run.finished["images"]) == ("done", ("marker", "clock"), 96)
        assert [result.result_id for result in store.results("measured")] == ["again", "first"]
        assert [one.run_id for one in store.unfinished_runs()] == ["unfinished"]
        assert [entry.event for entry in store.journal()] == ["refused_by_board"], "nobody knows whose it was: each's"
        store.record("unfinished", event="recovered", state="interrupted")
        entry = store.journal("unfinished")[-1]
        assert (entry.entry_id, entry.bench) == (11, "bench-1")


def test_only_runs_that_had_ended_are_taken_for_announced(old_url: str) -> None:
    held = revision(old_url)
    migrate(old_url)

    with Store(old_url, create=False, bench="bench-1") as store:
        assert [run.announced_utc_ns for run in store.unfinished_runs()] == [None]
        if held != "0004":
            assert store.unannounced_ends(9) == []


def test_tables_that_are_up_to_date_are_left_alone(database_url: str) -> None:
    open_database(database_url, create=True).dispose()

    done = migrate(database_url)

    assert (done.before, done.applied, done.copy) == (NEWEST, (), None)


def test_a_verb_that_only_reads_never_migrates_and_says_what_to_do(old_url: str) -> None:
    held, before = revision(old_url), rows(old_url)

    with pytest.raises(StoreError, match=f"tables of revision {held}.*with {NEWEST}: `joulebench database upgrade`"):
        Store(old_url, create=False)

    assert (revision(old_url), rows(old_url)) == (held, before)


def test_a_daemon_upgrades_its_own_file_and_keeps_a_copy_of_it_as_it_was(old_url: str) -> None:
    held, before = revision(old_url), rows(old_url)
    if not old_url.startswith("sqlite"):
        with pytest.raises(StoreError, match="joulebench database upgrade"):
            Store(old_url)  # on a server a person says when
        assert revision(old_url) == held
        return

    Store(old_url).close()

    assert revision(old_url) == NEWEST
    folder = Path(str(make_url(old_url).database)).parent
    (copy,) = folder.glob("*-revision-*")
    assert copy.name.startswith(f"joulebench-revision-{held}-")
    assert rows(f"sqlite:///{copy}") == before
    assert revision(f"sqlite:///{copy}") == held
    assert not list(folder.glob("*.part*"))


def test_tables_that_cannot_be_copied_are_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    restore(3, url, None)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("daemon.sqlite_file._sync", full)
    with pytest.raises(StoreError, match="No space left on device; nothing was changed"):
        Store(url)

    assert revision(url) == "0003"
    assert not [one for one in tmp_path.iterdir() if "revision" in one.name]


@pytest.mark.parametrize("stamp", ["0999", "a-fork"])
def test_a_database_of_newer_software_is_refused_and_left_alone(database_url: str, stamp: str) -> None:
    open_database(database_url, create=True).dispose()
    with connected(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :stamp"), {"stamp": stamp})

    for opening in (
        lambda: Store(database_url),
        lambda: Store(database_url, create=False),
        lambda: migrate(database_url),
    ):
        with pytest.raises(StoreError, match=f"tables of revision {stamp}, and this software knows 0002 to {NEWEST}"):
            opening()
    assert revision(database_url) == stamp


def test_a_version_that_never_was_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    restore(3, url, None)
    with connected(url) as connection:
        connection.execute(text("UPDATE schema_version SET version = 999"))

    with pytest.raises(StoreError, match="tables of revision 0999"):
        Store(url)


def test_software_from_before_the_migrations_refuses_what_they_made(database_url: str) -> None:
    open_database(database_url, create=True).dispose()
    with connected(database_url) as connection:
        assert connection.scalar(text("SELECT version FROM schema_version")) not in VERSIONS


def test_a_step_that_fails_leaves_every_table_as_it_was(
    old_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held, before = revision(old_url), rows(old_url)
    broken = tmp_path / "broken"
    (broken / "versions").mkdir(parents=True)
    for one in (*MIGRATIONS.glob("*.py"), *MIGRATIONS.glob("versions/*.py")):
        (broken / one.relative_to(MIGRATIONS)).write_text(one.read_text())
    newest = broken / "versions" / f"revision_{NEWEST}.py"
    newest.write_text(newest.read_text() + "    op.execute('DELETE FROM journal')\n    op.execute('nonsense')\n")
    monkeypatch.setattr("daemon.migrator.MIGRATIONS", broken)

    with pytest.raises(StoreError, match=r"to revision .*nonsense.*; nothing was changed"):
        migrate(old_url)

    assert (revision(old_url), rows(old_url)) == (held, before)
    with connected(old_url) as connection:
        assert not inspect(connection).has_table("alembic_version")


def test_of_daemons_that_start_at_once_one_migrates_and_the_others_wait(old_url: str) -> None:
    held, together = revision(old_url), threading.Barrier(3)

    def start(_: int) -> tuple[str, ...]:
        together.wait()
        return migrate(old_url).applied

    with ThreadPoolExecutor(3) as pool:
        applied = sorted(pool.map(start, range(3)))

    assert applied == [(), (), pending(held)]
    assert differences(old_url) == []


def test_daemons_that_start_at_once_on_nothing_find_one_set_of_tables(database_url: str) -> None:
    together = threading.Barrier(3)

    def start(number: int) -> None:
        together.wait()
        with Store(database_url, bench=f"b{number}") as store:
            store.record(None, event="started")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(start, range(3)))

    assert differences(database_url) == []
    assert sorted(row["bench"] for row in rows(database_url)["journal"]) == ["b0", "b1", "b2"]


def test_an_old_file_that_another_writes_to_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    restore(3, url, None)
    monkeypatch.setattr("daemon.sqlite_file.MIGRATION_TIMEOUT_S", 0)
    assert revision(url) == "0003"  # from here on a writer no longer stops a reader
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked; nothing was changed"):
            migrate(url)
        other.execute("ROLLBACK")

    assert migrate(url).applied == pending("0003")


def test_revisions_follow_one_another_by_their_numbers() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    scripts = {one.revision: one.down_revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    assert scripts == dict(zip(REVISIONS, (None, *REVISIONS), strict=False))
    assert [int(one) for one in REVISIONS] == list(range(2, 2 + len(REVISIONS)))


def test_a_servers_databases_do_not_wait_for_one_another(postgresql_server: PostgresqlServer) -> None:
    urls = [postgresql_server.new_database() for _ in range(2)]
    for url in urls:
        assert migrate(url).applied == REVISIONS
