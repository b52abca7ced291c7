"""A backup is whole or not there, holds every file that its database names, and comes back to the last byte."""

import os
import resource
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.backup import creation, restoration
from daemon.backup.creation import Created, Creation
from daemon.backup.manifest import NAME, Manifest, read_manifest, write_manifest
from daemon.backup.postgresql_dump import dump_postgresql
from daemon.backup.restoration import Restoration
from daemon.backup.shelf import Shelf, backup_at
from daemon.backup.verification import verify_backup
from daemon.bench_lock import BenchLock
from daemon.configuration import Configuration
from daemon.doctor.examination import Examination
from daemon.doctor.scene import Scene
from daemon.errors import BackupError, BenchInUse, StorageHeld, StoreError
from daemon.pruning import Pruning
from daemon.sections.retention import RetentionSection
from daemon.storage_hold import storage_hold
from tests.unit.daemon.doctor.sound_storage import (
    BEGIN_NS,
    RUNS,
    add_run,
    configuration_of,
    store_of,
    write_capture,
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "backups")


def create(folder: Path, shelf: Shelf, **storage: Any) -> Created:
    return Creation(configuration_of(folder, **storage), shelf, "9.9").create()


def restore(backup: Path, configuration: Configuration, **options: Any) -> Manifest:
    return Restoration(backup, configuration, **options).restore()


def problems_of(backup: Path) -> tuple[str, ...]:
    return verify_backup(backup)[1]


def codes(folder: Path) -> list[str]:
    diagnosis = Examination(Scene.of(configuration_of(folder), held=False)).diagnosis()
    return [one.code.value for one in diagnosis.findings]


def contents(folder: Path) -> dict[str, bytes]:
    """Return captures and certificates, by their path."""
    paths = [path for name in ("captures", "certificates") for path in (folder / name).iterdir()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def capture_path(folder: Path, run_id: str = RUNS[0]) -> Path:
    return folder / "captures" / f"{run_id}-0.parquet"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_comes_back_is_what_was_there(storage: Path, shelf: Shelf, tmp_path: Path) -> None:
    made = create(storage, shelf)

    assert (made.path.parent, made.manifest.lacking) == (shelf.directory, ())
    assert read_manifest(made.path) == made.manifest
    assert (made.manifest.bench, made.manifest.software_version) == ("bench-1", "9.9")
    assert made.manifest.size_bytes == made.copied_bytes
    assert problems_of(made.path) == ()

    restored = tmp_path / "restored"
    restore(made.path, configuration_of(restored))

    assert contents(restored) == contents(storage)
    assert codes(restored) == []
    with store_of(storage) as before, store_of(restored) as after:
        assert after.runs() == before.runs()
        for run_id in (*RUNS, "given-up"):
            assert after.journal(run_id) == before.journal(run_id)
            assert after.results(run_id) == before.results(run_id)
            assert after.captures(run_id) == before.captures(run_id)


def test_nothing_is_made_where_there_is_nothing_to_back_up(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"there is no database .*nowhere/joulebench\.sqlite.*started once\?"):
        create(tmp_path / "nowhere", shelf)
    assert not shelf.directory.exists()
    assert not (tmp_path / "nowhere").exists()


def test_the_next_backup_copies_only_what_is_new(storage: Path, shelf: Shelf) -> None:
    first = create(storage, shelf)
    with store_of(storage) as store:
        add_run(store, storage, "new", at_utc_ns=BEGIN_NS + 10**15)

    second = create(storage, shelf)

    assert shelf.backups() == [first.path, second.path]
    assert capture_path(second.path).samefile(capture_path(first.path))
    assert not capture_path(second.path).samefile(capture_path(storage))
    sizes = {one.path: one.size_bytes for one in second.manifest.files}
    new = sum(size for path, size in sizes.items() if path.startswith(("captures/new", "database")))
    assert second.copied_bytes == new
    assert problems_of(first.path) == problems_of(second.path) == ()


def test_without_links_everything_is_copied_again(storage: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    create(storage, shelf)
    second = create(storage, shelf)
    assert second.copied_bytes == second.manifest.size_bytes
    assert problems_of(second.path) == ()


def test_a_copy_that_was_damaged_since_is_not_handed_on(storage: Path, shelf: Shelf) -> None:
    first = create(storage, shelf)
    flip(capture_path(first.path))
    second = create(storage, shelf)
    assert not capture_path(second.path).samefile(capture_path(first.path))
    assert len(problems_of(first.path)) == 1
    assert problems_of(second.path) == ()


def test_a_manifest_that_was_damaged_costs_the_links_alone(storage: Path, shelf: Shelf) -> None:
    first = create(storage, shelf)
    (first.path / NAME).write_text("{", encoding="utf-8")
    second = create(storage, shelf)
    assert second.copied_bytes == second.manifest.size_bytes
    assert problems_of(second.path) == ()


def test_what_was_damaged_here_is_still_whole_in_the_next_backup(storage: Path, shelf: Shelf, tmp_path: Path) -> None:
    sound = contents(storage)
    create(storage, shelf)
    flip(capture_path(storage))
    capture_path(storage, RUNS[1]).unlink()

    second = create(storage, shelf)

    assert second.manifest.lacking == ()
    restore(second.path, configuration_of(tmp_path / "restored"))
    assert contents(tmp_path / "restored") == sound


def test_what_was_damaged_before_the_first_backup_is_named_and_the_rest_is_saved(
    storage: Path, shelf: Shelf, tmp_path: Path
) -> None:
    flip(capture_path(storage))
    capture_path(storage, RUNS[1]).unlink()
    capture_path(storage, RUNS[2]).unlink()
    capture_path(storage, RUNS[2]).mkdir()

    made = create(storage, shelf)

    lacking = {one.path: one.text for one in made.manifest.lacking}
    assert sorted(lacking) == [f"captures/{run_id}-0.parquet" for run_id in RUNS[:3]]
    assert [text.partition(":")[0] for _, text in sorted(lacking.items())] == [
        "was damaged", "was not there", "could not be read"
    ]  # fmt: skip
    assert problems_of(made.path) == ()
    restore(made.path, configuration_of(tmp_path / "restored"))
    assert codes(tmp_path / "restored") == ["capture_missing"] * 3


def test_what_retention_removed_is_not_missed(storage: Path, shelf: Shelf) -> None:
    limits = RetentionSection(max_bytes=0, including_referenced=True)
    with Pruning.of(configuration_of(storage), limits) as pruning:
        assert all(pruning.remove(one) for one in pruning.plan().removals)
    made = create(storage, shelf)
    assert made.manifest.lacking == ()
    assert problems_of(made.path) == ()


def test_files_without_a_row_are_saved_too(storage: Path, shelf: Shelf) -> None:
    write_capture(storage, "given-up", 0)
    assert "captures/given-up-0.parquet" in create(storage, shelf).manifest.by_path


def test_captures_of_other_benches_are_theirs_to_save(storage: Path, shelf: Shelf) -> None:
    url = f"sqlite:///{storage / 'joulebench.sqlite'}"
    configuration = configuration_of(storage, database_url=url)
    other = configuration.model_copy(update={"bench": configuration.bench.model_copy(update={"name": "bench-2"})})
    shutil.move(storage / "captures", storage / "elsewhere")
    made = Creation(other, shelf, "9.9").create()
    assert made.manifest.shared_database
    # only the raw capture of the certificate, which is not there
    assert [one.path for one in made.manifest.lacking] == ["captures/gain-1-00.parquet"]
    assert problems_of(made.path) == ()


DAMAGES: tuple[Callable[[Path], None], ...] = (flip, Path.unlink, lambda path: path.write_bytes(b""))


@settings(max_examples=10)
@given(
    hit=st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(DAMAGES)), max_size=4, unique_by=lambda one: one[0] % 15
    ),
    added=st.sets(st.sampled_from(["captures/more.parquet", "more", "certificates/x.json"])),
)
def test_verification_names_each_damaged_file_and_no_other(
    sound: Path,
    tmp_path_factory: pytest.TempPathFactory,
    hit: list[tuple[int, Callable[[Path], None]]],
    added: set[str],
) -> None:
    base = tmp_path_factory.getbasetemp() / "verified"
    if not base.exists():
        create(sound, Shelf(base))
    whole = backup_at(base)
    folder = base.parent / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    paths = [one.path for one in read_manifest(folder).files]
    assert len(paths) == 15
    expected = {paths[number % 15] for number, _ in hit}
    for number, damage in hit:
        damage(folder / paths[number % 15])
    for name in added:
        (folder / name).write_bytes(b"more")

    found = problems_of(folder)

    assert {text.split(" ")[0] for text in found} == {str(folder / path) for path in expected | added}
    assert len(found) == len(expected) + len(added)
    if expected or added:
        with pytest.raises(BackupError, match="is not whole, and nothing was restored"):
            restore(folder, configuration_of(base.parent / "never"))
        assert not (base.parent / "never" / "captures").exists()


def test_a_backup_whose_database_names_more_than_it_holds_is_not_whole(storage: Path, shelf: Shelf) -> None:
    made = create(storage, shelf)
    name = f"captures/{RUNS[0]}-0.parquet"
    (made.path / name).unlink()
    fewer = tuple(one for one in made.manifest.files if one.path != name)
    fields = {one: getattr(made.manifest, one) for one in Manifest.__slots__}
    write_manifest(made.path, Manifest(**fields | {"files": fewer}))
    assert problems_of(made.path) == (
        f"capture {RUNS[0]}-0.parquet, which the database names, is not in the backup",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "cannot be read"), ("[]", "is no manifest"), ('{"format": "joulebench-backup", "version": 2}', "version 1")],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(BackupError, match=complaint):
        read_manifest(tmp_path)


def test_a_manifest_that_was_edited_is_refused(storage: Path, shelf: Shelf) -> None:
    made = create(storage, shelf)
    path = made.path / NAME
    path.write_text(path.read_text(encoding="utf-8").replace("bench-1", "bench-2"), encoding="utf-8")
    with pytest.raises(BackupError, match="was changed after it was written"):
        verify_backup(made.path)
    with pytest.raises(BackupError, match="holds none"):
        backup_at(storage)


def test_nothing_is_overwritten(storage: Path, shelf: Shelf, tmp_path: Path) -> None:
    made = create(storage, shelf)
    before = contents(storage)
    with pytest.raises(BackupError, match="captures is not empty"):
        restore(made.path, configuration_of(storage))
    shutil.rmtree(storage / "captures")
    with pytest.raises(BackupError, match="certificates is not empty"):
        restore(made.path, configuration_of(storage))
    shutil.rmtree(storage / "certificates")
    with pytest.raises(BackupError, match=r"joulebench\.sqlite is there already"):
        restore(made.path, configuration_of(storage))
    restore(made.path, configuration_of(storage), with_database=False)
    assert contents(storage) == before
    assert codes(storage) == []


def test_a_backup_is_restored_as_its_own_bench_and_with_no_daemon_there(
    storage: Path, shelf: Shelf, tmp_path: Path
) -> None:
    made = create(storage, shelf)
    configuration = configuration_of(tmp_path / "restored")
    other = configuration.model_copy(update={"bench": configuration.bench.model_copy(update={"name": "bench-2"})})
    with pytest.raises(BackupError, match="is of bench 'bench-1', and the configuration's is 'bench-2'"):
        restore(made.path, other)
    with BenchLock(configuration).held("joulebench daemon"), pytest.raises(BenchInUse):
        restore(made.path, configuration)
    on_a_server = configuration_of(tmp_path / "restored", database_url="postgresql://h/d")
    with pytest.raises(BackupError, match="is no place for"):
        Restoration(made.path, on_a_server)._verified()


def test_a_restoration_that_fails_leaves_nothing_half_restored(
    storage: Path, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(storage, shelf)
    configuration = configuration_of(tmp_path / "restored")

    def full() -> None:
        raise OSError(28, "No space left on device", "disk")

    with monkeypatch.context() as patched:
        patched.setattr(os, "sync", full)
        with pytest.raises(BackupError, match="was not restored: disk: No space left"):
            restore(made.path, configuration)
    assert list((tmp_path / "restored" / "captures").iterdir()) == []
    restore(made.path, configuration)
    assert codes(tmp_path / "restored") == []


def test_a_backup_that_rots_between_verification_and_copy_is_not_restored(
    storage: Path, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(storage, shelf)

    def verified(*arguments: Any) -> Any:
        found = verify_backup(*arguments)
        flip(capture_path(made.path))
        return found

    monkeypatch.setattr(restoration, "verify_backup", verified)
    with pytest.raises(BackupError, match="changed while it was restored"):
        restore(made.path, configuration_of(tmp_path / "restored"))
    assert not (tmp_path / "restored" / "joulebench.sqlite").exists()
    assert list((tmp_path / "restored" / "captures").iterdir()) == []


def test_a_backup_that_is_cut_short_is_none_and_the_next_removes_it(
    storage: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = create(storage, shelf)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)  # whoever is killed cleans nothing up
        patched.setattr(creation, "write_manifest", killed)
        with pytest.raises(Killed):
            create(storage, shelf)
    assert len(list(shelf.directory.glob("*.part"))) == 1
    assert shelf.backups() == [first.path]

    create(storage, shelf)
    assert list(shelf.directory.glob("*.part")) == []
    assert len(shelf.backups()) == 2


def test_a_disk_without_room_is_told_before_anything_is_copied(
    storage: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(storage)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BackupError, match=r"it needs .* kB, and 10 B are free"):
        create(storage, shelf)
    assert shelf.backups() == list(shelf.directory.glob("joulebench-*")) == []


def test_a_disk_that_takes_no_more_in_the_middle_leaves_no_backup(storage: Path, shelf: Shelf) -> None:
    (storage / "captures" / "large.parquet").write_bytes(b"x" * 4_000_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))  # the system refuses what goes beyond
    try:
        with pytest.raises(BackupError, match=r"no backup was made: cannot write .*large\.parquet: File too large"):
            create(storage, shelf)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(shelf.directory.glob("joulebench-*")) == []


def test_one_at_a_time_and_never_while_retention_removes(storage: Path, shelf: Shelf) -> None:
    with shelf.alone(), pytest.raises(BackupError, match="another backup is being made"):
        create(storage, shelf)
    with storage_hold(storage, removing=True), pytest.raises(StorageHeld, match="retention is removing"):
        create(storage, shelf)


def test_a_backup_inside_what_it_saves_is_refused(storage: Path) -> None:
    with pytest.raises(BackupError, match="lies inside"):
        create(storage, Shelf(storage / "backups"))


def test_a_database_of_another_revision_is_refused_with_what_to_do(storage: Path, shelf: Shelf) -> None:
    with closing(sqlite3.connect(storage / "joulebench.sqlite")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
    with pytest.raises(StoreError, match=r"has tables of revision 0005.*database upgrade"):
        create(storage, shelf)
    assert shelf.backups() == []


def test_a_damaged_database_makes_no_backup(storage: Path, shelf: Shelf) -> None:
    path = storage / "joulebench.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 4] = b"\xa5" * (4096 * 3)
    path.write_bytes(content)
    with pytest.raises((BackupError, StoreError), match="database"):
        create(storage, shelf)
    assert shelf.backups() == []


def test_only_the_newest_are_kept_where_that_is_wanted(storage: Path, shelf: Shelf) -> None:
    made = [create(storage, shelf).path for _ in range(2)]
    last = Creation(configuration_of(storage), shelf, "9.9", keep=3).create()
    assert (last.removed, shelf.backups()) == ((), [*made, last.path])
    newest = Creation(configuration_of(storage), shelf, "9.9", keep=1).create()
    assert newest.removed == (*made, last.path)
    assert shelf.backups() == [newest.path]
    assert problems_of(newest.path) == ()


def test_a_database_of_another_make_is_refused_and_a_missing_program_is_named(
    storage: Path, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackupError, match="a mysql database cannot be backed up by joulebench"):
        create(storage, shelf, database_url="mysql://h/d")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match=r"pg_dump is not installed here: install the PostgreSQL client"):
        dump_postgresql("postgresql://h/d", tmp_path / "dump")
    assert list(shelf.directory.glob("joulebench-*")) == []
