"""The copy of a database is that of the instant at which it began, however much is written meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.backup import sqlite_copy
from daemon.backup.sqlite_copy import copy_sqlite, sqlite_damage, sqlite_rows
from daemon.errors import BackupError

ROWS = 400


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a b.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE noted (number INTEGER, text TEXT)")
        connection.executemany("INSERT INTO noted VALUES (?, ?)", [(number, "x" * 1000) for number in range(ROWS)])
    return path


def test_writes_in_the_middle_neither_get_in_nor_have_it_begin_anew(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_copy, "_PAGES", 10)
    steps: list[tuple[int, int]] = []
    with closing(sqlite3.connect(database)) as writer:

        def write(done: int, total: int) -> None:
            steps.append((done, total))
            assert len(steps) < 1000, "it begins anew with every write"
            with writer:
                writer.execute("UPDATE noted SET text = 'y' WHERE number = ?", (ROWS - len(steps),))
                writer.execute("INSERT INTO noted VALUES (-1, 'new')")

        copy_sqlite(database, tmp_path / "copy.sqlite", write)

        assert writer.execute("SELECT count(*) FROM noted WHERE number = -1").fetchone() == (len(steps),)
    assert len(steps) > 5
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    counted = sqlite_rows(tmp_path / "copy.sqlite", "SELECT count(*), sum(length(text)) FROM noted")
    assert counted == [(ROWS, ROWS * 1000)]
    # one file, with no journal that could be lost
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.sqlite"]


def test_a_database_that_is_not_there_or_is_none_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot copy database"):
        copy_sqlite(tmp_path / "nowhere.sqlite", tmp_path / "copy.sqlite")
    assert not (tmp_path / "nowhere.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database at all, but a text that is long enough" * 100, encoding="utf-8")
    with pytest.raises(BackupError, match="file is not a database"):
        copy_sqlite(tmp_path / "text.sqlite", tmp_path / "other.sqlite")
    assert sqlite_damage(tmp_path / "text.sqlite") == "file is not a database"
    with pytest.raises(BackupError, match="cannot read the database of the backup"):
        sqlite_rows(tmp_path / "text.sqlite", "SELECT * FROM noted")


def test_a_damaged_page_is_found_in_the_copy(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(database.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    database.write_bytes(content)
    with pytest.raises(BackupError, match="is not sound, and no backup was made"):
        copy_sqlite(database, tmp_path / "copy.sqlite")
