from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from daemon.database import engine_on, open_database
from daemon.database_status import database_status
from daemon.errors import StoreError
from daemon.store import Store
from tests.postgresql import ENCRYPTED, GUARDED, PASSWORD, PostgresqlServer, database_of


def shown(url: str, query: str) -> object:
    engine = open_database(url, create=True)
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(query).scalar()
    finally:
        engine.dispose()


@pytest.mark.parametrize(("name", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_sqlite_is_set_to_lose_nothing(tmp_path: Path, name: str, value: object) -> None:
    assert shown(f"sqlite:///{tmp_path / 'a.sqlite'}", f"PRAGMA {name}") == value


def test_postgresql_is_told_to_lose_nothing_whatever_its_default(postgresql_server: PostgresqlServer) -> None:
    postgresql_url = postgresql_server.new_database()
    name = database_of(postgresql_url)
    for setting in ("synchronous_commit = off", "default_transaction_isolation = serializable", "lock_timeout = 0"):
        postgresql_server.execute(f"ALTER DATABASE {name} SET {setting}")

    assert shown(postgresql_url, "SHOW synchronous_commit") == "on"
    assert shown(postgresql_url, "SHOW transaction_isolation") == "read committed"
    assert shown(postgresql_url, "SHOW lock_timeout") == "5s"
    assert shown(postgresql_url, "SHOW application_name") == "joulebench"


def test_a_database_that_is_missing_is_only_made_when_asked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        Store(f"sqlite:///{tmp_path / 'none.sqlite'}", create=False)

    assert list(tmp_path.iterdir()) == []


def test_a_server_without_that_database_is_named_and_says_so(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(StoreError, match=r'127\.0\.0\.1.*database "nowhere" does not exist'):
        Store(postgresql_server.url("nowhere"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "database_url names: Could not parse"),
        ("nosuchdb://host/x", "nosuchdb"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://h/x?sslmode=always", "sslmode=always: disable, prefer, require, verify-ca or verify-full"),
        ("postgresql://h/x?sslmode=verify-full&sslrootcert=/nowhere.pem", "sslrootcert=/nowhere.pem, which cannot be"),
        ("postgresql://h/x?timeout=1&sslmode=disable", "timeout behind its `\\?`, and only sslmode and sslrootcert"),
    ],
)
def test_a_url_that_cannot_be_used_is_named(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        Store(url)


def test_a_url_without_a_driver_needs_one_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.postgresql.find_spec", lambda _: None)
    with pytest.raises(StoreError, match=r'pip install "joulebench\[postgresql\]"'):
        engine_on("postgresql://h/x", create=False)


@pytest.mark.parametrize(("driver", "name"), [("pg8000", "postgresql+pg8000"), ("psycopg", "postgresql+psycopg")])
def test_a_url_without_a_driver_takes_the_one_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, driver: str, name: str
) -> None:
    from sqlalchemy.engine import make_url

    from daemon.postgresql import with_driver

    monkeypatch.setattr("daemon.postgresql.find_spec", lambda one: object() if one == driver else None)
    assert with_driver(make_url("postgresql://h/x")).drivername == name


def test_a_password_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        Store("postgresql+nosuchdriver://joulebench:secret@db.example/x")

    assert "secret" not in str(caught.value)


def test_a_server_that_is_told_a_wrong_password_refuses_and_it_is_not_shown(
    postgresql_server: PostgresqlServer,
) -> None:
    postgresql_server.add_guarded_user()
    wrong = postgresql_server.url(user=f"{GUARDED}:wr0ng-one")
    with pytest.raises(StoreError, match="password authentication failed for user") as caught:
        Store(wrong)

    error: BaseException | None = caught.value
    while error is not None:
        assert "wr0ng-one" not in str(error)
        assert PASSWORD not in str(error)
        error = error.__cause__


@pytest.fixture
def encrypted_url(postgresql_server: PostgresqlServer) -> str:
    """The URL of a user who needs TLS, without what it says of TLS; the server's certificate is for `localhost`."""
    postgresql_server.add_encrypted_user()
    return f"postgresql://{ENCRYPTED}@localhost:{postgresql_server.port}/postgres"


@pytest.mark.parametrize(
    "query", ["", "?sslmode=require", "?sslmode=verify-ca&sslrootcert={}", "?sslmode=verify-full&sslrootcert={}"]
)
def test_a_server_is_spoken_to_by_tls(encrypted_url: str, postgresql_server: PostgresqlServer, query: str) -> None:
    url = encrypted_url + query.format(postgresql_server.certificate)
    assert database_status(url).state == "empty"


@pytest.mark.parametrize(
    ("query", "host", "problem"),
    [
        ("?sslmode=disable", "localhost", "rejects connection"),
        ("?sslmode=verify-full", "localhost", "certificate verify failed"),
        ("?sslmode=verify-full&sslrootcert={}", "127.0.0.1", "certificate verify failed: IP address mismatch"),
    ],
)
def test_a_server_that_is_not_the_one_is_not_spoken_to(
    encrypted_url: str, postgresql_server: PostgresqlServer, query: str, host: str, problem: str
) -> None:
    url = encrypted_url.replace("localhost", host) + query.format(postgresql_server.certificate)
    with pytest.raises(StoreError, match=problem):
        database_status(url)


def test_a_server_that_says_nothing_counts_as_lost_and_is_used_again_when_it_speaks(
    postgresql_server: PostgresqlServer, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.postgresql.TIMEOUT_S", 1.0)
    monkeypatch.setattr("daemon.retried.PAUSES_S", (0.01,))
    Store(postgresql_url).close()
    with Store(postgresql_url, bench="b") as store:
        store.record(None, event="before")
        postgresql_server.freeze()
        try:
            with pytest.raises(StoreError, match="cannot record 'meanwhile' of run None"):
                store.record(None, event="meanwhile")
        finally:
            postgresql_server.thaw()
        monkeypatch.setattr("daemon.retried.PAUSES_S", (0.1,) * 100)
        store.record(None, event="after")

        assert [entry.event for entry in store.journal()] == ["before", "after"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="cannot open the database"):
        Store(f"sqlite:///{tmp_path / 'file' / 'joulebench.sqlite'}")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite"
    path.write_bytes(b"Dear Sir or Madam, " * 100)

    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{path}")

    assert path.read_bytes() == b"Dear Sir or Madam, " * 100


def test_another_programs_database_is_not_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE other (x INTEGER)"))
    engine.dispose()

    with pytest.raises(StoreError, match="no joulebench tables"):
        Store(url, create=False)


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_who_only_reads_a_sqlite_file_leaves_nothing_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a b%.sqlite'}"
    with Store(url) as store:
        store.record(None, event="begun")
    before = _state(tmp_path)
    with Store(url, read_only=True) as store:
        assert [entry.event for entry in store.journal()] == ["begun"]
        with pytest.raises(StoreError, match="readonly database"):
            store.record(None, event="written")
    assert _state(tmp_path) == before


def test_who_only_reads_sees_what_a_daemon_wrote_just_now(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    with Store(url) as writer:
        writer.record(None, event="before")
        with Store(url, read_only=True) as reader:
            writer.record(None, event="meanwhile")
            assert [entry.event for entry in reader.journal()] == ["before", "meanwhile"]


def test_who_only_reads_makes_no_database_and_no_tables(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        Store(f"sqlite:///{tmp_path / 'none' / 'none.sqlite'}", read_only=True)
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path / 'empty.sqlite'}", read_only=True)
    assert _state(tmp_path).keys() == {"empty.sqlite"}
    assert (tmp_path / "empty.sqlite").stat().st_size == 0


def test_a_server_refuses_to_write_for_who_only_reads(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.new_database()
    Store(url).close()
    with Store(url, read_only=True) as store:
        assert store.runs() == []
        with pytest.raises(StoreError, match="read-only transaction"):
            store.record(None, event="written")
