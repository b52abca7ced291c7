"""Doctor, retention and backup on a real PostgreSQL, which other benches share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from daemon.backup.creation import Creation
from daemon.backup.postgresql_dump import dump_postgresql
from daemon.backup.restoration import Restoration
from daemon.backup.shelf import Shelf
from daemon.backup.verification import verify_backup
from daemon.configuration import Configuration
from daemon.doctor.examination import Examination
from daemon.doctor.repairs import Repairs
from daemon.doctor.scene import Scene
from daemon.errors import BackupError
from daemon.postgresql import with_driver
from daemon.pruning import Pruning
from daemon.sections.retention import RetentionSection
from daemon.store import Store
from tests.postgresql import PASSWORD, PostgresqlServer
from tests.unit.daemon.doctor.sound_storage import (
    RUNS,
    add_unfinished_run,
    configuration_of,
    files_of,
    make_sound_storage,
    store_of,
    write_capture,
)


@pytest.fixture
def url(postgresql_server: PostgresqlServer) -> str:
    return postgresql_server.emptied_database()


@pytest.fixture
def bench(tmp_path: Path, url: str) -> Configuration:
    folder = make_sound_storage(tmp_path / "storage", database_url=url)
    with Store(url, create=False, bench="bench-2") as store:
        add_unfinished_run(store, "of-bench-2")
        # its file lies in another folder, of which this bench knows nothing
        store.add_capture("of-bench-2", 0, write_capture(tmp_path / "elsewhere", "of-bench-2", 0))
    return configuration_of(folder, database_url=url)


@pytest.fixture
def store(bench: Configuration) -> Iterator[Store]:
    with store_of(bench.storage.directory, database_url=bench.storage.database_url) as store:
        yield store


def found_in(bench: Configuration) -> list[str]:
    return [one.code.value for one in Examination(Scene.of(bench, held=False)).diagnosis().findings]


def execute(url: str, statement: str) -> None:
    engine = create_engine(with_driver(make_url(url.partition("?")[0])), connect_args={"ssl_context": False})
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_the_doctor_sees_its_own_bench_alone_and_repairs_it(bench: Configuration, store: Store, url: str) -> None:
    diagnosis = Examination(Scene.of(bench, held=False)).diagnosis()
    assert diagnosis.findings == ()
    assert (diagnosis.counted["runs"], diagnosis.counted["captures"]) == (8, 13)

    add_unfinished_run(store, "left")
    write_capture(bench.storage.directory, "given-up", 0)
    (bench.storage.captures_directory / f"{RUNS[0]}-0.parquet").unlink()
    execute(url, f"DELETE FROM results WHERE run_id = '{RUNS[1]}'")
    execute(url, f"UPDATE runs SET state = 'failed', updated_utc_ns = 0 WHERE run_id = '{RUNS[2]}'")
    codes = ["capture_missing", "capture_orphan", "done_without_result", "state_differs", "run_left"]
    diagnosis = Examination(Scene.of(bench, held=False)).diagnosis()
    assert sorted(one.code.value for one in diagnosis.findings) == sorted(codes)

    repairs = Repairs(store, files_of(bench.storage.directory))
    assert sum(repairs.perform(one) for one in diagnosis.findings) == 2
    assert sorted(found_in(bench)) == ["capture_missing", "done_without_result", "state_differs"]


def test_retention_removes_its_own_benchs_captures_alone(bench: Configuration, store: Store) -> None:
    store.add_capture("given-up", 0, write_capture(bench.storage.directory, "given-up", 0), at_utc_ns=1)
    with Pruning.of(bench, RetentionSection(max_bytes=0)) as pruning:
        assert [one.run.run_id for one in pruning.plan().removals if pruning.remove(one)] == ["given-up"]
    with Pruning.of(bench, RetentionSection(max_bytes=0, including_referenced=True)) as pruning:
        assert {one.run.run_id for one in pruning.plan().removals} == set(RUNS)
        assert all(pruning.remove(one) for one in pruning.plan().removals)
        assert pruning.finish_earlier() == 0
    assert store.captures("of-bench-2")[0].removed_utc_ns is None
    entry = store.journal(RUNS[0])[-1]
    assert (entry.event, entry.bench, entry.detail["results"]) == ("captures_removed", "bench-1", 1)
    assert found_in(bench) == []


def test_a_dump_is_restored_into_an_empty_database(
    bench: Configuration, store: Store, postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "backups")
    made = Creation(bench, shelf, "9.9").create()
    assert (made.manifest.database, made.manifest.lacking) == ("database.dump", ())
    assert len(made.manifest.files) == 15
    assert verify_backup(made.path)[1] == ()
    before = store.runs()

    with pytest.raises(BackupError, match="is not empty"):
        Restoration(made.path, configuration_of(tmp_path / "new", database_url=bench.storage.url)).restore()
    restored = configuration_of(tmp_path / "new", database_url=postgresql_server.new_database())
    Restoration(made.path, restored).restore()

    assert found_in(restored) == []
    with store_of(tmp_path / "new", database_url=restored.storage.database_url) as after:
        assert after.runs() == before
        assert after.journal(RUNS[0]) == store.journal(RUNS[0])
        assert after.results(RUNS[0]) == store.results(RUNS[0])
        add_unfinished_run(after, "the-next")  # the journal goes on counting where it was


@pytest.mark.long
def test_the_servers_own_backup_needs_the_files_alone(bench: Configuration, store: Store, tmp_path: Path) -> None:
    made = Creation(bench, Shelf(tmp_path / "backups"), "9.9").create()
    moved = configuration_of(tmp_path / "new", database_url=bench.storage.url)
    Restoration(made.path, moved, with_database=False).restore()
    assert found_in(moved) == []


def test_a_password_is_not_among_the_arguments_nor_in_what_is_said(
    bench: Configuration, store: Store, postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    postgresql_server.add_guarded_user()
    guarded = make_url(bench.storage.url).set(username="guarded", password=PASSWORD)
    right = configuration_of(bench.storage.directory, database_url=guarded.render_as_string(hide_password=False))
    assert Creation(right, Shelf(tmp_path / "backups"), "9.9").create().manifest.lacking == ()

    refused = guarded.set(password="no:t@it").render_as_string(hide_password=False)
    with pytest.raises(BackupError, match=r"pg_dump of database .*guarded:\*\*\*@.* ended with 1: ") as caught:
        dump_postgresql(refused, tmp_path / "dump")
    assert "no:t@it" not in str(caught.value)
